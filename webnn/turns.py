"""Turns: one merger at a time for each run, by a lease that is advice and not a lock.

Any number of mergers may work on one run: the commit's condition alone decides, and who is beaten decides again. That
is safe and wasteful: of four that fold the same updates three do so for nothing. So a merger takes the run's lease
first. Who finds it held marks it `again` and leaves: nobody waits. The holder looks for pending updates once more
before it lets go of a lease that is marked, so whatever was uploaded before somebody left is seen.

A holder that dies leaves its lease to run out; its message, the next ring or the sweep goes on then, and looks at
everything: what others left to the dead one is nobody else's. (So a lease has to run out before the queue shows the
dead one's message again: a minute, and six.) A holder that was slow beyond its lease meets another at work, and the
commit's condition decides between them.

In the model (`spec/commit.pml`): TakeTurn, LetGo, DropTurn.
"""

from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from webnn.core.records import MergeLease
from webnn.errors import Conflict, Unavailable
from webnn.store.ports import Catalog

# As long as a merge function may take. A commit fits into half of it, so a lease is renewed in time.
LEASE_MILLISECONDS = 60_000

# Compare-and-swaps of one row, each refused only because another's went through. Who is refused more often merges
# without the lease, which is allowed.
ATTEMPTS = 10


class Turn:
    """A merger's turn at a run; without a lease if none was to be had.

    Attributes:
        again: Whether the one before left something: a mark, or a lease that was not let go. Then all has to be looked
            at, not only what this merger was rung for.
        passed: Where the one before was when its time was up. Whoever comes goes on there, also if it was rung for
            something else; or a run with many rows that are never uploaded would be begun anew with each upload.
    """

    def __init__(
        self,
        catalog: Catalog,
        clock: Callable[[], int],
        lease: MergeLease | None,
        again: bool = False,
        passed: str = "",
    ) -> None:
        self.again = again
        self.passed = passed
        self._catalog = catalog
        self._clock = clock
        self._lease = lease
        self._without = lease is None

    def keep(self) -> bool:
        """Renews the lease when half of it is gone; says whether the turn is still this merger's.

        Raises:
            Unavailable: The catalog did not answer.
        """
        lease, now = self._lease, self._clock()
        if lease is None:
            return self._without
        if lease.expires_at - now > LEASE_MILLISECONDS // 2:
            return True
        self._lease = self._changed(lease, expires_at=now + LEASE_MILLISECONDS)
        return self._lease is not None

    def over(self) -> bool:
        """Lets go, unless somebody asked to look again: then the turn goes on, and nobody has asked any more.

        Raises:
            Unavailable: The catalog did not answer.
        """
        lease = self._lease
        if lease is not None and not lease.again:
            lease = self._swap(lease, expires_at=0)
        asked = lease is not None and lease.again
        self._lease = self._changed(lease, again=False) if lease is not None and asked else None
        return self._lease is None

    def drop(self, again: bool, passed: str = "") -> bool:
        """Lets go with work undone; says whether all has to be looked at again, and leaves that to who comes next.

        Args:
            again: Whether it has to, whoever asked.
            passed: Where to go on.
        """
        lease, self._lease = self._lease, None
        left: dict[str, int | str] = {"expires_at": 0, "passed": passed}
        if again:
            left["again"] = True
        if lease is not None:
            with suppress(Unavailable):  # it runs out by itself, which says the same
                lease = self._changed(lease, **left)
        return again or (lease is not None and lease.again)

    def _changed(self, lease: MergeLease, **members: int | str) -> MergeLease | None:
        """The lease changed, or as it is now if others were faster again and again; None if another took it.

        A mark that is set meanwhile stays, unless it is what is changed.
        """
        for _ in range(ATTEMPTS):
            swapped = self._swap(lease, **members)
            if swapped is None or all(getattr(swapped, name) == value for name, value in members.items()):
                return swapped
            lease = swapped
        return lease

    def _swap(self, lease: MergeLease, **members: int | str) -> MergeLease | None:
        """The lease as it is now: changed, or marked by another meanwhile and not changed; None if another took it."""
        changed = replace(lease, **members)
        try:
            self._catalog.claim_merging(changed, lease)
        except Conflict:
            found = self._catalog.merge_lease(lease.run)
            return found if found is not None and found.holder == lease.holder else None
        return changed


class Turns:
    """Gives turns."""

    def __init__(self, catalog: Catalog, *, clock: Callable[[], int], new_id: Callable[[], str]) -> None:
        """Takes the catalog, a clock (milliseconds since 1970) and a source of ids that never repeat."""
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id

    def take(self, run: str) -> Turn | None:
        """A turn at the run; None if another has it, who then knows that there may be more.

        Raises:
            Unavailable: The catalog did not answer.
        """
        holder = self._new_id()
        for _ in range(ATTEMPTS):
            found, now = self._catalog.merge_lease(run), self._clock()
            held = found if found is not None and _holds(found, now) else None
            if held is not None and held.again:
                return None
            mine = MergeLease(run, holder, now + LEASE_MILLISECONDS)
            try:
                self._catalog.claim_merging(replace(held, again=True) if held else mine, found)
            except Conflict:
                continue
            if held:
                return None
            undone = found is not None and (found.again or found.expires_at > 0)
            return Turn(self._catalog, self._clock, mine, undone, found.passed if found is not None else "")
        return Turn(self._catalog, self._clock, None)


def _holds(lease: MergeLease, now: int) -> bool:
    """Whether somebody may be at it. Who has a lease for longer than anybody gets has a clock that is wrong."""
    return now < lease.expires_at <= now + 2 * LEASE_MILLISECONDS
