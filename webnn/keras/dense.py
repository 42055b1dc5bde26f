"""What a chain of dense layers predicts, without TensorFlow: the models of the examples, and of most first tries."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webnn.core.wire import Array

Floats = NDArray[Any]
Predict = Callable[[Sequence[Array]], list[Array]]


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)  # type: ignore[no-any-return]  # numpy's stubs say Any


ACTIVATIONS: Mapping[str, Callable[[Floats], Floats]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
    "softmax": _softmax,
}
PASSED = ("InputLayer", "Flatten", "Dropout")


def dense(topology: Mapping[str, Any], weights: Mapping[str, Array]) -> Predict | None:
    """How such a model predicts; None if this one is of other layers. `topology` is as `to_tfjs` gives it."""
    layers = topology["config"]["layers"]
    if topology["class_name"] != "Sequential" or not all(map(_is_known, layers)):
        return None
    flat = len(layers[0]["config"]["batch_input_shape"]) == 2
    if not flat and [layer["class_name"] for layer in layers[1:2]] != ["Flatten"]:
        return None
    parts = [layer["config"] for layer in layers if layer["class_name"] == "Dense"]

    def predict(inputs: Sequence[Array]) -> list[Array]:
        value: Floats = np.asarray(inputs[0], np.float32).reshape(len(inputs[0]), -1)
        for config in parts:
            value = value @ np.asarray(weights[f"{config['name']}/kernel"], np.float32)
            value = value + weights[f"{config['name']}/bias"] if config.get("use_bias", True) else value
            value = ACTIVATIONS[config.get("activation", "linear")](value)
        return [value]

    return predict


def _is_known(layer: Any) -> bool:
    if layer["class_name"] != "Dense":
        return layer["class_name"] in PASSED
    return layer["config"].get("activation", "linear") in ACTIVATIONS
