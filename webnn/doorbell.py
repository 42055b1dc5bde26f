"""What a message on the queue asks for: which runs may have something to merge."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from webnn.core.spec import RunName
from webnn.errors import Invalid
from webnn.store import keys


def ring(run: str) -> bytes:
    """A message that says: this run has more to merge."""
    return msgspec.json.encode({"run": run})


def runs_in(body: str | bytes) -> set[str]:
    """The runs a message speaks of: our own ring, or an S3 event about uploaded updates.

    Empty for S3's test event and for objects that are no updates.

    Raises:
        Invalid: The message is neither.
    """
    try:
        message = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid("the message is not JSON") from error
    if not isinstance(message, dict):
        raise Invalid("the message is not an object")
    if "run" in message:
        return {_run_name(message["run"])}
    if message.get("Event") == "s3:TestEvent":
        return set()
    return _uploaded(message.get("Records"))


def _run_name(value: Any) -> str:
    try:
        return msgspec.convert(value, RunName)
    except msgspec.ValidationError as error:
        raise Invalid("the message rings for what cannot be a run") from error


def _uploaded(records: Any) -> set[str]:
    if not isinstance(records, Iterable) or isinstance(records, (str, bytes, dict)):
        raise Invalid("the message is neither a ring nor an S3 event")
    found = (keys.parse_update(_object_key(record)) for record in records)
    return {update[0] for update in found if update is not None}


def _object_key(record: Any) -> str:
    """S3 URL-encodes keys in its events."""
    try:
        key = record["s3"]["object"]["key"]
    except (KeyError, TypeError) as error:
        raise Invalid("the message is not an S3 event") from error
    if not isinstance(key, str):
        raise Invalid("the message is not an S3 event")
    return unquote_plus(key)
