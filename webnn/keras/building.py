"""Models of either Keras from a topology and weights, and what they predict."""

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from webnn.core.wire import Array
from webnn.errors import Invalid
from webnn.keras.tensorflow import kerases, variables
from webnn.keras.topology import to_keras3

Topology = Mapping[str, Any]
MOST_APART = 1e-5


def built(topology: Topology, weights: Mapping[str, Array] | None, keras: int) -> Any:
    """A model of Keras 2 or 3, not compiled.

    Args:
        topology: As `to_tfjs` gives it.
        weights: By name; None leaves those it begins with.
        keras: Which.

    Raises:
        Missing: TensorFlow is not installed.
        Invalid: Keras cannot build it, or it has other weights.
    """
    modules = kerases()
    maker, described = (modules.keras, to_keras3(topology)) if keras == 3 else (modules.tf_keras, topology)
    try:
        model = maker.models.model_from_json(json.dumps(described))
        places = dict(variables(model))
    except Exception as error:  # Keras raises what comes to hand
        raise Invalid(f"Keras {keras} cannot build the model: {first_line(error)}") from error
    if weights is not None:
        assign(places, weights)
    return model


def assign(places: Mapping[str, Any], weights: Mapping[str, Array]) -> None:
    """Puts weights into variables. Raises Invalid where names or shapes differ."""
    shapes = {name: tuple(variable.shape) for name, variable in places.items()}
    for name in sorted(shapes.keys() | weights.keys()):
        given = weights[name].shape if name in weights else None
        if shapes.get(name) != given:
            raise Invalid(f"weight {name!r} has shape {given} in the weights and {shapes.get(name)} in the layers")
    for name, variable in places.items():
        variable.assign(weights[name])


def weights_in(model: Any) -> dict[str, Array]:
    """A model's weights by TF.js's names, in the model's order."""
    return {name: np.asarray(variable) for name, variable in variables(model)}


def predicted(model: Any, inputs: Sequence[Array]) -> list[Array]:
    """What the model gives for examples, one array for each output.

    Raises:
        Invalid: It fails on them.
    """
    try:
        with warnings.catch_warnings():
            # Whether one input comes alone or in a list is the same to a model, but Keras 3 remarks on it.
            warnings.filterwarnings("ignore", "The structure of `inputs`", UserWarning)
            found = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
    except Exception as error:  # TensorFlow raises what comes to hand
        raise Invalid(f"the model fails on what its inputs say they take: {first_line(error)}") from error
    return [np.asarray(one) for one in (found if isinstance(found, list | tuple) else [found])]


def apart(one: Sequence[Array], other: Sequence[Array]) -> float:
    """The largest difference of two predictions; infinite where their shapes differ or one is NaN."""
    if [array.shape for array in one] != [array.shape for array in other]:
        return float("inf")
    found = max(float(np.abs(np.subtract(a, b)).max(initial=0.0)) for a, b in zip(one, other, strict=True))
    return found if np.isfinite(found) else float("inf")


def check_alike(one: Sequence[Array], other: Sequence[Array], what: str) -> float:
    """How far two predictions are apart, in absolute terms up to 1 and relative ones above. Raises Invalid if far."""
    largest = max([1.0, *(float(np.abs(array).max(initial=0.0)) for array in one)])
    found = apart(one, other) / largest
    if not found <= MOST_APART:
        raise Invalid(f"{what} predicts otherwise, by up to {found:.1e}: it cannot be taken", apart=found)
    return found


def first_line(error: Exception) -> str:
    """What an error of Keras says, without the pages that follow."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
