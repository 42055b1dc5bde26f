"""Small literal things that tests are about: a tiny model, its rows, its stores."""

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec.structs import replace

from webnn.core.records import Client, Commit, Evaluation, EvaluationLease, Head, LedgerEntry, Run, Update
from webnn.core.wire import Vector, encode_vector, sha256
from webnn.observe import Observer, nobody
from webnn.store import keys
from webnn.store.memory import MemoryBlobs, MemoryCatalog
from webnn.store.ports import Blobs, Catalog
from webnn.store.public import PublicObjects
from webnn.wiring import Services, assemble

SECRET = "0123456789abcdef" * 4
START = 1_700_000_000_000

# Two weights, three parameters: small enough to write merges out by hand.
WEIGHTS = [
    {"name": "line/kernel", "shape": [2, 1], "dtype": "float32"},
    {"name": "line/bias", "shape": [1], "dtype": "float32"},
]
PARAMETERS = 3
# A shard of 8 examples of 2 float32 and one target: 8 * 12 bytes.
SHARD = {"sha256": hashlib.sha256(b"\0" * 96).hexdigest(), "bytes": 96, "examples": 8}


def a_spec(**members: Any) -> dict[str, Any]:
    """A spec document that parses; `members` replace its own."""
    return {
        "modelTopology": {"class_name": "Sequential", "config": {"layers": []}},
        "weightsManifest": [{"weights": WEIGHTS}],
        "data": {
            "inputs": [{"name": "x", "shape": [2], "dtype": "float32"}],
            "targets": [{"name": "y", "shape": [], "dtype": "float32"}],
            "train": [SHARD],
            "validation": [SHARD],
        },
        "training": {"loss": "meanSquaredError", "batch_size": 4, "local_steps": 2},
        "merge": {"rule": {"name": "delta"}},  # whose sums can be worked out in one's head
    } | members


def an_id(number: int) -> str:
    return f"{number:032x}"


def a_run(name: str, created_at: int = START) -> Run:
    return Run(name, "A line", "Fits a line.", created_at, keys.spec(name, "5" * 64), "5" * 64, 321)


def a_head(name: str, version: int = 0) -> Head:
    return Head(name, version, 2 * version, 0, keys.checkpoint(name, version, an_id(version)), "c" * 64, 12)


def an_entry(base: Head, head: Head, **members: Any) -> LedgerEntry:
    """The ledger entry of the commit from one head to another."""
    entry = LedgerEntry(
        run=head.run,
        version=head.version,
        from_version=base.version,
        generation=head.generation,
        at=START,
        attempt=sha256(f"{head.run} {head.checkpoint_key}".encode())[:32],
        steps=head.steps,
        checkpoint_key=head.checkpoint_key,
        sha256=head.sha256,
        bytes=head.bytes,
    )
    return replace(entry, **members)


def an_update(name: str, number: int, **members: Any) -> Update:
    update = Update(
        run=name,
        update_id=an_id(number),
        client_id=an_id(77),
        base_version=0,
        generation=0,
        local_steps=2,
        examples=8,
        bytes=12,
        sha256="d" * 64,
        encoding="float32",
        created_at=START,
        expires_at=START + 900_000,
    )
    return replace(update, **members)


def a_commit(base: Head, *updates: Update) -> Commit:
    """A commit that merges these updates on this head."""
    head = replace(a_head(base.run, base.version + len(updates)), status=base.status)
    merged = tuple(u.merged(base.version + 1 + i, 0, 1.0) for i, u in enumerate(updates))
    attempt = sha256(repr((base, merged)).encode())[:32]
    return Commit(base, head, merged, an_entry(base, head, attempt=attempt))


def a_client(name: str, number: int, seen_at: int = START) -> Client:
    return Client(name, an_id(number), joined_at=START, seen_at=seen_at)


def a_lease(name: str, number: int, version: int = 0) -> EvaluationLease:
    return EvaluationLease(name, an_id(number), an_id(77), version, START + 120_000)


def an_evaluation(name: str, version: int, lease: int = 1, accuracy: float = 0.5) -> Evaluation:
    return Evaluation(name, version, an_id(lease), an_id(77), 0.25, accuracy, 8, START)


