"""For a run's owner: the weights of a version, and the examples of the whole validation set."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from webnn.checkpoints import weights_of
from webnn.core.spec import Spec
from webnn.core.wire import Array, Vector, decode_tensors
from webnn.errors import Corrupt, Invalid, Missing
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog
from webnn.store.verified import verified


class Version(Struct, frozen=True):
    """The number of a version, and its weights, float32 [parameters]."""

    number: int
    weights: Vector


def version_of(catalog: Catalog, blobs: Blobs, spec: Spec, run: str, number: int | None) -> Version:
    """A version's weights; the head's if no number is given.

    Raises:
        Missing: No such run, or no commit made this version: those in the middle of a commit have no checkpoint; or
            its checkpoint was not kept.
        Corrupt: The checkpoint is gone or altered, or of another model.
        Unavailable: A store did not answer.
    """
    head = catalog.head(run)
    if number is None or number == head.version:
        return Version(head.version, weights_of(blobs, spec, head))
    try:
        entry = catalog.ledger_entry(run, number)
    except Missing as error:
        raise Missing(f"no commit of run {run!r} made version {number}: `webnn ledger {run}` lists them") from error
    try:
        return Version(number, weights_of(blobs, spec, entry))
    except Corrupt as error:
        if spec.limits.keep_days is None:
            raise
        days = f"this run keeps checkpoints for {spec.limits.keep_days} days (keep_days)"
        raise Missing(f"the checkpoint of version {number} may be one that was not kept: {days}") from error


def validation(blobs: Blobs, spec: Spec, most: int) -> Iterator[tuple[list[Array], list[Array]]]:
    """The whole validation set: inputs and targets [n, ...] as pages see them, n up to `most`.

    Raises:
        Corrupt: A shard is gone, altered, or not what the spec says.
        Unavailable: The store did not answer.
    """
    for shard in spec.data.validation:
        body = bytes(verified(blobs, keys.shard(shard.sha256), shard.sha256))
        specs = [replace(one, shape=(shard.examples, *one.shape)) for one in spec.data.example]
        try:
            columns = list(decode_tensors(specs, body).values())
        except Invalid as error:
            raise Corrupt(f"shard {shard.sha256[:12]} is not what the spec says: {error.message}") from error
        for start in range(0, shard.examples, most):
            rows = [column[start : start + most] for column in columns]
            yield rows[: len(spec.data.inputs)], rows[len(spec.data.inputs) :]
