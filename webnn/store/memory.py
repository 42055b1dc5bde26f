"""Both ports in memory: the reference that the other adapters are held against.

Safe to use from threads. Download URLs and upload tickets are `memory:` URLs that only `fetch` and `upload`
here understand.
"""

import hashlib
from collections.abc import Callable, Sequence
from heapq import nsmallest
from threading import RLock
from typing import Any, TypeVar

from msgspec.structs import replace

from webnn.core.records import (
    Client,
    Commit,
    Evaluation,
    EvaluationLease,
    Head,
    LedgerEntry,
    MergeLease,
    Run,
    Status,
    SweepMark,
    Update,
    UpdateState,
)
from webnn.errors import Conflict, Invalid, Missing
from webnn.store.memory_failures import MemoryFailures
from webnn.store.ports import LISTS_RUNS, LISTS_VERSIONS, Blob, UploadTicket

T = TypeVar("T")


class MemoryBlobs:
    """`Blobs` in a dictionary. Takes a clock (milliseconds since 1970) for when blobs were written."""

    def __init__(self, clock: Callable[[], int] = lambda: 0) -> None:
        self._blobs: dict[str, bytes] = {}
        self._written_at: dict[str, int] = {}
        self._clock = clock
        self._lock = RLock()

    def create(self, key: str, body: bytes) -> None:
        """See `Blobs.create`."""
        with self._lock:
            if key in self._blobs:
                raise Conflict(f"{key} is taken", key=key)
            self._write(key, body)

    def listed(self, prefix: str, after: str, limit: int) -> list[Blob]:
        """See `Blobs.listed`."""
        with self._lock:
            found = sorted(key for key in self._blobs if key.startswith(prefix) and key > after)[:limit]
            return [Blob(key, len(self._blobs[key]), self._written_at.get(key, 0)) for key in found]

    def delete(self, keys: Sequence[str]) -> None:
        """See `Blobs.delete`."""
        with self._lock:
            for key in keys:
                self._blobs.pop(key, None)

    def get(self, key: str) -> bytes:
        """See `Blobs.get`."""
        with self._lock:
            if key not in self._blobs:
                raise Missing(f"no blob {key}", key=key)
            return self._blobs[key]

    def download_url(self, key: str, expires_in: int) -> str:
        """See `Blobs.download_url`; the URL does not expire."""
        return f"memory:{key}"

    def upload_ticket(self, key: str, size: int, sha256: str, expires_in: int) -> UploadTicket:
        """See `Blobs.upload_ticket`; the ticket does not expire."""
        return UploadTicket(f"memory:{key}", {"size": str(size), "sha256": sha256})

    def fetch(self, url: str) -> bytes:
        """What a client's GET of a download URL gives. Raises Missing."""
        return self.get(url.removeprefix("memory:"))

    def upload(self, ticket: UploadTicket, body: bytes) -> None:
        """What a client's POST with a ticket does. Raises Invalid for a body that the ticket is not for."""
        if len(body) != int(ticket.fields["size"]):
            raise Invalid("the body has another size than the ticket")
        if hashlib.sha256(body).hexdigest() != ticket.fields["sha256"]:
            raise Invalid("the body has another hash than the ticket")
        with self._lock:
            self._write(ticket.url.removeprefix("memory:"), body)

    def _write(self, key: str, body: bytes) -> None:
        self._blobs[key] = bytes(body)
        self._written_at[key] = self._clock()


