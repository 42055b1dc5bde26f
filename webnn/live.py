"""Keeping live objects up to date: what any number of watchers read, without a function that is called for each.

It is told of whatever changes a run (commits, evaluations, statuses, moves), reads on in the catalog from where the
object ends, and replaces the object. That is never the truth, and nothing waits for it: what goes wrong is logged, and
mended by whoever is told next, or by the sweep.

Who writes
    Any function may. Each replaces exactly the object that it read, so an older state is never put over a newer one;
    who was beaten reads again. A commit is shown no more often than every two seconds, whoever shows it, which the time
    in the object tells: who comes too early leaves it, and rings the doorbell for when it is time.

What is there
    An object that is absent, damaged, of another format or of a deleted run of the name is begun anew from the ledger,
    some pages at a time. So is one whose pages are gone. Whoever begins one looks afterwards whether the run is still
    there: where it was deleted meanwhile the object goes, too.
"""

import logging
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.records import ACTIVE_MILLISECONDS, Evaluation, Head, LedgerEntry, Run
from webnn.errors import Conflict, Corrupt, Missing
from webnn.showing import Moment, nothing_yet, read_on, standing
from webnn.shown import SIZES, Kind, Page, Shown, decoded, decoded_page, encoded, encoded_page
from webnn.specs import Specs
from webnn.store.ports import Catalog
from webnn.store.public import PublicObjects, live_key, page_key, pages_prefix

LOG = logging.getLogger("webnn.live")

PAUSE_MILLISECONDS = 2_000
CROWD_MILLISECONDS, JOINED_MILLISECONDS = 10_000, 300_000
TRIES = 4
PAGE, PAGES_A_LOOK = 200, 5
KEPT = 4_096  # runs that a function remembers

T = TypeVar("T")


class Seen(Struct, frozen=True):
    """What tells whether there is anything new."""

    head: Head
    clients: int
    evaluated: int


