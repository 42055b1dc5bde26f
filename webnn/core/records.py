"""The rows of a run as values. Times are milliseconds since 1970-01-01 UTC, sizes are bytes."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.recipe import Recipe
from webnn.core.wire import Quantization

Encoding = Literal["float32", "float16", "uint8", "uint16"]


class Status(StrEnum):
    """Whether a run hands out work."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"


class UpdateState(StrEnum):
    """Where an update stands. All but `pending` are final."""

    PENDING = "pending"
    MERGED = "merged"
    DISCARDED = "discarded"
    REJECTED = "rejected"


class Run(Struct, frozen=True):
    """What never changes about a run."""

    run: str
    title: str
    description: str
    created_at: int
    spec_key: str
    spec_sha256: str
    spec_bytes: int


class Head(Struct, frozen=True):
    """The pointer to the newest checkpoint of a run.

    Attributes:
        version: How many updates the weights hold.
        steps: Training iterations behind the weights.
        generation: Goes up by one at a rollback.
        checkpoint_key: Where the weights are.
        sha256: Of the checkpoint, lower-case hexadecimal.
        entry_sha256: Digest of the ledger entry that made this version: see `webnn.core.ledger`.
    """

    run: str
    version: int
    steps: int
    generation: int
    checkpoint_key: str
    sha256: str
    bytes: int
    status: Status = Status.RUNNING
    entry_sha256: str = ""


class Update(Struct, frozen=True):
    """One client's contribution, as announced, and what became of it."""

    run: str
    update_id: str
    client_id: str
    base_version: int
    generation: int
    local_steps: int
    examples: int
    bytes: int
    sha256: str
    encoding: Encoding
    created_at: int
    expires_at: int
    quantization: tuple[Quantization, ...] = ()
    loss: float | None = None
    accuracy: float | None = None
    state: UpdateState = UpdateState.PENDING
    reason: str | None = None
    version: int | None = None
    staleness: int | None = None
    discount: float | None = None

    def merged(self, version: int, staleness: int, discount: float) -> "Update":
        """The update after it became `version`."""
        return replace(self, state=UpdateState.MERGED, version=version, staleness=staleness, discount=discount)

    def rejected(self, reason: str) -> "Update":
        """The update after its bytes or its claims proved wrong."""
        return replace(self, state=UpdateState.REJECTED, reason=reason)

    def discarded(self, reason: str, staleness: int | None = None) -> "Update":
        """The update after it proved of no use: too stale, of an older generation, never uploaded."""
        return replace(self, state=UpdateState.DISCARDED, reason=reason, staleness=staleness)


class MergedUpdate(Struct, frozen=True, array_like=True):
    """A line of a ledger entry: one update and the influence it had."""

    update_id: str
    client_id: str
    base_version: int
    staleness: int
    discount: float


class Without(Struct, frozen=True):
    """Whose updates an unmerge leaves out: these clients' and these."""

    clients: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()

    def leaves_out(self, line: MergedUpdate) -> bool:
        """Whether it leaves out this one."""
        return line.client_id in self.clients or line.update_id in self.updates


class LedgerEntry(Struct, frozen=True):
    """One move of the head: versions `from_version` + 1 … `version`, or the genesis (version 0).

    A commit has updates. A rollback has `restores`, an unmerge `without`; each is one version of its own and begins a
    generation.

    Attributes:
        attempt: Identity of the attempt that landed; what an unanswered commit is recognised by.
        updates: In the order in which they were folded in.
        bytes: Of the checkpoint.
        update_bytes: Of all the updates' blobs together.
        previous: Digest of the entry before this one; empty for the genesis.
        recipe: How the updates were folded in; None for the genesis.
        code: What did the arithmetic: the versions of this package and of numpy.
        restores: The version whose weights a rollback brought back.
        without: What an unmerge left out of all that the head held.
        state_sha256: Of what the recipe remembers beside these weights; empty if that is nothing, or nothing yet.
        state_bytes: Of that blob.
        note: What the owner says of a rollback or an unmerge, to everybody.
    """

    run: str
    version: int
    from_version: int
    generation: int
    at: int
    attempt: str
    steps: int
    checkpoint_key: str = ""
    sha256: str = ""
    bytes: int = 0
    updates: tuple[MergedUpdate, ...] = ()
    examples: int = 0
    update_bytes: int = 0
    previous: str = ""
    recipe: Recipe | None = None
    code: str = ""
    restores: int | None = None
    without: Without | None = None
    state_sha256: str = ""
    state_bytes: int = 0
    note: str = ""