class MemoryCatalog(MemoryFailures):
    """`Catalog` in dictionaries, under one lock."""

    def __init__(self) -> None:
        super().__init__()
        self._ledger: dict[tuple[str, int], LedgerEntry] = {}
        self._updates: dict[tuple[str, str], Update] = {}
        self._waiting: dict[str, dict[str, Update]] = {}  # the pending ones, by run and id
        self._clients: dict[tuple[str, str], Client] = {}
        self._leases: dict[str, EvaluationLease] = {}
        self._turns: dict[str, MergeLease] = {}
        self._marks: dict[str, SweepMark] = {}
        self._evaluations: dict[tuple[str, int], Evaluation] = {}

    def _tables(self) -> Sequence[dict[Any, Any]]:
        others = (self._ledger, self._updates, self._clients, self._leases, self._turns, self._marks, self._evaluations)
        return *others, *super()._tables()

    def delete_rows(self, run: str, limit: int) -> int:
        """See `Removal.delete_rows`."""
        with self._lock:
            deleted = super().delete_rows(run, limit)
            waiting = self._waiting.pop(run, {})
            self._waiting[run] = {each: u for each, u in waiting.items() if (run, each) in self._updates}
        return deleted

    def create_run(self, run: Run, head: Head, genesis: LedgerEntry) -> None:
        """See `Runs.create_run`."""
        with self._lock:
            if run.run in self._runs or head.generation != self.next_generation(run.run):
                raise Conflict(f"run {run.run!r} exists, or did a moment ago", run=run.run)
            self._runs[run.run] = self._listed[run.run] = run
            self._heads[run.run] = head
            self._ledger[run.run, genesis.version] = genesis

    def runs(self) -> list[Run]:
        """See `Runs.runs`."""
        with self._lock:
            newest = sorted(self._listed.values(), key=lambda run: (-run.created_at, run.run))
            return newest[:100]

    def run_names(self, limit: int, after: str = "") -> list[tuple[str, str]]:
        """See `Runs.run_names`."""
        with self._lock:
            return [(name, name) for name in sorted(self._listed) if name > after][:limit]

    def run(self, run: str) -> Run:
        """See `Runs.run`."""
        with self._lock:
            return _found(self._runs.get(run), f"no run {run!r}", LISTS_RUNS)

    def head(self, run: str) -> Head:
        """See `Runs.head`."""
        with self._lock:
            return _found(self._heads.get(run), f"no run {run!r}", LISTS_RUNS)

    def set_status(self, head: Head, status: Status) -> None:
        """See `Runs.set_status`."""
        with self._lock:
            current = self._heads.get(head.run)
            if current is None or (current.status, current.generation) != (head.status, head.generation):
                raise Conflict(f"run {head.run!r} is no longer {head.status} in generation {head.generation}")
            self._heads[head.run] = replace(current, status=status)

    def ledger_entry(self, run: str, version: int) -> LedgerEntry:
        """See `Runs.ledger_entry`."""
        with self._lock:
            return _found(self._ledger.get((run, version)), f"no commit made version {version}", LISTS_VERSIONS)

    def ledger(self, run: str, after: int, limit: int) -> list[LedgerEntry]:
        """See `Runs.ledger`."""
        with self._lock:
            entries = [e for (name, version), e in self._ledger.items() if name == run and version > after]
        return sorted(entries, key=lambda entry: entry.version)[:limit]

    def open_update(self, update: Update) -> None:
        """See `Updates.open_update`."""
        with self._lock:
            if self._updates.setdefault((update.run, update.update_id), update) != update:
                raise Conflict(f"update {update.update_id} exists")
            self._waiting.setdefault(update.run, {})[update.update_id] = update

    def update(self, run: str, update_id: str) -> Update:
        """See `Updates.update`."""
        with self._lock:
            return _found(self._updates.get((run, update_id)), f"no update {update_id!r}")

    def pending(self, run: str, limit: int, after: str = "") -> list[Update]:
        """See `Updates.pending`."""
        with self._lock:
            waiting = self._waiting.get(run, {})
            return [waiting[found] for found in nsmallest(limit, (each for each in waiting if each > after))]

    def pending_count(self, run: str, limit: int) -> int:
        """See `Updates.pending_count`."""
        with self._lock:
            return min(limit, len(self._waiting.get(run, {})))

    def commit(self, commit: Commit) -> None:
        """See `Updates.commit`."""
        with self._lock:
            self._check(commit)
            self._heads[commit.head.run] = commit.head
            for update in commit.settled:
                self._updates[update.run, update.update_id] = update
                self._waiting[update.run].pop(update.update_id, None)
            if commit.entry is not None:
                self._ledger[commit.entry.run, commit.entry.version] = commit.entry

    def _check(self, commit: Commit) -> None:
        if self._heads.get(commit.base.run) != commit.base:
            raise Conflict(f"run {commit.base.run!r} is no longer at version {commit.base.version}")
        for update in commit.settled:
            held = self._updates.get((update.run, update.update_id))
            if held is None or held.state is not UpdateState.PENDING:
                raise Conflict(f"update {update.update_id} is no longer pending")
        if commit.entry is not None and (commit.entry.run, commit.entry.version) in self._ledger:
            raise Conflict(f"version {commit.entry.version} is in the ledger")

    def merge_lease(self, run: str) -> MergeLease | None:
        """See `Turns.merge_lease`."""
        with self._lock:
            return self._turns.get(run)

    def claim_merging(self, lease: MergeLease, previous: MergeLease | None) -> None:
        """See `Turns.claim_merging`."""
        with self._lock:
            if self._turns.get(lease.run) not in (previous, lease):
                raise Conflict("another merger is at it")
            self._turns[lease.run] = lease

    def sweep_mark(self, run: str) -> SweepMark:
        """See `Turns.sweep_mark`."""
        with self._lock:
            return self._marks.get(run, SweepMark(run))

    def set_sweep_mark(self, mark: SweepMark) -> None:
        """See `Turns.set_sweep_mark`."""
        with self._lock:
            self._marks[mark.run] = mark

    def join(self, client: Client) -> None:
        """See `Clients.join`."""
        with self._lock:
            if self._clients.setdefault((client.run, client.client_id), client) != client:
                raise Conflict(f"client {client.client_id} exists")

    def touch(self, run: str, client_id: str, now: int) -> Client:
        """See `Clients.touch`."""
        with self._lock:
            client = _found(self._clients.get((run, client_id)), f"no client {client_id!r}")
            client = replace(client, seen_at=now, tasks=client.tasks + 1)
            self._clients[run, client_id] = client
            return client

    def active_clients(self, run: str, since: int) -> int:
        """See `Clients.active_clients`."""
        with self._lock:
            return sum(name == run and c.seen_at >= since for (name, _), c in self._clients.items())

    def evaluation_lease(self, run: str) -> EvaluationLease | None:
        """See `Evaluations.evaluation_lease`."""
        with self._lock:
            return self._leases.get(run)

    def claim_evaluation(self, lease: EvaluationLease, previous: EvaluationLease | None) -> None:
        """See `Evaluations.claim_evaluation`."""
        with self._lock:
            if self._leases.get(lease.run) not in (previous, lease):
                raise Conflict("another client evaluates")
            self._leases[lease.run] = lease

    def record_evaluation(self, evaluation: Evaluation) -> None:
        """See `Evaluations.record_evaluation`."""
        with self._lock:
            key = evaluation.run, evaluation.version
            if self._evaluations.get(key, evaluation) != evaluation:
                raise Conflict(f"version {evaluation.version} has an evaluation")
            self._evaluations[key] = evaluation

    def evaluations(self, run: str, after: int, limit: int) -> list[Evaluation]:
        """See `Evaluations.evaluations`."""
        with self._lock:
            found = [e for (name, version), e in self._evaluations.items() if name == run and version > after]
        return sorted(found, key=lambda evaluation: evaluation.version)[:limit]

    def latest_evaluation(self, run: str) -> Evaluation | None:
        """See `Evaluations.latest_evaluation`."""
        found = self.evaluations(run, -1, len(self._evaluations))
        return found[-1] if found else None


def _found(value: T | None, message: str, advice: str = "") -> T:
    if value is None:
        raise Missing(message, advice=advice)
    return value