@dataclass
class Clock:
    """Milliseconds that pass only when told to."""

    now: int = START

    def __call__(self) -> int:
        return self.now


@dataclass
class Ids:
    """Ids that count up."""

    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(self) -> str:
        return an_id(next(self._numbers))


def never() -> bool:
    """There is always time left."""
    return False


RECIPES: list[dict[str, Any]] = [
    {"rule": {"name": "delta"}},
    {"rule": {"name": "average"}},
    {"rule": {"name": "weighted"}},
    {"rule": {"name": "fedbuff", "size": 2}},
    {"rule": {"name": "delta"}, "optimizer": {"name": "adam"}},
    {"rule": {"name": "average"}, "robust": [{"name": "norm_clip"}, {"name": "median", "size": 2}]},
]


def recipe_name(recipe: dict[str, Any]) -> str:
    """For the names of tests."""
    parts = [recipe["rule"], *recipe.get("robust", []), recipe.get("optimizer")]
    return "-".join(part["name"] for part in parts if part)


@dataclass
class World:
    """One run called `line` on some stores, with a clock and ids of the test's own.

    Attributes:
        rung: What was put on the queue.
        late: What was put there for later.
    """

    catalog: Catalog
    blobs: Blobs
    clock: Clock
    ids: Callable[[], str]
    services: Services
    rung: list[bytes]
    name: str = "line"
    late: list[bytes] = field(default_factory=list)

    def start(self, weights: Sequence[float] = (1.0, 2.0, 3.0), **members: Any) -> Head:
        """Starts the run from these weights."""
        body = json.dumps(a_spec(**members)).encode()
        self.services.runs.start(self.name, "A line", "Fits a line.", body, np.float32(weights))
        return self.head

    @property
    def head(self) -> Head:
        return self.catalog.head(self.name)

    @property
    def weights(self) -> list[float]:
        """The weights that the head names, read as a stranger would."""
        body = self.blobs.get(self.head.checkpoint_key)
        assert sha256(body) == self.head.sha256
        return [float(value) for value in np.frombuffer(body, "<f4")]

    def announce(self, delta: Sequence[float] | Vector, **members: Any) -> Update:
        """Opens an update for this delta; it is not uploaded yet."""
        body = body_of(delta)
        opened = an_update(
            self.name, 0, update_id=self.ids(), bytes=len(body), sha256=sha256(body), created_at=self.clock()
        )
        opened = replace(opened, **({"expires_at": self.clock() + 900_000} | members))
        self.catalog.open_update(opened)
        return opened

    def upload(self, update: Update, body: bytes) -> None:
        """Puts bytes where the update's body is looked for, whatever was announced."""
        self.blobs.create(keys.update(self.name, update.update_id), body)

    def contribute(self, delta: Sequence[float] | Vector, **members: Any) -> Update:
        """Announces and uploads."""
        update = self.announce(delta, **members)
        self.upload(update, body_of(delta))
        return update

    def drain(self) -> None:
        """Settles all that can be settled."""
        self.services.committer.drain(self.name, never)

    def now(self, update: Update) -> Update:
        """What became of an update."""
        return self.catalog.update(self.name, update.update_id)


def body_of(delta: Sequence[float] | Vector) -> bytes:
    return encode_vector(np.asarray(delta, np.float32))


def a_world(
    catalog: Catalog | None = None,
    blobs: Blobs | None = None,
    clock: Clock | None = None,
    ids: Callable[[], str] | None = None,
    name: str = "line",
    observe: Observer = nobody,
    public: PublicObjects | None = None,
) -> World:
    """A world on these stores; on memory where none are given."""
    catalog = MemoryCatalog() if catalog is None else catalog
    clock = Clock() if clock is None else clock
    blobs = MemoryBlobs(clock) if blobs is None else blobs
    ids = Ids() if ids is None else ids
    rung: list[bytes] = []
    late: list[bytes] = []
    services = assemble(
        catalog, blobs, SECRET, rung.append,
        later=late.append, public=public, clock=clock, ids=ids, observe=observe,
    )  # fmt: skip
    return World(catalog, blobs, clock, ids, services, rung, name, late)
