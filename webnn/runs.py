"""Starting a run, and what anyone may see of it."""

from collections.abc import Callable
from contextlib import suppress
from math import isfinite

import msgspec
from msgspec import Struct

from webnn.checkpoints import Encoded, stored
from webnn.core import ledger
from webnn.core import spec as specs
from webnn.core.merge import norm
from webnn.core.records import ACTIVE_MILLISECONDS, Evaluation, Head, LedgerEntry, Run, Status
from webnn.core.spec import MOST_DESCRIPTION, MOST_TITLE, RunName, Spec
from webnn.core.wire import Vector, encode_vector, sha256
from webnn.errors import Conflict, Corrupt, Invalid, Missing
from webnn.measured import measured
from webnn.observe import Changed, unwatched
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog

PAGE = 200


class Description(Struct, frozen=True):
    """A run as anyone may see it.

    Attributes:
        metrics: How good the head's weights are: see `webnn.measured`. None where that was not evaluated.
        clients: Clients that asked for a task in the last minute.
    """

    run: Run
    head: Head
    spec: Spec
    metrics: Evaluation | None
    clients: int


class History(Struct, frozen=True):
    """A page of what happened, oldest first.

    Attributes:
        next_after: Where the next page begins; None on the last.
    """

    head: Head
    clients: int
    commits: list[LedgerEntry]
    evaluations: list[Evaluation]
    next_after: int | None


class Runs:
    """Starts and describes runs."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: Blobs,
        specs: Specs,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        changed: Changed = unwatched,
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970), a source of ids that never repeat, and whom to tell."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._clock = clock
        self._new_id = new_id
        self._changed = changed

    def add_shard(self, body: bytes) -> str:
        """Stores a slice of data; gives its hash. The same bytes are stored once."""
        digest = sha256(body)
        with suppress(Conflict):  # named by its hash, so what is there is the same
            self._blobs.create(keys.shard(digest), body)
        return digest

    def has_shard(self, sha256: str) -> bool:
        """Whether a slice of data of this hash is there already: asking costs less than sending it again."""
        return bool(self._blobs.listed(keys.shard(sha256), "", 1))

    def start(
        self,
        name: str,
        title: str,
        description: str,
        spec_body: bytes,
        weights: Vector,
        status: Status = Status.RUNNING,
    ) -> Run:
        """Starts a run at version 0 with these weights, float32 [parameters]; or puts it there paused.

        Raises:
            Invalid: The name, the spec or the weights are wrong, or the words too long.
            Conflict: The name is taken.
        """
        _check_name(name)
        _check_words(title, description)
        spec = specs.parse(spec_body)
        if weights.nbytes != spec.update_bytes("float32"):
            raise Invalid(f"the weights have {weights.size} elements, the spec another number")
        if not isfinite(norm(weights)):
            raise Invalid("the weights hold NaN or infinity")
        run = self._store_spec(name, title, description, spec_body)
        genesis = self._store_genesis(name, encode_vector(weights))
        unmade = Head(name, 0, 0, genesis.generation, genesis.checkpoint_key, genesis.sha256, genesis.bytes, status)
        head = ledger.head_after(unmade, genesis)
        self._catalog.create_run(run, head, genesis)
        self._changed(name)
        return run

    def _store_spec(self, name: str, title: str, description: str, body: bytes) -> Run:
        digest = sha256(body)
        with suppress(Conflict):  # named by its hash, so what is there is the same
            self._blobs.create(keys.spec(name, digest), body)
        return Run(name, title, description, self._clock(), keys.spec(name, digest), digest, len(body))

    def _store_genesis(self, name: str, body: bytes) -> LedgerEntry:
        generation = self._catalog.next_generation(name)  # what was made for a run that was deleted is refused
        entry = LedgerEntry(name, 0, 0, generation, self._clock(), self._new_id(), 0, code=ledger.CODE)
        return stored(self._blobs, entry, Encoded(body))

    def describe(self, name: str) -> Description:
        """One run. Raises Missing."""
        return self._described(self._catalog.run(name))

    def newest(self, name: str) -> tuple[Run, Head]:
        """A run's current model: its spec and its newest checkpoint, as their rows name them. Raises Missing."""
        return self._catalog.run(name), self._catalog.head(name)

    def all(self) -> list[Description]:
        """All runs, newest first, at most 100, without the damaged: asked for by name they are Corrupt or Missing."""
        described = []
        for run in self._catalog.runs():
            with suppress(Corrupt, Missing):
                described.append(self._described(run))
        return described

    def _described(self, run: Run) -> Description:
        head = self._catalog.head(run.run)
        return Description(
            run,
            head,
            self._specs.of(run.run),
            measured(self._catalog, head),
            self._active(run.run),
        )

    def history(self, name: str, after: int) -> History:
        """Commits and evaluations of versions above `after`. Raises Missing.

        A page ends at the same version in both lists, so the next page continues both.
        """
        head = self._catalog.head(name)
        commits = self._catalog.ledger(name, after, PAGE)
        evaluations = self._catalog.evaluations(name, after, PAGE)
        ends = [page[-1].version for page in (commits, evaluations) if len(page) == PAGE]
        end = min(ends, default=None)
        if end is not None:
            commits = [entry for entry in commits if entry.version <= end]
            evaluations = [evaluation for evaluation in evaluations if evaluation.version <= end]
        return History(head, self._active(name), commits, evaluations, end)

    def _active(self, name: str) -> int:
        return self._catalog.active_clients(name, self._clock() - ACTIVE_MILLISECONDS)


def _check_name(name: str) -> None:
    try:
        msgspec.convert(name, RunName)
    except msgspec.ValidationError as error:
        raise Invalid(f"a run's name is a-z, 0-9 and '-', at most 63, not {name!r}") from error


def _check_words(title: object, description: object) -> None:
    for what, words, most in (("title", title, MOST_TITLE), ("description", description, MOST_DESCRIPTION)):
        if not isinstance(words, str) or len(words) > most:
            raise Invalid(f"a run's {what} is text of at most {most:,} characters")
