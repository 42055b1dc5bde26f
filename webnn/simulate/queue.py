"""A queue and the functions that it wakes, as SQS and Lambda do it, in virtual time.

A message is handed over with up to nine others, in any order; it is deleted when the function ends well, comes back
after the visibility timeout when it does not, and goes to the dead-letter queue after five times.
"""

from collections.abc import Callable, Sequence
from functools import partial

from webnn.simulate.timeline import Timeline

VISIBILITY_MILLISECONDS = 361_000
WINDOW_MILLISECONDS = 1_000
RECEIVES = 5
BATCH = 10


class Message:
    """A message in the queue."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.receives = 0
        self.visible_at = 0


class Queue:
    """The doorbell.

    Attributes:
        dead: The dead-letter queue.
        waiting: What is in the queue, handed over or not.
        invoked: How many functions were woken.
    """

    def __init__(
        self,
        timeline: Timeline,
        invoke: Callable[[Sequence[bytes], Callable[[], None]], None],
        pick: Callable[[list[Message]], list[Message]] = lambda messages: messages[:BATCH],
        concurrency: int = 1000,
    ) -> None:
        """Takes what begins a function with some messages and is told what to call when it ended well.

        Args:
            timeline: Its time.
            invoke: Begins a function.
            pick: Which of the visible messages come next, at most `BATCH`.
            concurrency: How many functions may run at once.
        """
        self.dead: list[Message] = []
        self.waiting: list[Message] = []
        self.invoked = 0
        self.running = 0
        self._timeline = timeline
        self._invoke = invoke
        self._pick = pick
        self._concurrency = concurrency

    def send(self, body: bytes) -> None:
        """Puts a message on the queue."""
        self.waiting.append(Message(body))
        self._timeline.after(WINDOW_MILLISECONDS, self._deliver)

    def redrive(self) -> None:
        """Puts back what is in the dead-letter queue."""
        dead, self.dead = self.dead, []
        for message in dead:
            self.send(message.body)

    def ended(self) -> None:
        """A function ended, well or not: another may begin."""
        self.running -= 1
        self._deliver()

    def _deliver(self) -> None:
        visible = self._visible()
        while visible and self.running < self._concurrency:
            batch = self._pick(visible)
            visible = [message for message in visible if message not in batch]
            for message in batch:
                message.receives += 1
                message.visible_at = self._timeline.now + VISIBILITY_MILLISECONDS
            self.running += 1
            self.invoked += 1
            self._timeline.after(VISIBILITY_MILLISECONDS, self._deliver)
            self._invoke([message.body for message in batch], partial(self._delete, batch))

    def _visible(self) -> list[Message]:
        now = self._timeline.now
        for message in [m for m in self.waiting if m.receives >= RECEIVES and m.visible_at <= now]:
            self.waiting.remove(message)
            self.dead.append(message)
        return [message for message in self.waiting if message.visible_at <= now]

    def _delete(self, batch: list[Message]) -> None:
        for message in batch:
            if message in self.waiting:
                self.waiting.remove(message)
