"""Keras models on their way into a run, and trained ones out again."""

import json
from typing import Any

import numpy as np
from msgspec import Struct, to_builtins

from webnn.core.tensors import TensorSpec
from webnn.core.wire import Vector
from webnn.errors import Invalid
from webnn.fitting.compiled import compiled
from webnn.fitting.describing import described
from webnn.fitting.given import Given
from webnn.keras import building, weights
from webnn.keras.importing import imported_object
from webnn.keras.inputs import inputs_of
from webnn.keras.tensorflow import variables
from webnn.project import model as models
from webnn.project.sections import DataSection, RunSection, Sections
from webnn.project.spec_of import Document, document_of


class Prepared(Struct, frozen=True):
    """A call of `fit`, checked as far as it can be without looking at every example.

    Attributes:
        document: What the run is to be.
        data: How its examples are stored.
        weights: The model's, float32 [parameters], in the order of `specs`.
    """

    document: Document
    data: DataSection
    specs: tuple[TensorSpec, ...]
    weights: Vector


class Wishes(Struct, frozen=True):
    """What the caller said beside model and data.

    Attributes:
        spec: The sections that a spec has.
    """

    name: str
    title: str
    description: str
    seed: int
    optimizer: str | None
    learning_rate: float | None
    spec: dict[str, dict[str, Any]]


def prepared(model: Any, given: Given, wishes: Wishes) -> Prepared:
    """The run that is to be made of a compiled model.

    Raises:
        Missing: TensorFlow is not installed.
        Invalid: Pages cannot train the model, or not with what it is compiled with; or the data do not fit it.
    """
    if keras_of(model) is None:
        raise Invalid(f"{type(model).__name__} is no model of Keras 3 or tf_keras")
    how = compiled(model, wishes.optimizer, wishes.learning_rate)
    found = imported_object(model, np.random.default_rng(wishes.seed))
    manifest = [{"paths": [], "weights": to_builtins(found.specs)}]
    text = json.dumps({"modelTopology": found.topology, "weightsManifest": manifest})
    read, problems = models.read(text)
    if read is None or problems:
        raise Invalid("\n".join(one.message for one in problems))
    data = described(given, inputs_of(found.topology), read.outputs, how.loss, wishes.seed)
    run = RunSection(wishes.name, wishes.title, wishes.description)
    training = {"optimizer": how.optimizer, "learning_rate": how.learning_rate, "loss": how.loss}
    spec = {**wishes.spec, "training": {**training, **wishes.spec["training"]}}
    document, problems = document_of(read, Sections(run, data, spec, {}), wishes.name)
    if document is None:
        raise Invalid("\n".join(one.message for one in problems))
    return Prepared(document, data, found.specs, found.weights)


def keras_of(model: Any) -> int | None:
    """Which Keras a model is of, 3 or 2; None if it is none."""
    modules = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    if "tf_keras" in modules:
        return 2
    return 3 if "keras" in modules and hasattr(model, "to_json") else None


def trained(model: Any, specs: tuple[TensorSpec, ...], vector: Vector) -> Any:
    """A model like the one that was given, compiled like it, with other weights. The given one is left as it is."""
    found = type(model).from_config(model.get_config())
    places = dict(variables(found))
    building.assign(places, weights.renamed(weights.arrays_of(specs, vector), list(places)))
    found.compile_from_config(model.get_compile_config())
    return found
