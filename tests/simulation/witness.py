"""What really happened, in the order in which it did, and whether it was allowed.

The witness stands beside the stores and sees each write that took effect. It shares nothing with the code under test
but the records and the ledger's digest: what was pending and what the weights must be it works out for itself.
"""

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec.structs import replace

from webnn.core.ledger import digest
from webnn.core.records import Commit, Head, LedgerEntry, MergedUpdate, Run, Status, Update, UpdateState
from webnn.decision import GRACE_MILLISECONDS
from webnn.observe import Attempt
from webnn.store import keys
from webnn.store.memory import MemoryBlobs, MemoryCatalog

Weights = np.ndarray[Any, np.dtype[np.float32]]
SKEW = 5_000
FINAL = {"state": UpdateState.PENDING, "reason": None, "version": None, "staleness": None, "discount": None}


@dataclass
class Made:
    """A version: its weights, the steps behind them, what it holds, and what a buffer holds back."""

    weights: Weights
    steps: int
    held: list[MergedUpdate]
    buffer: Weights | float = 0.0
    waiting: int = 0


@dataclass
class Witness:
    """Everything that took effect."""

    rule: dict[str, Any]
    opened: dict[str, Update] = field(default_factory=dict)
    settled: dict[str, Update] = field(default_factory=dict)
    uploads: dict[str, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    entries: list[LedgerEntry] = field(default_factory=list)
    made: dict[int, Made] = field(default_factory=dict)
    commits: list[Commit] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    head: Head | None = None
    finished: set[str] = field(default_factory=set)  # what was settled while the run was
    may_go_on: bool = False  # the owner starts what was finished

    def began(self, head: Head, genesis: LedgerEntry) -> None:
        self.head, self.entries = head, [genesis]
        self.made[0] = Made(np.frombuffer(self.blobs[genesis.checkpoint_key], "<f4"), 0, [])

    def changed(self, head: Head) -> None:
        assert self.head is not None
        assert replace(head, status=self.head.status) == self.head
        assert self.may_go_on or self.head.status is not Status.FINISHED, "a finished run goes on"
        self.head = head

    def committed(self, commit: Commit) -> None:
        assert commit.base == self.head, "the head was moved from elsewhere"
        for update in commit.settled:
            self._settle(update)
        if commit.entry is None:
            assert commit.head == commit.base
            assert all(update.state is not UpdateState.MERGED for update in commit.settled)
        else:
            self._moved(commit, commit.entry)
        self.head = commit.head
        self.commits.append(commit)

    def _settle(self, update: Update) -> None:
        assert update.update_id not in self.settled, "settled twice"
        assert replace(update, **FINAL) == self.opened[update.update_id]
        assert update.state is not UpdateState.PENDING
        self.settled[update.update_id] = update
        if self.head is not None and self.head.status is Status.FINISHED:
            self.finished.add(update.update_id)

    def _moved(self, commit: Commit, entry: LedgerEntry) -> None:
        moved = entry.restores is not None or entry.without is not None
        base, head = commit.base, commit.head
        assert entry.from_version == base.version == self.entries[-1].version
        assert entry.version == head.version == base.version + (1 if moved else len(entry.updates)) > base.version
        assert entry.generation == head.generation == base.generation + moved
        assert entry.previous == base.entry_sha256 == digest(self.entries[-1])
        assert (head.checkpoint_key, head.sha256, head.steps) == (entry.checkpoint_key, entry.sha256, entry.steps)
        assert head.entry_sha256 == digest(entry)
        made = self._remade(entry) if moved else self._merged(commit, entry)
        self.entries.append(entry)
        self.made[entry.version] = made
        assert entry.steps == made.steps
        body = self.blobs.get(entry.checkpoint_key)
        assert body is not None, "the head names a checkpoint that is not there"
        assert hashlib.sha256(body).hexdigest() == entry.sha256
        assert body == made.weights.astype("<f4").tobytes(), "the weights are not what the updates give"
        self._check_state(entry, made)

    def _check_state(self, entry: LedgerEntry, made: Made) -> None:
        if self.rule["name"] != "fedbuff" or not entry.state_sha256:  # nothing was remembered yet, or is again
            assert (entry.state_sha256, made.waiting) == ("", 0)
            return
        body = self.blobs.get(keys.state(entry.checkpoint_key))
        assert body is not None, "the entry names a state that is not there"
        assert hashlib.sha256(body).hexdigest() == entry.state_sha256
        buffer = np.broadcast_to(np.float32(made.buffer), made.weights.shape)
        assert body == np.float64([made.waiting]).tobytes() + buffer.tobytes(), "the state is not what the updates give"

    def _merged(self, commit: Commit, entry: LedgerEntry) -> Made:
        assert commit.base.status is not Status.FINISHED
        merged = {u.update_id: u for u in commit.settled if u.state is UpdateState.MERGED}
        assert [line.update_id for line in entry.updates] == sorted(merged)
        before = self.made[entry.from_version]
        now = dataclasses.replace(before, held=list(before.held))
        for version, line in enumerate(entry.updates, entry.from_version + 1):
            update = merged[line.update_id]
            assert (update.version, update.staleness, update.discount) == (version, line.staleness, line.discount)
            assert (update.client_id, update.base_version) == (line.client_id, line.base_version)
            assert line.staleness == version - 1 - line.base_version >= 0
            assert update.generation == entry.generation
            self._fold(now, line)
        return now

    def _remade(self, entry: LedgerEntry) -> Made:
        assert entry.updates == ()
        if entry.restores is not None:
            return self.made[entry.restores]
        assert entry.without is not None
        held = self.made[entry.from_version].held
        now = Made(self.made[0].weights, 0, [])
        for line in held:
            if line.update_id not in entry.without.updates and line.client_id not in entry.without.clients:
                self._fold(now, line)
        assert len(now.held) < len(held)
        return now

    def _fold(self, now: Made, line: MergedUpdate) -> None:
        """With arithmetic of the test's own, one float32 operation after the other."""
        update = self.opened[line.update_id]
        base = self.made[line.base_version]
        delta = np.frombuffer(self.uploads[line.update_id][0][1], "<f4")
        steps = base.steps + update.local_steps
        if self.rule["name"] == "delta":
            now.weights = now.weights + delta * np.float32(self.rule.get("server_rate", 1.0) * line.discount)
        elif self.rule["name"] == "fedbuff":
            self._gather(now, delta, line.discount)
        else:
            share = 0.5 if self.rule["name"] == "average" else steps / (now.steps + steps)
            now.weights = now.weights + ((base.weights + delta) - now.weights) * np.float32(share)
        now.steps = max(now.steps, steps)
        now.held.append(line)

    def _gather(self, now: Made, delta: Weights, discount: float) -> None:
        now.buffer, now.waiting = now.buffer + delta * np.float32(discount), now.waiting + 1
        if now.waiting == self.rule["size"]:
            now.weights = now.weights + now.buffer * np.float32(1.0 / now.waiting)
            now.buffer, now.waiting = np.zeros_like(delta), 0

    def wrote(self, key: str, body: bytes) -> None:
        assert self.blobs.get(key, body) == body, "a blob was overwritten"
        self.blobs[key] = body

    def deleted(self, key: str) -> None:
        assert key.startswith("checkpoints/")
        assert key not in self._named(), "a checkpoint that a row names was deleted"
        self.blobs.pop(key, None)

    def observed(self, attempt: Attempt) -> None:
        if attempt.landed:
            assert attempt.commit in self.commits, "a commit was taken for landed that never did"

    def check_everything_is_settled(self) -> None:
        for update_id in self.opened:
            assert update_id in self.settled, "an update is left"
            self._check_reason(self.settled[update_id])

    def _check_reason(self, update: Update) -> None:
        uploads = self.uploads[update.update_id]
        good = bool(uploads) and is_good(uploads[0][1])
        if update.state is UpdateState.MERGED:
            assert good
        elif update.state is UpdateState.REJECTED:
            assert uploads
            assert not good, f"rejected though it is good: {update.reason}"
        elif update.reason == "never uploaded":
            assert all(when > update.expires_at + GRACE_MILLISECONDS - SKEW for when, _ in uploads), (
                "given up too early"
            )
        elif update.reason == "too stale":
            assert "cutoff" in str(self.rule)
        elif update.reason == "the run is finished":
            assert update.update_id in self.finished
        else:
            assert update.reason is not None
            assert update.reason.startswith("made against generation")
            assert self.head is not None
            assert update.generation < self.head.generation

    def orphans(self) -> list[str]:
        """Checkpoints that no row names or can come to name."""
        assert self.head is not None
        named = self._named()
        found = [key for key in self.blobs if key.startswith("checkpoints/") and key not in named]
        return [key for key in found if (keys.checkpoint_version(key) or 0) <= self.head.version]

    def _named(self) -> set[str]:
        """Blobs that rows name: checkpoints, and what lies beside them."""
        states = {keys.state(entry.checkpoint_key) for entry in self.entries if entry.state_sha256}
        return {entry.checkpoint_key for entry in self.entries} | states

    def waiting(self) -> list[str]:
        """Updates that are uploaded and not settled."""
        return [update_id for update_id in self.opened if self.uploads[update_id] and update_id not in self.settled]


class WitnessedCatalog(MemoryCatalog):
    """A catalog whose writes are witnessed."""

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self._witness = witness

    def create_run(self, run: Run, head: Head, genesis: LedgerEntry) -> None:
        super().create_run(run, head, genesis)
        self._witness.began(head, genesis)

    def set_status(self, head: Head, status: Status) -> None:
        super().set_status(head, status)
        self._witness.changed(self.head(head.run))

    def open_update(self, update: Update) -> None:
        super().open_update(update)
        self._witness.opened[update.update_id] = update

    def commit(self, commit: Commit) -> None:
        super().commit(commit)
        self._witness.committed(commit)


class WitnessedBlobs(MemoryBlobs):
    """Blobs whose writes are witnessed."""

    def __init__(self, witness: Witness, clock: Any) -> None:
        super().__init__(clock)
        self._witness = witness

    def _write(self, key: str, body: bytes) -> None:
        self._witness.wrote(key, bytes(body))
        super()._write(key, body)
        if found := keys.parse_update(key):
            self._witness.uploads[found[1]].append((self._clock(), bytes(body)))

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._witness.deleted(key)
        super().delete(keys)


def is_good(body: bytes) -> bool:
    delta = np.frombuffer(body, "<f4").astype(np.float64)
    return bool(np.isfinite(delta).all() and np.linalg.norm(delta) <= 1e6)
