"""A learner in numpy, for quick looks: a chain of dense layers, and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from webnn.core.spec import Spec
from webnn.core.wire import Array, Vector
from webnn.datasets import Dataset
from webnn.errors import Invalid
from webnn.simulate.learner import Evaluated, Floats, Learned, Practice
from webnn.simulate.optimizers import Slots, stepped

ACTIVATIONS = ("relu", "linear", "softmax")
PASSED = ("InputLayer", "Flatten", "Dropout")  # nothing to learn; dropout is left out


class Dense(Struct, frozen=True):
    """One layer."""

    inputs: int
    units: int
    activation: str


class DenseLearner:
    """Softmax over dense layers, trained on class indices."""

    def __init__(self, spec: Spec, dataset: Dataset) -> None:
        """Takes the model's spec and the data to validate on.

        Raises:
            Invalid: The model is not such a chain.
        """
        self._layers = list(_layers(spec))
        self._shapes = [tensor.shape for tensor in spec.weights]
        packing = spec.data.inputs[0].quantization
        self._scale, self._shift = (packing.scale, packing.min) if packing else (1.0, 0.0)
        self._validation = dataset.validation

    def fresh(self) -> Slots:
        """Nothing."""
        return Slots.fresh(self._shapes)

    def train(self, weights: Vector, memory: Slots, inputs: Array, targets: Array, practice: Practice) -> Learned:
        """See `Learner.train`."""
        losses = []
        for x, y in zip(inputs, targets, strict=True):
            loss, gradient = self._loss(weights, x, y)
            weights, memory = stepped(practice, self._shapes, weights, memory, gradient)
            losses.append(loss)
        return Learned(weights, memory, float(np.mean(losses)))

    def gradient(self, weights: Vector, inputs: Array, targets: Array) -> Vector:
        """See `Learner.gradient`."""
        return self._loss(weights, inputs, targets)[1]

    def evaluate(self, weights: Vector, rows: NDArray[np.int64] | None = None) -> Evaluated:
        """See `Learner.evaluate`."""
        which = slice(None) if rows is None else rows
        labels = self._validation.targets[which].astype(int)
        found = self._forward(weights, self._validation.inputs[which])[-1]
        loss = -np.log(np.maximum(found[np.arange(len(labels)), labels], 1e-12)).mean()
        return Evaluated(float(loss), float((found.argmax(axis=1) == labels).mean()))

    def _forward(self, weights: Vector, inputs: Array) -> list[Floats]:
        """What each layer gives, the inputs first."""
        values = [
            inputs.reshape(len(inputs), -1).astype(np.float32) * np.float32(self._scale) + np.float32(self._shift)
        ]
        for layer, (kernel, bias) in zip(self._layers, self._pairs(weights), strict=True):
            out = values[-1] @ kernel + bias
            values.append(np.maximum(out, 0) if layer.activation == "relu" else out)
        values[-1] = _softmax(values[-1])
        return values

    def _loss(self, weights: Vector, inputs: Array, targets: Array) -> tuple[float, Vector]:
        values, labels = self._forward(weights, inputs), targets.astype(int)
        chosen = values[-1][np.arange(len(labels)), labels]
        error = (values[-1] - np.eye(values[-1].shape[1], dtype=np.float32)[labels]) / len(labels)
        gradients: list[Floats] = []
        for n, (kernel, _) in reversed(list(enumerate(self._pairs(weights)))):
            gradients = [(values[n].T @ error).ravel(), error.sum(axis=0), *gradients]
            error = (error @ kernel.T) * (values[n] > 0)
        return float(-np.log(np.maximum(chosen, 1e-12)).mean()), np.concatenate(gradients).astype(np.float32)

    def _pairs(self, weights: Vector) -> list[tuple[Floats, Floats]]:
        """Kernel [inputs, units] and bias [units] of each layer, as views."""
        pairs: list[tuple[Floats, Floats]] = []
        start = 0
        for layer in self._layers:
            middle = start + layer.inputs * layer.units
            end = middle + layer.units
            pairs.append((weights[start:middle].reshape(layer.inputs, layer.units), weights[middle:end]))
            start = end
        return pairs


def is_dense(topology: Mapping[str, Any]) -> bool:
    """Whether a model is of layers that are known here."""
    layers = _described(topology)
    return topology.get("class_name") == "Sequential" and bool(layers) and all(map(_is_known, layers))


def _described(topology: Mapping[str, Any]) -> list[Any]:
    """The layers that a topology lists; none if it is no such topology."""
    config = topology.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else None
    return layers if isinstance(layers, list) else []


def _is_known(layer: Any) -> bool:
    if not isinstance(layer, Mapping) or not isinstance(layer.get("config"), Mapping):
        return False
    config = layer["config"]
    usual = config.get("activation", "linear") in ACTIVATIONS and config.get("use_bias", True)
    return layer.get("class_name") in PASSED or (layer.get("class_name") == "Dense" and bool(usual))


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)  # type: ignore[no-any-return]  # numpy's stubs say Any


def _layers(spec: Spec) -> Iterator[Dense]:
    layers = _described(spec.topology)
    if not is_dense(spec.topology) or layers[-1]["config"].get("activation") != "softmax":
        raise Invalid("without --learner tensorflow a model is a chain of dense layers that ends in a softmax")
    dense = [layer["config"] for layer in layers if layer["class_name"] == "Dense"]
    kernels = [tensor.shape for tensor in spec.weights if tensor.name.endswith("/kernel")]
    if [config.get("units") for config in dense] != [shape[-1] for shape in kernels]:
        raise Invalid("the model's layers have other units than its weights say")
    for config, (inputs, units) in zip(dense, kernels, strict=True):
        yield Dense(inputs, units, config.get("activation", "linear"))
