"""The only words the rest has for storage.

Two ports, and a third for messages in `webnn.store.queues`. `Blobs` holds immutable bytes under keys; `Catalog` holds a
run's rows and moves its head. Every method raises `Unavailable` when the service does not answer, on top of what its
docstring lists; after an unanswered write it is unknown whether it landed. One contract suite (`tests/store`) runs on
every adapter.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct, field

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
)
from webnn.core.wire import Body

# DynamoDB takes 100 items in a transaction; two are the head and the ledger entry, three stay in reserve.
MAX_COMMIT = 95
# S3 lists and deletes so many at once.
MAX_DELETE = 1000
# What an owner who asked for a run or a version that is not there is advised (`WebnnError.advice`).
LISTS_RUNS = "`webnn list`, with the same --stage, shows those there are"
LISTS_VERSIONS = "`webnn ledger`, of the same run, lists those there are"


class UploadTicket(Struct, frozen=True):
    """Where and how to upload one blob: a form POST with these fields and then the file."""

    url: str
    fields: dict[str, str] = field(default_factory=dict)


class Blob(Struct, frozen=True):
    """What a listing says of a blob.

    Attributes:
        written_at: Milliseconds since 1970, by the store's clock.
    """

    key: str
    bytes: int
    written_at: int


class Blobs(Protocol):
    """Immutable bytes under keys."""

    def create(self, key: str, body: bytes) -> None:
        """Writes a new blob. Raises Conflict if the key is taken."""
        ...

    def get(self, key: str) -> Body:
        """The whole blob, not to be changed. Raises Missing."""
        ...

    def listed(self, prefix: str, after: str, limit: int) -> list[Blob]:
        """Blobs whose keys begin with `prefix` and come after the key `after`, in the order of their keys."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Deletes blobs, at most `MAX_DELETE`, as far as they are there. Unavailable if not all could be: some may be.

        Only `webnn.clearing` and `webnn.keeping` may, which say when nobody can name a blob any more, and
        `webnn.removal`, when a whole run goes.
        """
        ...

    def download_url(self, key: str, expires_in: int) -> str:
        """A URL that gives the blob to whoever holds it, for `expires_in` seconds. Does not check that it exists."""
        ...

    def upload_ticket(self, key: str, size: int, sha256: str, expires_in: int) -> UploadTicket:
        """Leave to upload exactly `size` bytes with this SHA-256 (hexadecimal) under the key, for `expires_in` s.

        Not every engine looks at the hash, so whoever reads an upload checks it.
        """
        ...


class Runs(Protocol):
    """Runs, their heads and their ledgers."""

    def create_run(self, run: Run, head: Head, genesis: LedgerEntry) -> None:
        """Starts a run. Raises Conflict if the name is taken, or the generation is not `next_generation`."""
        ...

    def runs(self) -> list[Run]:
        """All runs, newest first, at most 100."""
        ...

    def run_names(self, limit: int, after: str = "") -> list[tuple[str, str]]:
        """A page of the names of all runs, each after its place in the list, which the next page is asked for with."""
        ...

    def run(self, run: str) -> Run:
        """Raises Missing."""
        ...

    def head(self, run: str) -> Head:
        """The newest committed head: never an older one than a commit that was answered. Raises Missing."""
        ...

    def set_status(self, head: Head, status: Status) -> None:
        """Changes the status of a head, from the one that `head` has, in the generation that `head` has.

        Raises Conflict if it has others by now, or never was.
        """
        ...

    def ledger_entry(self, run: str, version: int) -> LedgerEntry:
        """The commit that made `version`. Raises Missing if no commit ended there."""
        ...

    def ledger(self, run: str, after: int, limit: int) -> list[LedgerEntry]:
        """Commits that made versions above `after`, oldest first, at most `limit`."""
        ...


class Updates(Protocol):
    """Updates, and the transaction that settles them."""

    def open_update(self, update: Update) -> None:
        """Writes a pending update. Raises Conflict if the id is another's."""
        ...

    def update(self, run: str, update_id: str) -> Update:
        """Raises Missing."""
        ...

    def pending(self, run: str, limit: int, after: str = "") -> list[Update]:
        """Pending updates in the order of their ids, above `after`, at most `limit`.

        Holds every update whose opening was answered and whose settling was not begun.
        """
        ...

    def pending_count(self, run: str, limit: int) -> int:
        """How many updates are pending; counts no further than `limit`."""
        ...

    def commit(self, commit: Commit) -> None:
        """Writes the commit, all or nothing: see `webnn.commit`. At most `MAX_COMMIT` updates.

        A commit that landed is never written twice: tried again, it changes nothing and either is answered as it was
        (for some minutes, where the engine remembers attempts) or is a Conflict. Whoever must know reads back.

        Raises:
            Conflict: The head is no longer `commit.base`, or an update is no longer pending, or the version to come is
                in the ledger. Nothing was written.
        """
        ...


