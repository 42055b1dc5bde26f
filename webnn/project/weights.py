"""The weights that a model was exported with: what version 0 holds, instead of fresh ones."""

from math import isfinite
from pathlib import Path

import msgspec

from webnn.core.merge import norm
from webnn.core.spec import WeightsGroup
from webnn.core.tensors import total_size
from webnn.core.wire import Vector, decode_vector
from webnn.errors import Invalid
from webnn.project.model import MODEL, Model


def paths_of(model: Model) -> tuple[str, ...]:
    """The files that the manifest names; none means that the model begins with fresh weights."""
    try:
        return tuple(path for group in msgspec.convert(model.manifest, type=list[WeightsGroup]) for path in group.paths)
    except msgspec.ValidationError:  # told of elsewhere
        return ()


def first_weights(folder: Path, model: Model) -> tuple[Vector | None, bytes]:
    """The weights in these files, float32 [parameters], None if none are named; and the bytes they were made of.

    Raises:
        Invalid: A file is not there, or they do not hold what the manifest says; `details` have file and line.
    """
    paths = paths_of(model)
    if not paths:
        return None, b""
    body = b"".join(_bytes(folder, path, model) for path in paths)
    specs = [spec for group in msgspec.convert(model.manifest, type=list[WeightsGroup]) for spec in group.weights]
    if len(body) != 4 * total_size(specs):
        raise _wrong(model, f"the weights take {4 * total_size(specs)} bytes as float32, the files have {len(body)}")
    weights = decode_vector(specs, body)
    if not isfinite(norm(weights)):
        raise _wrong(model, "the weights hold NaN or infinity")
    return weights, body


def _bytes(folder: Path, path: str, model: Model) -> bytes:
    place = (folder / path).resolve()
    if not place.is_relative_to(folder.resolve()):
        raise _wrong(model, f"{path!r} is not in this folder")
    try:
        return place.read_bytes()
    except OSError as error:
        text = f"{path!r} cannot be read ({error.strerror}): put it here, or empty `paths` to begin with fresh weights"
        raise _wrong(model, text) from error


def _wrong(model: Model, text: str) -> Invalid:
    return Invalid(text, file=MODEL, line=model.problem(text, '"paths"').line)
