"""A queue in memory, with a clock of its own and faults on demand."""

import itertools

from msgspec import Struct

from webnn.errors import Unavailable
from webnn.store.queues import Message

HIDDEN_SECONDS = 120


class Killed(BaseException):
    """The process ends here: nothing that it would have done afterwards is done."""


class Held(Struct):
    """A message, and from when on it can be received."""

    body: str
    visible_at: float = 0.0


class MemoryQueue:
    """See `webnn.store.queues.Queue`.

    Attributes:
        now: Seconds; goes on only when a test says so.
        kills: The call before which the process dies, and every one after it.
        fails: The call that SQS does not answer.
        calls: What was called.
    """

    def __init__(self, *bodies: str) -> None:
        self.now = 0.0
        self.kills: str | None = None
        self.fails: str | None = None
        self.calls: list[str] = []
        self._ids = itertools.count()
        self.messages: dict[str, Held] = {}
        for body in bodies:
            self.send(body)
        self.calls.clear()

    @property
    def bodies(self) -> list[str]:
        return [held.body for held in self.messages.values()]

    @property
    def visible(self) -> list[str]:
        return [held.body for held in self.messages.values() if held.visible_at <= self.now]

    def waiting(self) -> int:
        self._called("waiting")
        return len(self.visible)

    def receive(self, most: int) -> list[Message]:
        self._called("receive")
        found = [(id_, held) for id_, held in self.messages.items() if held.visible_at <= self.now][:most]
        for _, held in found:
            held.visible_at = self.now + HIDDEN_SECONDS
        return [Message(id_, held.body, f"receipt {self.now}") for id_, held in found]

    def send(self, body: str) -> None:
        self._called("send")
        self.messages[str(next(self._ids))] = Held(body)

    def delete(self, message: Message) -> None:
        self._called("delete")
        del self.messages[message.id]

    def release(self, message: Message) -> None:
        self._called("release")
        self.messages[message.id].visible_at = self.now

    def _called(self, name: str) -> None:
        if name == self.kills or "killed" in self.calls:
            self.calls.append("killed")
            raise Killed
        self.calls.append(name)
        if name == self.fails:
            raise Unavailable("SQS does not answer")
