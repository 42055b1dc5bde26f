"""Peak extra memory of one merge, in model sizes; run by merge.py, each time in a process of its own.

    python bench/merge_memory.py (merge|drain):RULE (tracemalloc|rss) PARAMETERS UPDATES

Everything that the merge itself brings in counts: the head, the bases, the update at hand, the accumulator, and
for `drain` the encoded checkpoint. Stored blobs were there before and do not count, but every read is a copy.
"""

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from merge_drain import NAME, FreshBlobs, prepared
from merge_load import RULES, Load, merged

from webnn.core.rules import AnyRule
from webnn.core.wire import decode_vector, encode_vector


def merging(load: Load, rule: AnyRule) -> Callable[[], object]:
    """The merge alone: 100 bodies and a head, to new weights."""

    def run() -> object:
        head = decode_vector(load.specs, memoryview(load.head).tobytes())
        return merged(load, rule, head, fresh=True).weights

    return run


def draining(load: Load, rule: AnyRule) -> Callable[[], object]:
    """The merge function's whole work."""
    committer = prepared(load, rule, FreshBlobs())
    return lambda: committer.drain(NAME, lambda: False)


def allocated(work: Callable[[], object]) -> int:
    """Bytes that Python and numpy had allocated at the peak, beyond those at the start."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    work()
    return tracemalloc.get_traced_memory()[1] - before


def resident(work: Callable[[], object]) -> int:
    """Bytes by which the high-water mark of resident memory rose over what was resident. Linux only."""
    Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark to the present size
    before = _status("VmHWM")
    work()
    return _status("VmHWM") - before


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def main() -> None:
    """Prints the peak in model sizes."""
    what, gauge, parameters, updates = sys.argv[1:]
    kind, _, name = what.partition(":")
    # What is first called at the measured moment must not count: a small run of the same goes before.
    warm = Load.of(2000, 2)
    {"merge": merging, "drain": draining}[kind](warm, RULES[name])()
    load = Load.of(int(parameters), int(updates), distinct=2)
    work = {"merge": merging, "drain": draining}[kind](load, RULES[name])
    gc.collect()
    peak = {"tracemalloc": allocated, "rss": resident}[gauge](work)
    print(json.dumps(peak / len(encode_vector(decode_vector(load.specs, load.head)))))


if __name__ == "__main__":
    main()
