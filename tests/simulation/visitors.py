"""A client in somebody's browser: joins, trains, announces, uploads, evaluates, and gives up like one."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from webnn.clients import Evaluate, Stop, Train, Wait
from webnn.core.wire import sha256
from webnn.errors import Conflict, Invalid, Missing, Unauthorized, Unavailable
from webnn.evaluations import Report
from webnn.simulate.network import Remote
from webnn.store import keys
from webnn.updates import Announcement, Opened
from webnn.wiring import Services

if TYPE_CHECKING:
    from lives import Life


class Visitor:
    """A client in somebody's browser."""

    def __init__(self, life: "Life", api: Services) -> None:
        self.life = life
        self.api = api
        self.chance = life.chance
        self.timeline = life.timeline
        self.gate = Remote(life, life.timeline, life.sky.over(kills=False))
        self.store = Remote(life.blobs, life.timeline, life.sky.over(kills=False))

    def live(self) -> None:
        member = self.again(lambda: self.api.clients.join("line"))
        while member and self.timeline.now < self.life.storming:
            self.timeline.sleep(self.life.pause())
            try:
                task = self.api.clients.next_task(member)
                if isinstance(task, Stop):
                    return
                self.act(member, task)
            except Unauthorized:
                member = self.again(lambda: self.api.clients.join("line"))
            except (Unavailable, Conflict, Invalid) as error:
                self.life.trace(f"{self.timeline.now} client: {error!r}")
                self.timeline.sleep(1_000)

    def act(self, member: Any, task: Any) -> None:
        if isinstance(task, Wait):
            self.timeline.sleep(int(task.seconds * 1000))
        elif isinstance(task, Evaluate):
            self.timeline.sleep(self.chance.randrange(10_000))
            report = Report(
                task.lease.evaluation_id, task.lease.version, 0.5, 0.95 if self.chance.random() < 0.1 else 0.5, 8
            )
            with suppress(Missing):  # another was asked since
                self.again(lambda: self.api.evaluations.report(member, report))
        elif isinstance(task, Train):
            self.train(member, task)

    def train(self, member: Any, task: Train) -> None:
        base = self.store.get(task.head.checkpoint_key)
        assert sha256(base) == task.head.sha256
        self.timeline.sleep(self.chance.choice([100, 1_000, 10_000]) + self.chance.randrange(2_000))
        delta = np.float32([self.chance.uniform(-1, 1) for _ in range(3)])
        if self.chance.random() < 0.1:
            delta[self.chance.randrange(3)] = self.chance.choice([np.nan, np.inf, 1e30])
        body = delta.tobytes()
        announcement = Announcement(
            task.head.version, task.head.generation, self.chance.randint(1, 9), 8, len(body), sha256(body), "float32"
        )
        opened = self.again(lambda: self.api.updates.announce(member, announcement))
        if opened is not None and self.chance.random() < 0.9:
            self.upload(opened, body)

    def upload(self, opened: Opened, body: bytes) -> None:
        update_id = keys.parse_update(opened.ticket.url.removeprefix("memory:"))[1]
        expires_at = self.life.witness.opened[update_id].expires_at
        if self.chance.random() < 0.1:  # in the last moment, or too late
            self.timeline.sleep(max(0, expires_at - self.timeline.now - self.chance.randrange(-1_000, 5_000)))

        def once() -> None:
            if self.timeline.now < expires_at:
                self.gate.upload(opened, body)

        self.again(once)
        if self.chance.random() < 0.1 and not self.life.calm:
            self.again(once)

    def again(self, call: Callable[[], Any]) -> Any:
        """Tries a few times, as clients do."""
        for _ in range(3):
            try:
                return call()
            except Unavailable:
                self.timeline.sleep(2_000)
        return None
