"""A learner in TensorFlow, for any model that a page can train: the extra `webnn[tf]`.

Keras builds the model from the very topology that pages get. Weights go in and out as vectors; a client's steps are one
compiled function, so that thousands of clients share one model.
"""

import json
import os
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webnn.core.spec import Spec
from webnn.core.wire import Array, Vector
from webnn.datasets import Dataset
from webnn.errors import Invalid, Missing
from webnn.keras.silence import unremarked
from webnn.keras.tensorflow import variables
from webnn.simulate.learner import Evaluated, Learned, Practice
from webnn.simulate.optimizers import (
    EPSILON,
    ITERATIONS,
    MOMENTUM,
    MUON_EPSILON,
    MUON_SQUARES,
    MUON_VECTORS,
    NEWTON_SCHULZ,
    SQUARES,
)  # fmt: skip

AT_ONCE = 2500  # examples to evaluate
LOSSES = {
    "sparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
    "categoricalCrossentropy": "categorical_crossentropy",
    "binaryCrossentropy": "binary_crossentropy",
    "meanSquaredError": "mean_squared_error",
}
Slots = tuple[Any, Any, Any]  # steps, mean, square; tensors


class TensorFlowLearner:
    """A Keras model, trained by compiled functions."""

    def __init__(self, spec: Spec, dataset: Dataset) -> None:
        """Takes the model's spec and the data to validate on.

        Raises:
            Missing: TensorFlow is not installed.
            Invalid: Keras builds another model of the topology than the spec's weights say.
        """
        self._tf, keras = _tensorflow()
        self._model = _built(keras, spec)
        self._variables = _in_order(self._model, spec)
        self._loss = partial(keras.losses.get(LOSSES[spec.training.loss]))
        self._learns = {id(variable) for variable in self._model.trainable_variables}
        self._shapes = [tensor.shape for tensor in spec.weights]
        packings = [one.quantization for one in spec.data.inputs]
        self._ranges = [(one.scale, one.min) if one else (1.0, 0.0) for one in packings]
        self._validation = dataset.validation
        self._steps = cache(self._compiled)
        self._gradient = self._tf.function(self._gradient_of)
        self._counted = self._tf.function(self._count)

    def fresh(self) -> Slots:
        """Nothing."""
        nothing = np.zeros(sum(int(np.prod(shape)) for shape in self._shapes), np.float32)
        return np.float32(0), nothing, nothing

    def train(self, weights: Vector, memory: Slots, inputs: Array, targets: Array, practice: Practice) -> Learned:
        """See `Learner.train`."""
        steps = self._steps(practice.optimizer, len(_each(inputs)[0]))
        found, memory, loss = steps(weights, memory, inputs, targets, np.float32(practice.learning_rate))
        return Learned(found.numpy(), memory, float(loss))

    def gradient(self, weights: Vector, inputs: Array, targets: Array) -> Vector:
        """See `Learner.gradient`."""
        found: Vector = self._gradient(weights, inputs, targets).numpy()
        return found

    def evaluate(self, weights: Vector, rows: NDArray[np.int64] | None = None) -> Evaluated:
        """See `Learner.evaluate`."""
        self._assign(weights)
        inputs, targets = self._validation.inputs, self._validation.targets
        if rows is not None:
            inputs, targets = inputs[rows], targets[rows]
        count = len(inputs)
        parts = [slice(start, start + AT_ONCE) for start in range(0, count, AT_ONCE)]
        found = [self._counted(inputs[part], targets[part]) for part in parts]
        loss, right = (float(sum(float(one[n]) for one in found)) for n in (0, 1))
        return Evaluated(loss / count, right / count)

    def _count(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        """Sums over a part of the validation set: of losses, and of those that were right."""
        tf, found = self._tf, self._model(self._scaled(inputs), training=False)
        labels = tf.cast(targets, tf.int64)
        right = tf.reduce_sum(tf.cast(tf.argmax(found, 1) == labels, tf.float32))
        return tf.reduce_sum(self._loss(labels, found)), right

    def _scaled(self, inputs: Any) -> Any:
        tf = self._tf
        pairs = zip(_each(inputs), self._ranges, strict=True)
        found = [tf.cast(one, tf.float32) * scale + shift for one, (scale, shift) in pairs]
        return found if len(found) > 1 else found[0]

    def _mean_loss(self, targets: Any, found: Any) -> Any:
        """Over the batch; of several outputs the sum, as TF.js has it."""
        each = found if isinstance(found, list | tuple) else [found]
        pairs = zip(_each(targets), each, strict=True)
        return self._tf.add_n([self._tf.reduce_mean(self._loss(target, one)) for target, one in pairs])

    def _assign(self, weights: Any) -> None:
        tf, sizes = self._tf, [int(np.prod(shape)) for shape in self._shapes]
        for variable, part, shape in zip(self._variables, tf.split(weights, sizes), self._shapes, strict=True):
            variable.assign(tf.reshape(part, shape))

    def _vector(self) -> Any:
        return self._tf.concat([self._tf.reshape(variable, [-1]) for variable in self._variables], 0)

    def _loss_and_gradient(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        tf = self._tf
        with tf.GradientTape() as tape:
            loss = self._mean_loss(targets, self._model(self._scaled(inputs), training=True))
        learning = [variable for variable in self._variables if id(variable) in self._learns]
        found = iter(tape.gradient(loss, learning))
        parts = [
            next(found) if id(variable) in self._learns else tf.zeros_like(variable) for variable in self._variables
        ]
        return loss, tf.concat([tf.reshape(part, [-1]) for part in parts], 0)

    def _gradient_of(self, weights: Any, inputs: Any, targets: Any) -> Any:
        self._assign(weights)
        return self._loss_and_gradient(inputs, targets)[1]

    def _compiled(self, optimizer: str, steps: int) -> Any:
        """So many steps of this optimizer as one function."""
        if optimizer not in ("sgd", "momentum", "adam", "muon"):
            raise Invalid(f"no client has an optimizer {optimizer!r}")

        def run(weights: Any, slots: Slots, inputs: Any, targets: Any, rate: Any) -> tuple[Any, Slots, Any]:
            self._assign(weights)
            total = 0.0
            for n in range(steps):
                loss, gradient = self._loss_and_gradient(_nth(inputs, n), _nth(targets, n))
                move, slots = self._move(optimizer, slots, gradient)
                self._assign(self._vector() - rate * move)  # what does not learn, a step itself moves
                total += loss / steps
            return self._vector(), slots, total

        return self._tf.function(run)

    def _move(self, optimizer: str, slots: Slots, gradient: Any) -> tuple[Any, Slots]:
        """See `webnn.simulate.optimizers.stepped`."""
        steps, mean, square = slots[0] + 1.0, slots[1], slots[2]
        if optimizer == "sgd":
            return gradient, slots
        if optimizer == "momentum":
            mean = MOMENTUM * mean + gradient
            return mean, (steps, mean, square)
        decay, epsilon = (SQUARES, EPSILON) if optimizer == "adam" else (MUON_SQUARES, MUON_EPSILON)
        mean = MOMENTUM * mean + (1 - MOMENTUM) * gradient
        square = decay * square + (1 - decay) * gradient * gradient
        corrected = self._tf.sqrt(square / (1 - decay**steps)) + epsilon
        move = mean / (1 - MOMENTUM**steps) / corrected
        if optimizer == "muon":
            move = self._muon(move * MUON_VECTORS, MOMENTUM * mean + (1 - MOMENTUM) * gradient)
        return move, (steps, mean, square)

    def _muon(self, vectors: Any, ahead: Any) -> Any:
        tf, sizes, parts = self._tf, [int(np.prod(shape)) for shape in self._shapes], []
        for shape, vector, matrix in zip(self._shapes, tf.split(vectors, sizes), tf.split(ahead, sizes), strict=True):
            turned = (
                tf.reshape(self._orthogonal(tf.reshape(matrix, [-1, shape[-1]])), [-1]) if len(shape) > 1 else vector
            )
            parts.append(turned)
        return tf.concat(parts, 0)

    def _orthogonal(self, matrix: Any) -> Any:
        tf, (a, b, c) = self._tf, NEWTON_SCHULZ
        rows, columns = matrix.shape
        x = tf.transpose(matrix) if rows > columns else matrix
        x /= tf.norm(matrix) + 1e-7
        for _ in range(ITERATIONS):
            gram = tf.matmul(x, x, transpose_b=True)
            x = a * x + tf.matmul(b * gram + c * tf.matmul(gram, gram), x)
        return tf.transpose(x) * float(np.sqrt(rows / columns)) if rows > columns else x


def _tensorflow() -> tuple[Any, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or it tells of every GPU that is not there
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off by default on some processors: 4 times as slow there
    try:
        with unremarked():
            import tensorflow as tf  # noqa: PLC0415  # seconds to import
            import tf_keras  # noqa: PLC0415
    except ImportError as error:
        raise Missing(f"this model takes TensorFlow, of the extra `tf`: pip install -e '.[tf]' ({error})") from error
    tf.config.set_visible_devices([], "GPU")
    return tf, tf_keras


def _each(arrays: Any) -> tuple[Any, ...]:
    """Of a model with several inputs or outputs a tuple of them; of one, that."""
    return arrays if isinstance(arrays, tuple) else (arrays,)


def _nth(arrays: Any, number: int) -> Any:
    return tuple(one[number] for one in arrays) if isinstance(arrays, tuple) else arrays[number]


def _built(keras: Any, spec: Spec) -> Any:
    try:
        model = keras.models.model_from_json(json.dumps(spec.topology))
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(f"Keras cannot build the model: {error}") from error
    if not isinstance(model, keras.Model):  # of a class that it does not know it makes a string
        raise Invalid(f"Keras cannot build the model: {spec.topology.get('class_name')!r} is none")
    return model


def _in_order(model: Any, spec: Spec) -> list[Any]:
    """The model's variables in the order of the spec's weights."""
    known = dict(variables(model))
    wanted = {tensor.name: tensor.shape for tensor in spec.weights}
    if {name: tuple(variable.shape) for name, variable in known.items()} != wanted:
        raise Invalid("Keras builds a model with other weights than the spec's")
    return [known[tensor.name] for tensor in spec.weights]
