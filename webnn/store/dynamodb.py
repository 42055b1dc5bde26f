"""`Catalog` on DynamoDB, one table. Reads are consistent; a write is one request or one transaction."""

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

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
from webnn.errors import Conflict, Missing
from webnn.store import records_in_rows as shape
from webnn.store.answers import answers, unless
from webnn.store.dynamodb_failures import DynamoFailures
from webnn.store.dynamodb_peers import DynamoPeers
from webnn.store.dynamodb_removal import DynamoRemoval
from webnn.store.ports import LISTS_RUNS, LISTS_VERSIONS
from webnn.store.rows import ALL_RUNS, GoneRow, HeadRow, LedgerRow, Rows, UpdateRow


class DynamoCatalog(DynamoPeers, DynamoFailures, DynamoRemoval):
    """The catalog of a stage."""

    def __init__(self, rows: Rows) -> None:
        """Takes the models bound to the stage's table."""
        self._rows = rows
        self._connection = rows.connection

    def create_run(self, run: Run, head: Head, genesis: LedgerEntry) -> None:
        """See `Runs.create_run`."""
        rows, attributes = self._rows, shape.run_attributes(run)
        listed = rows.run(ALL_RUNS, f"run#{run.created_at:013d}#{run.run}", **attributes)
        taken = f"the name {run.run!r} is taken, or was until a moment ago"
        with answers(taken), TransactWrite(connection=self._connection) as transaction:
            transaction.save(rows.run(run.run, shape.RUN, **attributes), rows.run.item.does_not_exist())
            transaction.save(rows.head(item=shape.HEAD, **shape.attributes(head)), rows.head.item.does_not_exist())
            transaction.save(self._ledger_row(genesis), rows.ledger.item.does_not_exist())
            transaction.save(listed)
            if head.generation:
                transaction.condition_check(rows.gone, run.run, shape.GONE, GoneRow.generation == head.generation)
            else:
                transaction.condition_check(rows.gone, run.run, shape.GONE, rows.gone.item.does_not_exist())

    def runs(self) -> list[Run]:
        """See `Runs.runs`."""
        model = self._rows.run
        with answers("list the runs"):
            found = model.query(
                ALL_RUNS,
                model.item.startswith("run#"),
                scan_index_forward=False,
                consistent_read=True,
                limit=100,
            )
            return [shape.run_of(row) for row in found]

    def run_names(self, limit: int, after: str = "") -> list[tuple[str, str]]:
        """See `Runs.run_names`."""
        model = self._rows.run
        above = model.item.between(after + "\0" if after else "run#", "run#~")
        with answers("list the names of the runs"):
            # Only keys are read: a row that is damaged otherwise keeps nobody from sweeping.
            found = model.query(ALL_RUNS, above, consistent_read=True, limit=limit, attributes_to_get=["item"])
            return [(row.item, row.item.rpartition("#")[2]) for row in found]

    def run(self, run: str) -> Run:
        """See `Runs.run`."""
        with answers(f"no run {run!r}", LISTS_RUNS):
            return shape.run_of(self._rows.run.get(run, shape.RUN, consistent_read=True))

    def head(self, run: str) -> Head:
        """See `Runs.head`."""
        with answers(f"no run {run!r}", LISTS_RUNS):
            return shape.record(Head, self._rows.head.get(run, shape.HEAD, consistent_read=True))

    def set_status(self, head: Head, status: Status) -> None:
        """See `Runs.set_status`."""
        row = self._rows.head(head.run, shape.HEAD)
        same = (HeadRow.status == str(head.status)) & (HeadRow.generation == head.generation)
        with answers(f"run {head.run!r} is no longer {head.status} in generation {head.generation}"):
            row.update([HeadRow.status.set(str(status))], same)

    def ledger_entry(self, run: str, version: int) -> LedgerEntry:
        """See `Runs.ledger_entry`."""
        with answers(f"no commit made version {version}", LISTS_VERSIONS):
            row = self._rows.ledger.get(run, shape.ledger_item(version), consistent_read=True)
            return shape.record(LedgerEntry, row)

    def ledger(self, run: str, after: int, limit: int) -> list[LedgerEntry]:
        """See `Runs.ledger`."""
        model = self._rows.ledger
        above = model.item.between(shape.ledger_item(after + 1), "ledger#~")
        with answers("read the ledger"):
            found = model.query(run, above, consistent_read=True, limit=limit)
            return [shape.record(LedgerEntry, row) for row in found]

    def open_update(self, update: Update) -> None:
        """See `Updates.open_update`."""
        model = self._rows.update
        row = model(item=shape.update_item(update.update_id), **shape.update_attributes(update))
        with (
            unless(lambda: self.update(update.run, update.update_id) == update),
            answers(f"update {update.update_id} exists"),
        ):
            row.save(model.item.does_not_exist())

    def update(self, run: str, update_id: str) -> Update:
        """See `Updates.update`."""
        with answers(f"no update {update_id!r}"):
            row = self._rows.update.get(run, shape.update_item(update_id), consistent_read=True)
            return shape.record(Update, row)

    def pending(self, run: str, limit: int, after: str = "") -> list[Update]:
        """See `Updates.pending`."""
        above = self._rows.update.pending > after if after else None
        with answers("read the pending updates"):
            found = self._rows.pending.query(run, above, consistent_read=True, limit=limit)
            return [shape.record(Update, row) for row in found]

    def pending_count(self, run: str, limit: int) -> int:
        """See `Updates.pending_count`."""
        with answers("count the pending updates"):
            # Not Select=COUNT: PynamoDB's count takes a limit for the size of its pages and counts all.
            found = self._rows.pending.query(run, consistent_read=True, limit=limit, attributes_to_get=["update_id"])
            return sum(1 for _ in found)

    def commit(self, commit: Commit) -> None:
        """See `Updates.commit`."""
        token = commit.entry.attempt if commit.entry else None
        with (
            answers(f"run {commit.base.run!r} moved on from version {commit.base.version}"),
            TransactWrite(connection=self._connection, client_request_token=token) as transaction,
        ):
            self._move_head(transaction, commit)
            for update in commit.settled:
                self._settle(transaction, update)
            if commit.entry is not None:
                row = self._ledger_row(commit.entry)
                transaction.save(row, self._rows.ledger.item.does_not_exist())

    def _move_head(self, transaction: TransactWrite, commit: Commit) -> None:
        row, still_there = self._rows.head(commit.base.run, shape.HEAD), _is(commit.base)
        if commit.head == commit.base:
            transaction.condition_check(self._rows.head, commit.base.run, shape.HEAD, still_there)
            return
        moved = (
            HeadRow.version.set(commit.head.version),
            HeadRow.steps.set(commit.head.steps),
            HeadRow.generation.set(commit.head.generation),
            HeadRow.checkpoint_key.set(commit.head.checkpoint_key),
            HeadRow.sha256.set(commit.head.sha256),
            HeadRow.bytes.set(commit.head.bytes),
            HeadRow.entry_sha256.set(commit.head.entry_sha256),
        )
        transaction.update(row, list(moved), still_there)

    def _settle(self, transaction: TransactWrite, update: Update) -> None:
        actions: list[Action] = [UpdateRow.state.set(str(update.state)), UpdateRow.pending.remove()]
        if update.reason is not None:
            actions.append(UpdateRow.reason.set(update.reason))
        if update.version is not None:
            actions.append(UpdateRow.version.set(update.version))
        if update.staleness is not None:
            actions.append(UpdateRow.staleness.set(update.staleness))
        if update.discount is not None:
            actions.append(UpdateRow.discount.set(update.discount))
        row = self._rows.update(update.run, shape.update_item(update.update_id))
        transaction.update(row, actions, UpdateRow.state == str(UpdateState.PENDING))

    def merge_lease(self, run: str) -> MergeLease | None:
        """See `Turns.merge_lease`."""
        try:
            with answers("no turn"):
                return shape.record(MergeLease, self._rows.turn.get(run, shape.TURN, consistent_read=True))
        except Missing:
            return None

    def claim_merging(self, lease: MergeLease, previous: MergeLease | None) -> None:
        """See `Turns.claim_merging`."""
        model = self._rows.turn
        there = model.item.does_not_exist()
        if previous is not None:
            there = (model.holder == previous.holder) & (model.expires_at == previous.expires_at)
            there &= (model.again == previous.again) & (model.passed == previous.passed)
        with unless(lambda: self.merge_lease(lease.run) == lease), answers("another merger is at it"):
            model(item=shape.TURN, **shape.attributes(lease)).save(there)

    def sweep_mark(self, run: str) -> SweepMark:
        """See `Turns.sweep_mark`."""
        try:
            with answers("no mark"):
                return shape.record(SweepMark, self._rows.mark.get(run, shape.MARK, consistent_read=True))
        except Missing:
            return SweepMark(run)

    def set_sweep_mark(self, mark: SweepMark) -> None:
        """See `Turns.set_sweep_mark`."""
        with answers("note the sweep"):
            self._rows.mark(item=shape.MARK, **shape.attributes(mark)).save()

    def join(self, client: Client) -> None:
        """See `Clients.join`."""
        model = self._rows.client
        item = shape.client_item(client.client_id)
        row = model(item=item, **shape.attributes(client))
        with (
            unless(lambda: shape.record(Client, model.get(client.run, item, consistent_read=True)) == client),
            answers(f"client {client.client_id} exists"),
        ):
            row.save(model.item.does_not_exist())

    def touch(self, run: str, client_id: str, now: int) -> Client:
        """See `Clients.touch`."""
        model = self._rows.client
        row = model(run, shape.client_item(client_id))
        try:
            with answers("touch the client"):
                row.update([model.seen_at.set(now), model.tasks.add(1)], model.item.exists())
        except Conflict as error:
            raise Missing(f"no client {client_id!r}") from error
        return shape.record(Client, row)

    def active_clients(self, run: str, since: int) -> int:
        """See `Clients.active_clients`."""
        with answers("count the clients"):
            return int(self._rows.seen.count(run, self._rows.client.seen_at >= since, consistent_read=True))

    def evaluation_lease(self, run: str) -> EvaluationLease | None:
        """See `Evaluations.evaluation_lease`."""
        try:
            with answers("no lease"):
                return shape.record(EvaluationLease, self._rows.lease.get(run, shape.LEASE, consistent_read=True))
        except Missing:
            return None

    def claim_evaluation(self, lease: EvaluationLease, previous: EvaluationLease | None) -> None:
        """See `Evaluations.claim_evaluation`."""
        model = self._rows.lease
        newest = model.item.does_not_exist() if previous is None else model.evaluation_id == previous.evaluation_id
        with unless(lambda: self.evaluation_lease(lease.run) == lease), answers("another client evaluates"):
            model(item=shape.LEASE, **shape.attributes(lease)).save(newest)

    def record_evaluation(self, evaluation: Evaluation) -> None:
        """See `Evaluations.record_evaluation`."""
        model = self._rows.evaluation
        row = model(item=shape.evaluation_item(evaluation.version), **shape.attributes(evaluation))
        with (
            unless(lambda: self.evaluations(evaluation.run, evaluation.version - 1, 1) == [evaluation]),
            answers(f"version {evaluation.version} has an evaluation"),
        ):
            row.save(model.item.does_not_exist())

    def evaluations(self, run: str, after: int, limit: int) -> list[Evaluation]:
        """See `Evaluations.evaluations`."""
        model = self._rows.evaluation
        above = model.item.between(shape.evaluation_item(after + 1), "evaluation#~")
        with answers("read the evaluations"):
            found = model.query(run, above, consistent_read=True, limit=limit)
            return [shape.record(Evaluation, row) for row in found]

    def latest_evaluation(self, run: str) -> Evaluation | None:
        """See `Evaluations.latest_evaluation`."""
        model = self._rows.evaluation
        with answers("read the newest evaluation"):
            found = model.query(
                run,
                model.item.startswith("evaluation#"),
                scan_index_forward=False,
                consistent_read=True,
                limit=1,
            )
            return next((shape.record(Evaluation, row) for row in found), None)

    def _ledger_row(self, entry: LedgerEntry) -> LedgerRow:
        return self._rows.ledger(item=shape.ledger_item(entry.version), **shape.attributes(entry))


def _is(head: Head) -> Condition:
    """The condition that the head is still this one. The version alone decides; the others cannot differ unseen."""
    condition: Condition = HeadRow.version == head.version
    condition &= HeadRow.generation == head.generation
    condition &= HeadRow.status == str(head.status)
    return condition
