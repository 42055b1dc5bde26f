"""Joining a run, and what a client is to do next."""

import zlib
from collections.abc import Callable

from msgspec import Struct

from webnn.backlog import Backlog
from webnn.core.ledger import head_after
from webnn.core.records import Client, EvaluationLease, Head, LedgerEntry, Run, Status
from webnn.core.rules import Copy
from webnn.core.spec import Shard, Spec
from webnn.ending import Ending
from webnn.errors import Conflict, Missing, Unauthorized
from webnn.observe import Changed, unwatched
from webnn.specs import Specs
from webnn.store.ports import Catalog
from webnn.tokens import Member

WAIT_PAUSED_SECONDS = 10.0
BUSY = "updates are waiting to be merged"
MOST_OFFSET = 2**31  # exact wherever numbers are floats


class Train(Struct, frozen=True):
    """Train from the head on a part of a shard.

    Attributes:
        shard: None where every client trains on data of its own.
        offset: Where in the shuffled shard, or data of its own, to begin.
        seed: Of the shuffle, 32 bits.
        genesis: The run's first version, which updates of peers stand on; None where the server merges alone.
        validation: What the client is to validate its weights on; None where nothing goes by that.
    """

    run: Run
    head: Head
    spec: Spec
    shard: Shard | None
    offset: int
    seed: int
    genesis: LedgerEntry | None = None
    validation: Shard | None = None


class Evaluate(Struct, frozen=True):
    """Evaluate a version on the whole validation set.

    Attributes:
        head: Of that version.
        seconds: For how long nobody else is asked.
    """

    run: Run
    head: Head
    spec: Spec
    lease: EvaluationLease
    seconds: int


class Wait(Struct, frozen=True):
    """Ask again later."""

    seconds: float
    reason: str


class Stop(Struct, frozen=True):
    """The run is over."""

    reason: str


Task = Train | Evaluate | Wait | Stop


