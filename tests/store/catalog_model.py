"""What a catalog promises, in plain dictionaries: what the state machine holds every adapter against.

Not `webnn.store.memory`, which is one of the adapters. A new method of the port takes a method here and a rule.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from webnn.core.records import (
    Client,
    Commit,
    Evaluation,
    EvaluationLease,
    Exchange,
    Failure,
    Head,
    LedgerEntry,
    MergeLease,
    Offer,
    Run,
    Status,
    SweepMark,
    Update,
    UpdateState,
)
from webnn.errors import Conflict, Missing


@dataclass
class Rows:
    """What is known of one run."""

    run: Run
    head: Head
    ledger: dict[int, LedgerEntry]
    updates: dict[str, Update] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    evaluations: dict[int, Evaluation] = field(default_factory=dict)
    lease: EvaluationLease | None = None
    turn: MergeLease | None = None
    mark: SweepMark | None = None
    offers: dict[str, Offer] = field(default_factory=dict)
    last: dict[str, Offer] = field(default_factory=dict)
    exchanges: dict[str, Exchange] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)


class Model:
    """The port's methods, for the runs of one example. `runs` and `run_names` are of the whole table: see the rules."""

    def __init__(self) -> None:
        self.started: dict[str, Rows] = {}
        self.delisted: set[str] = set()
        self.gone: dict[str, int] = {}

    def create_run(self, run: Run, head: Head, genesis: LedgerEntry) -> None:
        _refuse(run.run in self.started or head.generation != self.next_generation(run.run))
        self.started[run.run] = Rows(run, head, {genesis.version: genesis})

    def run(self, run: str) -> Run:
        return self._rows(run).run

    def head(self, run: str) -> Head:
        return self._rows(run).head

    def set_status(self, head: Head, status: Status) -> None:
        _refuse(head.run not in self.started)
        now = self.head(head.run)
        _refuse((now.status, now.generation) != (head.status, head.generation))
        rows = self._rows(head.run)
        rows.head = replace(rows.head, status=status)

    def ledger_entry(self, run: str, version: int) -> LedgerEntry:
        return _found(self._rows(run).ledger, version)

    def ledger(self, run: str, after: int, limit: int) -> list[LedgerEntry]:
        return _page(self._rows(run).ledger, after, limit) if run in self.started else []

    def open_update(self, update: Update) -> None:
        _write_once(self._rows(update.run).updates, update.update_id, update)

    def update(self, run: str, update_id: str) -> Update:
        return _found(self._rows(run).updates, update_id)

    def pending(self, run: str, limit: int, after: str = "") -> list[Update]:
        if run not in self.started:
            return []
        updates = self._rows(run).updates
        return _page({key: u for key, u in updates.items() if u.state is UpdateState.PENDING}, after, limit)

    def commit(self, commit: Commit) -> None:
        run, entry = commit.base.run, commit.entry
        _refuse(run not in self.started or self.head(run) != commit.base)
        waiting = {update.update_id for update in self.pending(run, 10**6)}
        _refuse(any(update.update_id not in waiting for update in commit.settled))
        rows = self._rows(run)
        _refuse(entry is not None and entry.version in rows.ledger)
        rows.head = commit.head
        rows.updates |= {update.update_id: update for update in commit.settled}
        rows.ledger |= {entry.version: entry} if entry else {}

    def join(self, client: Client) -> None:
        _write_once(self._rows(client.run).clients, client.client_id, client)

    def touch(self, run: str, client_id: str, now: int) -> Client:
        clients = self._rows(run).clients
        before = _found(clients, client_id)
        clients[client_id] = replace(before, seen_at=now, tasks=before.tasks + 1)
        return clients[client_id]

    def active_clients(self, run: str, since: int) -> int:
        return len([c for c in self._rows(run).clients.values() if c.seen_at >= since]) if run in self.started else 0

    def evaluation_lease(self, run: str) -> EvaluationLease | None:
        return self._rows(run).lease if run in self.started else None

    def claim_evaluation(self, lease: EvaluationLease, previous: EvaluationLease | None) -> None:
        rows = self._rows(lease.run)
        _refuse(rows.lease not in (previous, lease))
        rows.lease = lease

    def offers(self, run: str, limit: int) -> list[Offer]:
        left = self._rows(run).offers
        return [left[update_id] for update_id in sorted(left, reverse=True)][:limit]

    def last_offer(self, run: str, client_id: str) -> Offer | None:
        return self._rows(run).last.get(client_id)

    def exchange(self, run: str, update_id: str) -> Exchange:
        return _found(self._rows(run).exchanges, update_id)

    def swap(self, exchange: Exchange, taken: Offer | None, previous: Offer | None) -> None:
        rows, mine = self._rows(exchange.run), Offer(exchange.run, exchange.update_id, exchange.client_id)
        _refuse(mine.update_id in rows.exchanges)
        _refuse(taken is not None and taken.update_id not in rows.offers)
        _refuse(rows.last.get(mine.client_id) != previous)
        for gone in (taken, previous):
            rows.offers.pop(gone.update_id if gone else "", None)
        rows.exchanges[mine.update_id] = exchange
        rows.offers[mine.update_id] = rows.last[mine.client_id] = mine

    def merge_lease(self, run: str) -> MergeLease | None:
        return self._rows(run).turn

    def claim_merging(self, turn: MergeLease, previous: MergeLease | None) -> None:
        rows = self._rows(turn.run)
        _refuse(rows.turn not in (previous, turn))
        rows.turn = turn

    def sweep_mark(self, run: str) -> SweepMark:
        return self._rows(run).mark or SweepMark(run)

    def set_sweep_mark(self, mark: SweepMark) -> None:
        self._rows(mark.run).mark = mark

    def pending_count(self, run: str, limit: int) -> int:
        return len(self.pending(run, limit))

    def record_evaluation(self, evaluation: Evaluation) -> None:
        _write_once(self._rows(evaluation.run).evaluations, evaluation.version, evaluation)

    def evaluations(self, run: str, after: int, limit: int) -> list[Evaluation]:
        return _page(self._rows(run).evaluations, after, limit) if run in self.started else []

    def latest_evaluation(self, run: str) -> Evaluation | None:
        found = self.evaluations(run, -1, 10**6)
        return found[-1] if found else None

    def next_generation(self, run: str) -> int:
        return self.gone.get(run, 0)

    def delist(self, run: str) -> None:
        self.delisted.add(run)

    def record_failure(self, failure: Failure) -> None:
        self._rows(failure.run).failures[failure.client_id] = failure

    def failures(self, run: str, limit: int) -> list[Failure]:
        reported = self._rows(run).failures
        return [reported[client_id] for client_id in sorted(reported, reverse=True)][:limit]

    def delete_rows(self, run: str, limit: int) -> int:
        """Of a run with no more rows than that, so that it does not matter which go first."""
        rows = self._rows(run)
        single = (rows.lease, rows.turn, rows.mark)
        peers = (rows.offers, rows.last, rows.exchanges)
        many = (rows.ledger, rows.updates, rows.clients, rows.evaluations, rows.failures, *peers)
        count = sum(one is not None for one in single) + sum(map(len, many))
        assert count <= limit
        self.started[run] = Rows(rows.run, rows.head, {})
        return count

    def delete_run(self, run: str, generation: int) -> None:
        head = self.started[run].head if run in self.started else None
        _refuse(head is not None and (head.status is not Status.FINISHED or head.generation >= generation))
        self.started.pop(run, None)
        self.delisted.discard(run)
        self.gone[run] = generation

    def _rows(self, run: str) -> Rows:
        return _found(self.started, run)


def outcome(ask: Callable[[], Any]) -> Any:
    """What came of a call: its result, or which refusal. Any other error is nothing that the port promises here."""
    try:
        return ask()
    except (Conflict, Missing) as refusal:
        return type(refusal)


def _refuse(refused: bool) -> None:
    if refused:
        raise Conflict("refused")


def _found(rows: dict[Any, Any], key: Any) -> Any:
    if key not in rows:
        raise Missing("nothing there")
    return rows[key]


def _page(rows: dict[Any, Any], after: Any, limit: int) -> list[Any]:
    return [rows[key] for key in sorted(rows) if key > after][:limit]


def _write_once(rows: dict[Any, Any], key: Any, row: Any) -> None:
    """The very same row again is harmless: a client repeats what was not answered."""
    _refuse(rows.get(key, row) != row)
    rows[key] = row