class Turns(Protocol):
    """Which merger is at which run, and how far the sweep is."""

    def merge_lease(self, run: str) -> MergeLease | None:
        """The newest lease, expired or not; None before the first."""
        ...

    def claim_merging(self, lease: MergeLease, previous: MergeLease | None) -> None:
        """Puts `lease` in place of `previous`. Raises Conflict if that is no longer what is there."""
        ...

    def sweep_mark(self, run: str) -> SweepMark:
        """How far sweeping the run's blobs is."""
        ...

    def set_sweep_mark(self, mark: SweepMark) -> None:
        """Notes how far it is, whatever was noted before: to sweep again what was swept does no harm."""
        ...


class Clients(Protocol):
    """Who takes part."""

    def join(self, client: Client) -> None:
        """Writes a new client. Raises Conflict if the id is another's."""
        ...

    def touch(self, run: str, client_id: str, now: int) -> Client:
        """Notes that the client asked for a task; gives its row after that. Raises Missing."""
        ...

    def active_clients(self, run: str, since: int) -> int:
        """How many clients asked for a task at or after `since`."""
        ...


class Evaluations(Protocol):
    """Who evaluates which version, and what came of it."""

    def evaluation_lease(self, run: str) -> EvaluationLease | None:
        """The newest lease, expired or not; None before the first."""
        ...

    def claim_evaluation(self, lease: EvaluationLease, previous: EvaluationLease | None) -> None:
        """Makes `lease` the newest, in place of `previous`. Raises Conflict if that is no longer the newest."""
        ...

    def record_evaluation(self, evaluation: Evaluation) -> None:
        """Writes an evaluation. Raises Conflict if its version has another."""
        ...

    def evaluations(self, run: str, after: int, limit: int) -> list[Evaluation]:
        """Evaluations of versions above `after`, oldest first, at most `limit`."""
        ...

    def latest_evaluation(self, run: str) -> Evaluation | None:
        """The evaluation of the highest version; None before the first."""
        ...


class Peers(Protocol):
    """Updates that clients leave for each other: see `webnn.peers`."""

    def offers(self, run: str, limit: int) -> list[Offer]:
        """What was left and not taken, newest first, at most `limit`."""
        ...

    def last_offer(self, run: str, client_id: str) -> Offer | None:
        """What this client left last, taken or not; None if it never left any."""
        ...

    def exchange(self, run: str, update_id: str) -> Exchange:
        """What was given for this update. Raises Missing if nothing was yet."""
        ...

    def swap(self, exchange: Exchange, taken: Offer | None, previous: Offer | None) -> None:
        """Leaves `exchange.update_id`, takes `taken`, of another client, and withdraws `previous`, all or nothing.

        Raises:
            Conflict: The update was exchanged before, `taken` is no longer there, or the client left another than
                `previous` last. Nothing was written.
        """
        ...


class Failures(Protocol):
    """What keeps clients from training: see `webnn.failures`."""

    def record_failure(self, failure: Failure) -> None:
        """Writes what a client reports, in place of what it reported before."""
        ...

    def failures(self, run: str, limit: int) -> list[Failure]:
        """What clients reported, at most `limit`: of those who joined last first."""
        ...


class Removal(Protocol):
    """Taking a run away: first off the list, then its rows, last its head. See `webnn.removal`."""

    def next_generation(self, run: str) -> int:
        """The generation that a run of this name begins at: 0, or above that of the last one that was deleted."""
        ...

    def delist(self, run: str) -> None:
        """Takes a run off the lists that `runs` and `run_names` give, if it is there."""
        ...

    def delete_rows(self, run: str, limit: int) -> int:
        """Deletes rows of a run, at most `limit`, but for the run's own and its head; says how many. 0: none is left.

        After Unavailable some may be deleted.
        """
        ...

    def delete_run(self, run: str, generation: int) -> None:
        """Deletes the run's own row and its head: its name is free, for a run that begins at `generation`.

        Raises Conflict if the run is not finished. Nothing was written.
        """
        ...


class Catalog(Runs, Updates, Turns, Clients, Evaluations, Peers, Failures, Removal, Protocol):
    """All the rows."""
