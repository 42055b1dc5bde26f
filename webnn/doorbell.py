"""What a message on the queue asks for: which runs may have something to merge."""

from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import unquote_plus

import msgspec
from msgspec import Meta, Struct

from webnn.core.spec import RunName
from webnn.errors import Invalid
from webnn.store import keys


class Ring(Struct, frozen=True):
    """Our own message: a run has more to merge.

    Attributes:
        after: Behind this update id.
        again: And, once that is done, possibly before it.
    """

    run: RunName
    after: Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")] = ""
    again: bool = False

    def __and__(self, other: "Ring") -> "Ring":
        """One ring for two of the same run: nothing is looked at twice before all was looked at once."""
        return self if self == other else Ring(self.run, max(self.after, other.after), again=True)


def ring(run: str, after: str = "", again: bool = False) -> bytes:
    """A message that says: this run has more to merge. See `Ring`."""
    return msgspec.json.encode(Ring(run, after, again))


def runs_in(body: Any) -> dict[str, Ring]:
    """The runs a message speaks of, and where to look in each: our own ring, or an S3 event.

    Empty for S3's test event and for objects that are no updates.

    Raises:
        Invalid: The message is neither.
    """
    try:
        message = msgspec.json.decode(body)
    except (msgspec.DecodeError, TypeError, UnicodeError, RecursionError) as error:
        raise Invalid("the message is not JSON") from error
    if not isinstance(message, dict):
        raise Invalid("the message is not an object")
    if "run" in message:
        return _rung(message)
    if message.get("Event") == "s3:TestEvent":
        return {}
    return _uploaded(message.get("Records"))


def _rung(message: dict[str, Any]) -> dict[str, Ring]:
    try:
        rung = msgspec.convert(message, Ring)
    except msgspec.ValidationError as error:
        raise Invalid("the message rings for what cannot be a run") from error
    return {rung.run: rung}


def _uploaded(records: Any) -> dict[str, Ring]:
    if not isinstance(records, Iterable) or isinstance(records, (str, bytes, dict)):
        raise Invalid("the message is neither a ring nor an S3 event")
    found = (keys.parse_update(_object_key(record)) for record in records)
    return {update[0]: Ring(update[0]) for update in found if update is not None}


def _object_key(record: Any) -> str:
    """S3 URL-encodes keys in its events."""
    try:
        key = record["s3"]["object"]["key"]
    except (KeyError, TypeError) as error:
        raise Invalid("the message is not an S3 event") from error
    if not isinstance(key, str):
        raise Invalid("the message is not an S3 event")
    return unquote_plus(key)
