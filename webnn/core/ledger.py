"""The ledger's chain: each entry names the digest of the one before, and the head that of the last.

So nobody can alter, drop or insert an entry without all later digests changing, and with them the head.
"""

from typing import Any

import msgspec
import numpy as np
from msgspec import to_builtins
from msgspec.structs import fields, replace

from webnn import __version__
from webnn.core.records import Head, LedgerEntry
from webnn.core.wire import sha256

CODE = f"webnn {__version__}, numpy {np.__version__}"


def digest(entry: LedgerEntry) -> str:
    """SHA-256 of the entry as JSON, lower-case hexadecimal: members in the order of the record, defaults left out.

    Left out, so that a member that a later version of the code adds changes no digest of today.
    """
    defaults: dict[str, Any] = {field.name: field.default for field in fields(entry)}
    values = ((name, getattr(entry, name)) for name in entry.__struct_fields__)
    return sha256(msgspec.json.encode({name: to_builtins(value) for name, value in values if value != defaults[name]}))


def head_after(head: Head, entry: LedgerEntry) -> Head:
    """The head that points at what the entry made. Its status stays."""
    return replace(
        head,
        version=entry.version,
        steps=entry.steps,
        generation=entry.generation,
        checkpoint_key=entry.checkpoint_key,
        sha256=entry.sha256,
        bytes=entry.bytes,
        entry_sha256=digest(entry),
    )
