"""What a queue is: the port behind the doorbell and its dead letters."""

from typing import Protocol

from msgspec import Struct


class Message(Struct, frozen=True):
    """A message of a queue, in the hand of whoever received it.

    Attributes:
        receipt: What the queue wants to see from who deletes or releases it.
    """

    id: str
    body: str
    receipt: str


class Queue(Protocol):
    """Messages, each delivered once or more often, in no order. Every method raises Missing if the queue is gone."""

    def waiting(self) -> int:
        """How many messages could be received now; a queue of many servers knows it approximately."""
        ...

    def receive(self, most: int) -> list[Message]:
        """Up to `most` messages, at most 10, after waiting for them; empty if none came.

        Nobody else receives them for two minutes.
        """
        ...

    def send(self, body: str) -> None:
        """Adds a message."""
        ...

    def delete(self, message: Message) -> None:
        """Takes a message away for good."""
        ...

    def release(self, message: Message) -> None:
        """Lets others receive a message at once."""
        ...
