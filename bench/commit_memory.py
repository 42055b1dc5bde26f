"""Peak memory of the merge function's work on 95 updates of 1, 10 and 50 million parameters.

    python bench/commit_memory.py [--parameters 1000000 …]

As production has it: bodies read ahead in threads, checkpoints encoded and written, commit after commit, the functions'
environment. What lies in the stores does not count: two bodies stand for all, every read is a copy, and checkpoints are
taken and dropped.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from measure import machine, table, verdict
from merge_drain import NAME, FreshBlobs, prepared
from merge_load import RULES, Load
from merge_memory import resident
from rich.console import Console
from rich.progress import track

from webnn.ahead import MOST, MOST_BYTES, threaded
from webnn.store import keys

UPDATES = 95
PARAMETERS = [1_000_000, 10_000_000, 50_000_000]
SHOWN = ("delta", "average")
BUDGETED_AHEAD = 64_000_000  # bytes read ahead that the budget allows; MOST_BYTES are fewer


class Sink(FreshBlobs):
    """Takes checkpoints and keeps none but the genesis: they would lie in S3."""

    def create(self, key: str, body: bytes) -> None:
        """See `Blobs.create`."""
        if not key.startswith(keys.checkpoints(NAME)) or keys.checkpoint_version(key) == 0:
            super().create(key, body)


def bound(rule: str, parameters: int, ahead: int) -> float:
    """Model sizes of head, accumulator, the base if asked for and one update, and so many bytes read ahead."""
    return 3.0 + RULES[rule].needs_base + ahead / (4 * parameters)


def measured(rule: str, parameters: int) -> float:
    """Peak resident memory above that at the start, in model sizes; in this process."""
    warm = prepared(Load.of(2000, 2), RULES[rule], Sink(), threaded(ThreadPoolExecutor(MOST)))
    warm.drain(NAME, lambda: False)
    load = Load.of(parameters, UPDATES, distinct=2)
    committer = prepared(load, RULES[rule], Sink(), threaded(ThreadPoolExecutor(MOST)))
    gc.collect()
    drained: list[int] = []
    peak = resident(lambda: drained.append(committer.drain(NAME, lambda: False).merged))
    assert drained == [UPDATES]
    return peak / (4 * parameters)


def in_a_process(rule: str, parameters: int) -> float:
    """The same in a fresh one."""
    command = [sys.executable, __file__, "--one", rule, str(parameters)]
    config = json.loads((Path(__file__).parents[1] / ".chalice" / "config.json").read_text())
    environment = os.environ | config["environment_variables"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)  # noqa: S603
    return float(json.loads(done.stdout))


def _row(rule: str, parameters: int, models: float) -> list[str]:
    cells = [f"{rule}, {parameters:,}", f"{models:.2f}", f"{models * parameters * 4 / 1e6:.0f}"]
    for ahead in (BUDGETED_AHEAD, MOST_BYTES):
        allowed = bound(rule, parameters, ahead)
        cells += [f"{allowed:.2f}", verdict(models, allowed)]
    return cells


def main() -> None:
    """Prints a table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parameters", type=int, nargs="*", default=PARAMETERS)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.one:
        print(json.dumps(measured(wanted.one[0], int(wanted.one[1]))))
        return
    cases = [(rule, parameters) for parameters in wanted.parameters for rule in SHOWN]
    bar = track(cases, "draining", console=Console(stderr=True))
    found = {(rule, parameters): in_a_process(rule, parameters) for rule, parameters in bar}
    head = ["rule, parameters", "models", "MB", "budget", "", f"with {MOST_BYTES // 10**6} MB ahead", ""]
    rows = [_row(rule, parameters, models) for (rule, parameters), models in found.items()]
    print(table(head, rows))
    figures = [
        {"rule": rule, "parameters": p, "models": round(m, 3), "budget": round(bound(rule, p, BUDGETED_AHEAD), 3)}
        for (rule, p), m in found.items()
    ]
    print(json.dumps({"updates": UPDATES, "peaks": figures, "machine": machine()}))


if __name__ == "__main__":
    main()
