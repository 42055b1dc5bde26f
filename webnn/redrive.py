"""Puts what a stage's dead-letter queue holds back onto the doorbell.

It is a loop of receiving, sending, deleting, not SQS's own StartMessageMoveTask. That one cannot leave out what
nobody can read, nor say which runs were rung for, and MiniStack 1.5.33 does not know it (LocalStack 4.9.2 does).

Each message is sent before it is deleted. A crash between the two leaves it in both queues, which is harmless: it is
a ring, and a ring for nothing drains nothing (docs/protocol.md). The other order would lose it.

It ends. It takes no more messages than were there when it began, and stops when none comes. What fails again takes
five visibility timeouts of the doorbell, half an hour, to be back: it cannot chase its own tail.
"""

from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct
from msgspec.structs import replace

from webnn import doorbell
from webnn.errors import Invalid, WebnnError
from webnn.store.queues import Message, Queue

MOST = 10


class Redriven(Struct, frozen=True):
    """How far it has come.

    Attributes:
        total: How many messages were there when it began, as far as the queue knows.
        moved: How many are on the doorbell again.
        runs: How many messages spoke of each run, of those that were moved or, when only looking, would be. A message
            may speak of several runs or, like S3's test event, of none.
        unreadable: The bodies of messages that the merge function cannot read.
        seen: How many messages it has looked at.
    """

    total: int
    moved: int = 0
    runs: dict[str, int] = {}
    unreadable: tuple[str, ...] = ()
    seen: int = 0


class Redriver:
    """Moves messages from the dead-letter queue to the doorbell."""

    def __init__(self, dead: Queue, bell: Queue) -> None:
        """Takes the two queues."""
        self._dead = dead
        self._bell = bell

    def redrive(self, *, unreadable: bool = False, dry_run: bool = False) -> Iterator[Redriven]:
        """Moves what is there, and tells after each message how far it has come.

        What it does not move, it gives back to the dead-letter queue at the end, however it ends. (What it cannot
        give back is there again after `Queue.receive`'s two minutes.)

        Args:
            unreadable: Also put back what cannot be read. It only dies again, unless newer code reads it.
            dry_run: Move nothing, only look.

        Raises:
            Missing: A queue is gone.
            Unavailable: SQS does not answer. What was moved is moved.
            Invalid: SQS refuses: no credentials, no permission.
        """
        found = Redriven(self._dead.waiting())
        held: dict[str, Message] = {}
        yield found
        try:
            for message in self._take(found.total, held):
                runs = _runs_in(message)
                moves = not dry_run and (runs is not None or unreadable)
                if moves:
                    self._move(message)
                    del held[message.id]
                found = _counted(found, message, runs, moves)
                yield found
        finally:
            self._release(held)

    def _take(self, total: int, held: dict[str, Message]) -> Iterator[Message]:
        """Receives, and holds what it has received. What is held comes back after minutes; it is not given twice."""
        left, patience = total, total
        while left > 0 and patience > 0 and (batch := self._dead.receive(min(left, MOST))):
            fresh = [message for message in batch if message.id not in held]
            left, patience = left - len(fresh), patience - (len(batch) - len(fresh))
            held.update((message.id, message) for message in batch)
            yield from fresh

    def _move(self, message: Message) -> None:
        self._bell.send(message.body)
        self._dead.delete(message)

    def _release(self, held: dict[str, Message]) -> None:
        with suppress(WebnnError):  # not worth an error, let alone hiding one: they come back by themselves
            for message in held.values():
                self._dead.release(message)


def _runs_in(message: Message) -> list[str] | None:
    """The runs that it speaks of; None if it cannot be read."""
    try:
        return list(doorbell.runs_in(message.body))
    except Invalid:
        return None


def _counted(found: Redriven, message: Message, runs: list[str] | None, moved: bool) -> Redriven:
    counts = found.runs | {run: found.runs.get(run, 0) + 1 for run in runs or ()}
    return replace(
        found,
        moved=found.moved + moved,
        runs=counts,
        unreadable=found.unreadable if runs is not None else (*found.unreadable, message.body),
        seen=found.seen + 1,
    )
