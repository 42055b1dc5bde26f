"""A user's own model, from the files that Keras or TF.js wrote, as topology and weights that pages train."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from webnn.core.tensors import TensorSpec
from webnn.core.wire import Array, Vector
from webnn.errors import Conflict, Invalid
from webnn.keras import building, weights
from webnn.keras.inputs import examples
from webnn.keras.settling import settled
from webnn.keras.sources import Source, source
from webnn.keras.tensorflow import kerases, masking, variables
from webnn.keras.topology import leaves, to_tfjs


class Line(Struct, frozen=True):
    """One layer, for people.

    Attributes:
        gives: Shape of what it gives, without the examples; "" where Keras does not say.
    """

    layer: str
    kind: str
    gives: str
    parameters: int


class Imported(Struct, frozen=True):
    """A model as pages train it.

    Attributes:
        weights: float32 [parameters], in the order of `specs`.
        apart: How far its predictions on examples by chance are from those of the model in the files, relative to the
            largest above 1. None for a model of TF.js, which is here taken as it is.
    """

    topology: dict[str, Any]
    specs: tuple[TensorSpec, ...]
    weights: Vector
    lines: tuple[Line, ...]
    apart: float | None


def imported(path: Path, random: np.random.Generator, tell: Callable[[str], None] = lambda _: None) -> Imported:
    """The model in these files. It is built anew from what pages will get, and compared.

    Args:
        path: A .keras or .h5 file, a SavedModel's folder, or a model.json or its folder.
        random: For the examples to compare on.
        tell: Is told what is being done.

    Raises:
        Missing: There is nothing, or TensorFlow is not installed.
        Invalid: It is no model, or one of its layers cannot be trained in a page, or Keras gives another model for it.
    """
    found = source(path)
    topology = settled(to_tfjs(found.config))
    tell("starting TensorFlow")
    kerases()
    tell("building the model")
    ours = building.built(topology, None, keras=2)
    tell("reading its weights and comparing")
    if found.form == "tfjs":
        return _as_written(found, topology, ours)
    return _compared(_loaded(found), topology, ours, random)


def imported_object(model: Any, random: np.random.Generator) -> Imported:
    """A model that is there, of either Keras, as pages train it; built anew and compared. It is left as it is.

    Raises:
        Missing: TensorFlow is not installed.
        Invalid: As `imported`.
    """
    topology = settled(to_tfjs(json.loads(model.to_json())))
    kerases()
    return _compared(model, topology, building.built(topology, None, keras=2), random)


def _as_written(found: Source, topology: dict[str, Any], ours: Any) -> Imported:
    arrays = weights.renamed(weights.read_weights(found.path), list(building.weights_in(ours)))
    building.assign(dict(variables(ours)), arrays)
    return _imported(topology, arrays, ours, None)


def _compared(theirs: Any, topology: dict[str, Any], ours: Any, random: np.random.Generator) -> Imported:
    """With the weights of theirs, which ours must predict like."""
    arrays = weights.renamed(building.weights_in(theirs), list(building.weights_in(ours)))
    weights.specs_of(arrays)  # before they are put where they might be converted
    building.assign(dict(variables(ours)), arrays)
    inputs = examples(topology, random)
    what = "the model as pages would build it"
    apart = building.check_alike(building.predicted(theirs, inputs), building.predicted(ours, inputs), what)
    return _imported(topology, arrays, ours, apart)


def _imported(topology: dict[str, Any], arrays: dict[str, Array], ours: Any, apart: float | None) -> Imported:
    specs = weights.specs_of(arrays)
    vector = weights.vector_of(arrays)
    if not np.isfinite(vector).all():
        raise Invalid("the model's weights hold NaN or infinity")
    return Imported(topology, specs, vector, tuple(_lines(topology, specs, ours)), apart)


def _loaded(found: Source) -> Any:
    """By then its layers are known to be none with code in them."""
    modules = kerases()
    load = modules.keras.models.load_model if found.keras == 3 else modules.tf_keras.models.load_model
    # Keras 3 writes into .h5 how masks are worked out, and does not find that again.
    known = masking(modules) if (found.form, found.keras) == ("h5", 3) else None
    try:
        return load(found.path, custom_objects=known, compile=False)
    except Exception as error:  # Keras raises what comes to hand
        raise Invalid(f"Keras cannot load {found.path}: {building.first_line(error)}") from error


def _lines(topology: dict[str, Any], specs: tuple[TensorSpec, ...], model: Any) -> list[Line]:
    shapes = dict(_shapes(model))
    lines = []
    for layer in leaves(topology):
        name = layer["config"]["name"]
        parameters = sum(spec.size for spec in specs if spec.name.partition("/")[0] == name)
        lines.append(Line(name, layer["class_name"], shapes.get(name, ""), parameters))
    return lines


def _shapes(model: Any) -> list[tuple[str, str]]:
    found = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found += _shapes(layer)
        shape = getattr(layer, "output_shape", None)
        shape = shape[0] if isinstance(shape, list) else shape
        found.append((layer.name, " x ".join("?" if one is None else str(one) for one in (shape or ())[1:])))
    return found


def check_free(folder: Path, force: bool) -> None:
    """Raises Conflict if a folder has a model already, and `force` is not given."""
    there = [name for name in (weights.MODEL, weights.WEIGHTS) if (folder / name).exists()]
    if there and not force:
        raise Conflict(f"{folder / there[0]} is there already: choose another folder, or --force")


def save(folder: Path, model: Imported, force: bool) -> None:
    """Writes model.json and weights.bin into a folder, made if it is not there.

    Raises:
        Conflict: One of them is there, and `force` is not given.
        Invalid: They cannot be written.
    """
    check_free(folder, force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        weights.write_folder(folder, model.topology, model.specs, model.weights)
    except OSError as error:
        raise Invalid(f"{folder} cannot be written: {error.strerror}") from error