class Live:
    """Shows runs. Without a place for public objects it does nothing."""

    def __init__(
        self, catalog: Catalog, specs: Specs, objects: PublicObjects | None, *, clock: Callable[[], int]
    ) -> None:
        """Takes its stores and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._specs = specs
        self._objects = objects
        self._clock = clock
        self._seen: dict[str, Seen] = {}
        self._crowds: dict[str, tuple[int, int]] = {}
        self._written: dict[str, int] = {}

    def address(self, run: str) -> str | None:
        """Where the run's live object is, if this has a place for it."""
        return self._objects.address(live_key(run)) if self._objects else None

    def show(self, run: str, *, paced: bool = False) -> bool:
        """Brings the live object up to date; False if it is not, because it was just written. Never raises.

        Args:
            run: Its name.
            paced: Leave an object alone that is younger than two seconds.
        """
        try:
            return self._objects is None or self._show(self._objects, run, paced)
        except Missing:  # deleted meanwhile
            return True
        except Exception:  # what cannot be shown is true all the same
            LOG.exception("cannot show run=%s", run)
            return True

    def crowd(self, run: str) -> list[tuple[int, int]]:
        """When (milliseconds since 1970) how many clients were seen, as watchers are shown it; nothing if none were.

        Raises:
            Unavailable: The object could not be read.
        """
        found = self._objects.read(live_key(run)) if self._objects else None
        shown = decoded(found.body) if found else None
        if shown is None:
            return []
        return [*((shown.created_at + 1000 * at, clients) for at, clients in shown.crowd), (shown.at, shown.clients)]

    def forget(self, run: str) -> None:
        """Deletes all that is shown of a run. Raises Unavailable."""
        if self._objects is not None:
            self._objects.delete(live_key(run), pages_prefix(run))

    def _show(self, objects: PublicObjects, run: str, paced: bool) -> bool:
        for _ in range(TRIES):
            now = self._clock()
            if paced and _fresh(self._written.get(run, 0), now):
                return False
            seen = self._look(run, now)
            if self._seen.get(run) == seen:
                return True
            found = objects.read(live_key(run))
            shown = self._begun(self._catalog.run(run), found.body if found else b"")
            if paced and _fresh(shown.at, now):
                _put(self._written, run, shown.at)
                return False
            after = self._gone_on(objects, shown, seen, now)
            try:
                objects.replace(live_key(run), encoded(after), found.tag if found else None)
            except Conflict:
                continue
            if found is None and self._created(objects, run) != after.created_at:
                continue  # it is another by now
            self._remember(run, seen, after)
            return True
        return False

    def _created(self, objects: PublicObjects, run: str) -> int:
        """When the run was made. Where it was deleted while its object was begun, that goes again. Raises Missing."""
        try:
            return self._catalog.run(run).created_at
        except Missing:
            objects.delete(live_key(run), pages_prefix(run))
            raise

    def _look(self, run: str, now: int) -> Seen:
        head, newest = self._catalog.head(run), self._catalog.latest_evaluation(run)
        counted_at, clients = self._crowds.get(run, (0, 0))
        if not 0 <= now - counted_at < CROWD_MILLISECONDS:
            clients = self._catalog.active_clients(run, now - ACTIVE_MILLISECONDS)
            _put(self._crowds, run, (now, clients))
        return Seen(head, clients, newest.version if newest else -1)

    def _begun(self, run: Run, body: bytes) -> Shown:
        shown = decoded(body)
        if shown is None or shown.created_at != run.created_at:
            return nothing_yet(run, self._specs.of(run.run))
        return shown

    def _gone_on(self, objects: PublicObjects, shown: Shown, seen: Seen, now: int) -> Shown:
        joined = None
        if not 0 <= now - shown.counted_at < JOINED_MILLISECONDS:
            joined = self._catalog.active_clients(shown.run, 0)
        try:
            told = self._paged(objects, self._told(shown, seen))
        except Corrupt:  # a page is gone, or is none
            LOG.warning("begins to show run=%s anew", shown.run)
            fresh = nothing_yet(self._catalog.run(shown.run), self._specs.of(shown.run))
            told = self._paged(objects, self._told(fresh, seen))
        return standing(told, Moment(seen.head, seen.clients, joined, now), self._specs.of(shown.run))

    def _told(self, shown: Shown, seen: Seen) -> Shown:
        """Reads on, at most some pages, no further than the head that was seen."""
        for _ in range(PAGES_A_LOOK):
            commits, evaluations = self._next(shown, seen)
            shown = read_on(shown, commits, evaluations)
            if len(commits) < PAGE and len(evaluations) < PAGE:
                break
        return shown

    def _next(self, shown: Shown, seen: Seen) -> tuple[list[LedgerEntry], list[Evaluation]]:
        commits, evaluations = list[LedgerEntry](), list[Evaluation]()
        if shown.spent.version < seen.head.version:
            commits = self._catalog.ledger(shown.run, shown.spent.version, PAGE)
        if shown.spent.evaluated < seen.evaluated:
            evaluations = self._catalog.evaluations(shown.run, shown.spent.evaluated, PAGE)
        return [entry for entry in commits if entry.version <= seen.head.version], evaluations

    def _paged(self, objects: PublicObjects, shown: Shown) -> Shown:
        """Moves rows out of the object into pages, which are written before anything names them."""
        before, commits, evaluations = dict(shown.before), shown.commits, shown.evaluations
        while len(commits.rows) >= 2 * SIZES[0]:
            page, commits = commits.split(SIZES[0])
            before["commits"] = self._keep(objects, shown, "commits", before["commits"], page)
        while len(evaluations.rows) >= 2 * SIZES[0]:
            first, evaluations = evaluations.split(SIZES[0])
            before["evaluations"] = self._keep(objects, shown, "evaluations", before["evaluations"], first)
        return replace(shown, before=before, commits=commits, evaluations=evaluations)

    def _keep(self, objects: PublicObjects, shown: Shown, kind: Kind, before: int, page: Page[Any]) -> int:
        """Writes a page, and each larger one that is complete with it; gives how many rows are in pages then."""
        after = before + SIZES[0]
        objects.keep(page_key(shown.run, shown.created_at, kind, SIZES[0], before // SIZES[0]), encoded_page(page))
        for smaller, size in pairwise(SIZES):
            if after % size:
                break
            numbers = range((after - size) // smaller, after // smaller)
            whole = sum((self._page(objects, shown, kind, smaller, number) for number in numbers), Page[Any]())
            objects.keep(page_key(shown.run, shown.created_at, kind, size, after // size - 1), encoded_page(whole))
        return after

    def _page(self, objects: PublicObjects, shown: Shown, kind: Kind, size: int, number: int) -> Page[Any]:
        key = page_key(shown.run, shown.created_at, kind, size, number)
        found = objects.read(key)
        if found is None:
            raise Corrupt(f"the page {key} is gone", key=key)
        return decoded_page(kind, found.body)

    def _remember(self, run: str, seen: Seen, shown: Shown) -> None:
        """So that nothing is asked or written again before something changes; unless there is more to read."""
        _put(self._written, run, shown.at)
        if (shown.spent.version, shown.spent.evaluated) == (seen.head.version, seen.evaluated):
            _put(self._seen, run, seen)


def _fresh(at: int, now: int) -> bool:
    """Whether what was written then is to be left alone for now."""
    return 0 <= now - at < PAUSE_MILLISECONDS


def _put(kept: dict[str, T], run: str, value: T) -> None:
    """Remembers it, and forgets the oldest of too many."""
    kept.pop(run, None)
    while len(kept) >= KEPT:
        kept.pop(next(iter(kept)), None)  # another thread may have been first
    kept[run] = value
