"""Virtual time: actors that take turns on one thread, in an order that their waits decide and nothing else.

An actor is ordinary code in a greenlet. It waits by `Timeline.sleep`, and whoever is due next goes on; between two
waits nobody else runs. So the same waits give the same history, always, and an hour passes in no time.
"""

import heapq
import itertools
from collections.abc import Callable

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """The actor is gone, as a process is: nothing that it would still do reaches anybody."""


class Actor:
    """Somebody who does one thing and is then gone.

    Attributes:
        name: For traces.
        killed: Whether it was killed. What its code still does while it falls is to be ignored.
    """

    def __init__(self, name: str, work: Callable[[], None], hub: greenlet) -> None:
        self.name = name
        self.killed = False
        self.waits = 0
        self._work = work
        self.greenlet = greenlet(self._run, hub)

    @property
    def done(self) -> bool:
        """Whether it has ended, by itself or not."""
        return bool(self.greenlet.dead)

    def _run(self) -> None:
        try:
            self._work()
        except Killed:
            return


class Timeline:
    """A clock and whoever lives by it.

    Attributes:
        now: Milliseconds since 1970.
    """

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._hub = getcurrent()
        self._actors: dict[greenlet, Actor] = {}

    def clock(self) -> int:
        """The time."""
        return self.now

    def at(self, when: int, action: Callable[[], None]) -> None:
        """Does something at a time to come; of two at the same time the one that was asked for first."""
        heapq.heappush(self._due, (max(when, self.now), next(self._order), action))

    def after(self, milliseconds: int, action: Callable[[], None]) -> None:
        """Does something some time from now."""
        self.at(self.now + milliseconds, action)

    def spawn(self, name: str, work: Callable[[], None], delay: int = 0) -> Actor:
        """A new actor, who begins after the delay."""
        actor = Actor(name, work, self._hub)
        self._actors[actor.greenlet] = actor
        self.after(delay, lambda: self._wake(actor, 0))
        return actor

    def actor(self) -> Actor | None:
        """Who is acting; None between actors."""
        return self._actors.get(getcurrent())

    def sleep(self, milliseconds: int) -> None:
        """Lets the acting actor wait. Raises Killed if it was killed meanwhile or before."""
        actor = self._actors[getcurrent()]
        if actor.killed:
            raise Killed
        actor.waits += 1
        waits = actor.waits
        self.after(milliseconds, lambda: self._wake(actor, waits))
        self._hub.switch()
        if actor.killed:
            raise Killed

    def kill(self, actor: Actor) -> None:
        """Ends an actor where it is."""
        if not actor.done and not actor.killed:
            actor.killed = True
            self._wake(actor, actor.waits)

    def run(self, until: int) -> None:
        """Lets time pass until then. Whatever an actor raises but Killed is raised here."""
        self._hub = getcurrent()
        while self._due and self._due[0][0] <= until:
            self.now, _, action = heapq.heappop(self._due)
            action()
        self.now = max(self.now, until)

    def end(self) -> None:
        """Kills whoever is left."""
        for actor in list(self._actors.values()):
            self.kill(actor)

    def _wake(self, actor: Actor, waits: int) -> None:
        """Goes on with an actor, unless it woke from that wait before."""
        if actor.done or actor.waits != waits:
            return
        actor.waits += 1
        if actor.killed and not actor.greenlet:  # it never began
            self._actors.pop(actor.greenlet, None)
            return
        actor.greenlet.switch()
        if actor.done:
            self._actors.pop(actor.greenlet, None)