class Commit(Struct, frozen=True):
    """What one conditional transaction writes: all of it or nothing.

    Attributes:
        base: The head that was read; the transaction holds only if it is still this one.
        head: The head to come. Equal to `base` when every update was refused.
        settled: The updates in their final states, each `pending` until now.
        entry: The ledger's new entry; None when the head does not move.
    """

    base: Head
    head: Head
    settled: tuple[Update, ...]
    entry: LedgerEntry | None


# A client that asked for a task within this time takes part now.
ACTIVE_MILLISECONDS = 60_000


class Client(Struct, frozen=True):
    """A browser or another program that joined a run.

    Attributes:
        tasks: How many times it has asked for a task.
    """

    run: str
    client_id: str
    joined_at: int
    seen_at: int
    tasks: int = 0


class EvaluationLease(Struct, frozen=True):
    """Who is to evaluate which version, and until when nobody else is asked to."""

    run: str
    evaluation_id: str
    client_id: str
    version: int
    expires_at: int
    generation: int = 0


class MergeLease(Struct, frozen=True):
    """Which merger is at a run: advice, not a lock. See `webnn.turns`.

    Attributes:
        holder: Id of the merger's turn.
        expires_at: When it may be taken by another; 0 when it was let go.
        again: Somebody found it held: there may be more to merge than the holder has seen.
        passed: Where the last holder was when its time was up: see `webnn.commit.Drained`.
    """

    run: str
    holder: str
    expires_at: int
    again: bool = False
    passed: str = ""


class SweepMark(Struct, frozen=True):
    """How far sweeping a run's blobs is. See `webnn.clearing`.

    Attributes:
        key: Of the last checkpoint that was decided on; all before it are.
        version: Of the head at which nothing was left to decide on.
        cleared_at: When all that the run need not keep had been deleted last, in milliseconds since 1970.
        body: Key of the last body of an update that was looked at since.
        spent: What was counted of the run's cost, as JSON: see `webnn.budget`.
    """

    run: str
    key: str = ""
    version: int = -1
    cleared_at: int = 0
    body: str = ""
    spent: str = ""


class Offer(Struct, frozen=True):
    """An update that its client left for another to take. A client has one at a time, its newest."""

    run: str
    update_id: str
    client_id: str


class Exchange(Struct, frozen=True):
    """What a client got for an update that it left: another client's, or nothing. Kept, so that it is told again.

    Attributes:
        received: The update that it got; empty if there was none.
        received_from: Whose that was.
    """

    run: str
    update_id: str
    client_id: str
    at: int
    received: str = ""
    received_from: str = ""


class Evaluation(Struct, frozen=True):
    """Loss and accuracy of one version on the whole validation set."""

    run: str
    version: int
    evaluation_id: str
    client_id: str
    loss: float
    accuracy: float
    examples: int
    at: int


class Failure(Struct, frozen=True):
    """Why a client cannot train a run's model, in its own words: a stranger's, to be shown with care.

    Attributes:
        detail: What broke, where nobody foresaw it.
        backend: What it trained with; empty if it got no further than choosing.
        version: What it was to begin from; None if it does not say.
    """

    run: str
    client_id: str
    at: int
    code: str
    message: str
    detail: str = ""
    backend: str = ""
    version: int | None = None