class Coordinator:
    """Lets clients join and tells them what to do."""

    def __init__(
        self,
        catalog: Catalog,
        specs: Specs,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        changed: Changed = unwatched,
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970), a source of ids that never repeat, and whom to tell."""
        self._catalog = catalog
        self._specs = specs
        self._clock = clock
        self._new_id = new_id
        self._changed = changed
        self._backlog = Backlog(catalog, clock)
        self._ending = Ending(catalog, clock)

    def join(self, run: str) -> Member:
        """Makes a new client of the run. Raises Missing."""
        self._catalog.run(run)
        now = self._clock()
        client = Client(run, self._new_id(), joined_at=now, seen_at=now)
        self._catalog.join(client)
        return Member(run, client.client_id)

    def next_task(self, member: Member) -> Task:
        """What this client is to do next.

        Raises:
            Missing: No such run.
            Unauthorized: The client is not (or no longer) known; it should join again.
            Unavailable: The run's time is up, and it is too busy to be finished at this moment.
        """
        if seconds := self._backlog.known(member.run, member.client_id):
            return Wait(seconds, BUSY)  # without a row read or written: see `webnn.backlog`
        run = self._catalog.run(member.run)
        head = self._catalog.head(member.run)
        client = self._touched(member)
        if head.status is Status.FINISHED:
            return Stop("the run is finished")
        if head.status is Status.PAUSED:
            return Wait(WAIT_PAUSED_SECONDS, "the run is paused")
        spec = self._specs.of(member.run)
        if self._ending.time_is_up(spec, member.run):
            self._ending.finish(member.run, head.generation)
            self._changed(member.run)
            return Stop("the run's time is up")
        return self._evaluation(run, head, spec, member) or self._training(run, head, spec, client)

    def _touched(self, member: Member) -> Client:
        try:
            return self._catalog.touch(member.run, member.client_id, self._clock())
        except Missing as error:
            raise Unauthorized("this client is not known; join again") from error

    def _evaluation(self, run: Run, head: Head, spec: Spec, member: Member) -> Evaluate | None:
        """An evaluation, if one is due and nobody is at it, or the one that this client was asked for before."""
        previous = self._catalog.evaluation_lease(head.run)
        now = self._clock()
        if previous is not None and self._is_awaited(previous, head, member, now):
            seconds = max(1, (previous.expires_at - now) // 1000)
            return Evaluate(run, self._head_of(head, previous.version), spec, previous, seconds)
        if not _evaluation_due(self._catalog, spec, head, previous, now):
            return None
        expires_at = now + spec.validation.patience_seconds * 1000
        lease = EvaluationLease(head.run, self._new_id(), member.client_id, head.version, expires_at, head.generation)
        try:
            self._catalog.claim_evaluation(lease, previous)
        except Conflict:
            return None
        return Evaluate(run, head, spec, lease, spec.validation.patience_seconds)

    def _is_awaited(self, lease: EvaluationLease, head: Head, member: Member, now: int) -> bool:
        """Whether this client has still to answer it: it reloaded, or our answer was lost on the way."""
        ours = lease.client_id == member.client_id and lease.expires_at > now
        return ours and lease.generation == head.generation and not _answered(self._catalog, lease)

    def _head_of(self, head: Head, version: int) -> Head:
        """The head as it was at a version that a commit made."""
        return head_after(head, self._catalog.ledger_entry(head.run, version))

    def _training(self, run: Run, head: Head, spec: Spec, client: Client) -> Task:
        if seconds := self._backlog.wait(head.run, client.client_id, spec.limits.pending):
            return Wait(seconds, BUSY)
        shard, offset, seed = _assignment(spec, client)
        genesis = self._catalog.ledger_entry(head.run, 0) if spec.merge.where == "peer" else None
        validation = _validation(spec, client) if isinstance(spec.merge.rule, Copy) else None
        return Train(run, head, spec, shard, offset, seed, genesis, validation)


def _evaluation_due(catalog: Catalog, spec: Spec, head: Head, previous: EvaluationLease | None, now: int) -> bool:
    """The first version of a generation is due at once; later ones as `validation` says; a lapsed one again.

    So what a rollback or an unmerge made is evaluated before it is trained on for long.
    """
    if previous is None or previous.generation != head.generation:
        return True
    asked_at = previous.expires_at - spec.validation.patience_seconds * 1000
    if spec.validation.due(head.version - previous.version, (now - asked_at) / 1000):
        return previous.expires_at <= now or _answered(catalog, previous)
    return previous.expires_at <= now and not _answered(catalog, previous)


def _answered(catalog: Catalog, lease: EvaluationLease) -> bool:
    found = catalog.evaluations(lease.run, lease.version - 1, 1)
    return bool(found) and found[0].version == lease.version


def _validation(spec: Spec, client: Client) -> Shard:
    """A shard of the validation set, always the same for one client, so that its accuracies can be compared."""
    shards = spec.data.validation
    return shards[zlib.crc32(client.client_id.encode()) % len(shards)]


def _assignment(spec: Spec, client: Client) -> tuple[Shard | None, int, int]:
    """Shard, offset and shuffle seed of a client's next task.

    A client goes through one shard before the next, so that it downloads few; clients begin at different
    shards, so that together they see all of them. The seed changes with every pass.

    Of data of the client's own nobody here knows how much there is: it goes round in one order.
    """
    shards = spec.data.train
    examples_per_task = spec.training.local_steps * spec.training.batch_size
    if not shards:
        seed = zlib.crc32(f"{client.client_id}:0".encode())
        return None, (client.tasks * examples_per_task) % MOST_OFFSET, seed
    tasks_per_shard = max(1, round(shards[0].examples / examples_per_task))
    visit, position = divmod(client.tasks, tasks_per_shard)
    start = zlib.crc32(client.client_id.encode())
    shard = shards[(start + visit) % len(shards)]
    seed = zlib.crc32(f"{client.client_id}:{visit}".encode())
    return shard, (position * examples_per_task) % shard.examples, seed
