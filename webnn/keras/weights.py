"""A folder that TF.js loads: model.json and weights.bin, and the weights in one of any writer's. Numpy only."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from webnn import __version__
from webnn.core.spec import MAX_PARAMETERS, MAX_TENSORS
from webnn.core.tensors import TensorSpec, total_size
from webnn.core.wire import Array, Vector, decode_tensors, encode_vector
from webnn.errors import Invalid

MODEL, WEIGHTS = "model.json", "weights.bin"


def specs_of(arrays: Mapping[str, Array]) -> tuple[TensorSpec, ...]:
    """The manifest of these weights, in their order.

    Raises:
        Invalid: One is not float32, or there are none, or more than a run can merge.
    """
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise Invalid(f"weight {name!r} is {array.dtype}: pages train in float32")
    specs = tuple(TensorSpec(name, array.shape, "float32") for name, array in arrays.items())
    if not 0 < len(specs) <= MAX_TENSORS or not 0 < total_size(specs) <= MAX_PARAMETERS:
        most = f"1 to {MAX_TENSORS} weight tensors and at most {MAX_PARAMETERS:,} parameters"
        raise Invalid(f"a model has {most}, this one {len(specs)} and {total_size(specs):,}")
    return specs


def vector_of(arrays: Mapping[str, Array]) -> Vector:
    """All weights as one vector [parameters]."""
    return np.concatenate([np.asarray(array, np.float32).ravel() for array in arrays.values()])


def arrays_of(specs: Sequence[TensorSpec], vector: Vector) -> dict[str, Vector]:
    """A vector [parameters] as the weights by name."""
    parts = np.split(vector, np.cumsum([spec.size for spec in specs])[:-1])
    return {spec.name: part.reshape(spec.shape) for spec, part in zip(specs, parts, strict=True)}


def write_folder(folder: Path, topology: Mapping[str, Any], specs: Sequence[TensorSpec], vector: Vector) -> None:
    """Writes the two files into a folder that is there. Raises OSError."""
    document = {
        "format": "layers-model",
        "generatedBy": "webnn",
        "convertedBy": f"webnn {__version__}",
        "modelTopology": topology,
        "weightsManifest": [{"paths": [WEIGHTS], "weights": msgspec.to_builtins(specs)}],
    }
    (folder / WEIGHTS).write_bytes(encode_vector(vector))
    (folder / MODEL).write_text(json.dumps(document, separators=(",", ":")) + "\n")


def read_weights(path: Path) -> dict[str, Array]:
    """The weights beside a model.json, by the names that TF.js gives them; whole groups, quantised or not.

    Raises:
        Invalid: The manifest is wrong, or a file is absent, cut short or too long.
    """
    found: dict[str, Array] = {}
    try:
        for group in json.loads(path.read_bytes())["weightsManifest"]:
            specs = msgspec.convert(group["weights"], tuple[TensorSpec, ...])
            body = b"".join(_beside(path, name).read_bytes() for name in group["paths"])
            found |= decode_tensors(specs, body)
    except FileNotFoundError as error:
        raise Invalid(f"{path} has its weights in {error.filename}, which is not there") from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise Invalid(f"the weights of {path} cannot be read: {error}") from error
    return found


def _beside(path: Path, name: str) -> Path:
    if Path(name).name != name:
        raise Invalid(f"{path} has weights in {name!r}: they are looked for beside it only")
    return path.parent / name


def renamed(arrays: Mapping[str, Array], names: Sequence[str]) -> dict[str, Array]:
    """Weights by TF.js's names, in this order; TensorFlow has a cell's name more in some, which TF.js leaves out.

    Raises:
        Invalid: Others are there, or not all.
    """
    known = {name if name in names else _without_cell(name): array for name, array in arrays.items()}
    if known.keys() != set(names):
        odd = sorted(known.keys() ^ set(names))[0]
        raise Invalid(f"weights and layers do not belong together: {odd!r} is in one of them only")
    return {name: known[name] for name in names}


def _without_cell(name: str) -> str:
    *layers, _cell, variable = name.split("/")
    return "/".join([*layers, variable])
