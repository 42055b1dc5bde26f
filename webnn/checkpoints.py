"""Checkpoints: the weights of one committed version, and beside them what the recipe remembers.

Two blobs, both named by the ledger entry that made the version. Clients load the first only.
"""

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.records import Head, LedgerEntry
from webnn.core.spec import Spec
from webnn.core.state import State, decode_state, encode_state, zeros
from webnn.core.tensors import total_size
from webnn.core.wire import Vector, decode_vector, encode_vector, sha256
from webnn.errors import Corrupt, Invalid, Missing
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog
from webnn.store.verified import verified


class Checkpoint(Struct, frozen=True):
    """Weights, float32 [parameters], and what is remembered beside them. Not to be changed."""

    weights: Vector
    state: State


class Encoded(Struct, frozen=True):
    """A checkpoint as it is stored. No state, `b""`, stands for one that is all zeros."""

    weights: bytes
    state: bytes = b""


def encoded(checkpoint: Checkpoint) -> Encoded:
    """The checkpoint as bytes."""
    return Encoded(encode_vector(checkpoint.weights), encode_state(checkpoint.state))


def stored(blobs: Blobs, entry: LedgerEntry, bodies: Encoded) -> LedgerEntry:
    """Writes the checkpoint of the version that this entry is to make; gives the entry, naming it.

    The state goes first: whoever sees the weights sees both.
    """
    key = keys.checkpoint(entry.run, entry.version, entry.attempt)
    if bodies.state:
        blobs.create(keys.state(key), bodies.state)
    blobs.create(key, bodies.weights)
    return replace(
        entry,
        checkpoint_key=key,
        sha256=sha256(bodies.weights),
        bytes=len(bodies.weights),
        state_sha256=sha256(bodies.state) if bodies.state else "",
        state_bytes=len(bodies.state),
    )


def entry_of(catalog: Catalog, run: str, version: int) -> LedgerEntry:
    """The entry that made a version and names its checkpoint.

    Raises:
        Invalid: No commit made that version.
        Unavailable: The catalog did not answer.
    """
    try:
        return catalog.ledger_entry(run, version)
    except Missing as error:
        raise Invalid(error.message, advice=error.advice, version=version) from error


def weights_of(blobs: Blobs, spec: Spec, entry: Head | LedgerEntry) -> Vector:
    """The weights that a head or an entry names, float32 [parameters].

    Raises:
        Corrupt: The blob is absent, altered, or of another size than the spec says.
        Unavailable: The store did not answer.
    """
    body = verified(blobs, entry.checkpoint_key, entry.sha256)
    try:
        return decode_vector(spec.weights, body)
    except Invalid as error:
        key = entry.checkpoint_key
        raise Corrupt(f"{key} holds another model: {error.message}", key=key) from error


def state_of(blobs: Blobs, spec: Spec, entry: LedgerEntry) -> State:
    """What the recipe remembers at an entry's version; zeros if the entry names none. Raises as `weights_of` does."""
    parameters, shape = total_size(spec.weights), spec.merge.remembers
    if not entry.state_sha256:
        return zeros(shape, parameters)
    key = keys.state(entry.checkpoint_key)
    body = verified(blobs, key, entry.state_sha256)
    try:
        return decode_state(shape, parameters, body)
    except Invalid as error:
        raise Corrupt(f"{key} is another recipe's: {error.message}", key=key) from error


def checkpoint_of(blobs: Blobs, spec: Spec, entry: LedgerEntry) -> Checkpoint:
    """All that an entry names. Raises as `weights_of` does."""
    return Checkpoint(weights_of(blobs, spec, entry), state_of(blobs, spec, entry))


def bodies_of(blobs: Blobs, entry: LedgerEntry) -> Encoded:
    """All that an entry names, as it is stored. Raises Corrupt, Unavailable."""
    weights = bytes(verified(blobs, entry.checkpoint_key, entry.sha256))
    if not entry.state_sha256:
        return Encoded(weights)
    return Encoded(weights, bytes(verified(blobs, keys.state(entry.checkpoint_key), entry.state_sha256)))
