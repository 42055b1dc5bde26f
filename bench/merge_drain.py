"""The merge function's whole work on memory stores: read, check, hash, merge, write the checkpoint, commit."""

import itertools
from collections.abc import Callable, Mapping
from functools import partial

from merge_load import EXAMPLES, LOCAL_STEPS, Load

from webnn.ahead import Ahead, one_by_one
from webnn.commit import Committer, Drained
from webnn.core import spec as specs
from webnn.core.ids import make_id
from webnn.core.merge import norm
from webnn.core.records import Head, LedgerEntry, Run, Update
from webnn.core.rules import AnyRule
from webnn.core.wire import decode_vector, sha256
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.memory import MemoryBlobs, MemoryCatalog

NAME = "bench"
LIFETIME = 10**12


class FreshBlobs(MemoryBlobs):
    """Gives a new copy of a blob each time, as a service's answer is."""

    def get(self, key: str) -> bytes:
        """See `Blobs.get`."""
        return memoryview(super().get(key)).tobytes()


def candidates(load: Load, rules: Mapping[str, AnyRule]) -> dict[str, Callable[[], object]]:
    """The whole for each rule, and what two of its parts cost alone."""
    found: dict[str, Callable[[], object]] = {
        f"drain:{name}": partial(drain, load, rule) for name, rule in rules.items()
    }
    found["sha256 alone"] = lambda: [sha256(body) for body in load.bodies]
    found["norms alone"] = lambda: [norm(decode_vector(load.specs, body)) for body in load.bodies]
    return found


def drain(load: Load, rule: AnyRule) -> Drained:
    """Sets up a run with all updates pending and uploaded (microseconds each), then drains it."""
    drained = prepared(load, rule, MemoryBlobs()).drain(NAME, lambda: False)
    if drained.merged != len(load.bodies):
        raise AssertionError(f"{drained.merged} of {len(load.bodies)} merged, {drained.refused} refused")
    return drained


def prepared(load: Load, rule: AnyRule, blobs: MemoryBlobs, ahead: Ahead = one_by_one) -> Committer:
    """A committer over a run at version 0 with all updates waiting."""
    catalog, ids = MemoryCatalog(), (make_id(0, count.to_bytes(10, "big")) for count in itertools.count())
    body = _spec(load, rule)
    run = Run(NAME, NAME, "", 0, keys.spec(NAME, sha256(body)), sha256(body), len(body))
    head_key = keys.checkpoint(NAME, 0, next(ids))
    head = Head(NAME, 0, 0, 0, head_key, sha256(load.head), len(load.head))
    genesis = LedgerEntry(NAME, 0, 0, 0, 0, "", 0, head_key, head.sha256, head.bytes)
    catalog.create_run(run, head, genesis)
    blobs.create(run.spec_key, body)
    blobs.create(head_key, load.head)
    for upload, digest in zip(load.bodies, load.digests, strict=True):
        update = _pending(next(ids), upload, digest)
        catalog.open_update(update)
        blobs.create(keys.update(NAME, update.update_id), upload)
    return Committer(catalog, blobs, Specs(catalog, blobs), clock=lambda: 0, new_id=lambda: next(ids), ahead=ahead)


def _pending(update_id: str, body: bytes, digest: str) -> Update:
    return Update(
        run=NAME,
        update_id=update_id,
        client_id="",
        base_version=0,
        generation=0,
        local_steps=LOCAL_STEPS,
        examples=EXAMPLES,
        bytes=len(body),
        sha256=digest,
        encoding="float32",
        created_at=0,
        expires_at=LIFETIME,
    )


def _spec(load: Load, rule: AnyRule) -> bytes:
    shard = {"sha256": "0" * 64, "bytes": 8, "examples": 1}
    scalar = {"shape": [], "dtype": "float32"}
    return specs.encode(
        {
            "modelTopology": {},
            "weightsManifest": [{"weights": load.specs}],
            "merge": {"rule": rule},
            "data": {
                "inputs": [{"name": "x", **scalar}],
                "targets": [{"name": "y", **scalar}],
                "train": [shard],
                "validation": [shard],
            },
        }
    )
