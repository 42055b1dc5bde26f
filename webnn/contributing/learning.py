"""Training and evaluating a run's model on this machine: with numpy where that is enough, else with TensorFlow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from webnn.contributing.faults import Diverged, Unfit
from webnn.core.spec import Spec
from webnn.core.tensors import TensorSpec
from webnn.core.wire import Array, Vector, decode_tensors
from webnn.datasets import Dataset, Split
from webnn.errors import Corrupt, Invalid
from webnn.keras import building, weights
from webnn.keras.dense import dense
from webnn.keras.measures import Sums, measured
from webnn.keras.tensorflow import variables
from webnn.keras.topology import to_tfjs
from webnn.simulate.learner import Learner, MakeLearner, Practice
from webnn.simulate.learner_dense import DenseLearner, is_dense
from webnn.simulate.learner_tensorflow import TensorFlowLearner

SPARSE = "sparseCategoricalCrossentropy"

Columns = tuple[tuple[Array, ...], tuple[Array, ...]]  # inputs and targets, each [examples, ...]
AfterBatch = Callable[[int], bool]


class Practised(Struct, frozen=True):
    """One step: the weights after it, and the loss of its batch before it."""

    weights: Vector
    loss: float


class Training:
    """One run's model on this machine, and what its optimizer remembers. Built when it is first needed."""

    def __init__(self, spec: Spec, make: MakeLearner | None) -> None:
        """Takes the spec, and what makes a learner, if not the usual one."""
        self.spec = spec
        self._make = make or usual
        self._learner: Learner | None = None
        self._memory: Any = None
        self._remembers: object = None
        self._model: tuple[Any, Mapping[str, Any]] | None = None

    def forget(self) -> None:
        """Begins afresh: something went wrong."""
        self._learner = self._model = self._memory = None
        self._remembers = None

    def columns(self, body: bytes, examples: int) -> Columns:
        """The arrays of a shard, widened. Raises Corrupt if it is not what the spec says."""
        data = self.spec.data
        specs = [replace(one, shape=(examples, *one.shape)) for one in data.example]
        try:
            found = list(decode_tensors(specs, body).values())
        except Invalid as error:
            raise Corrupt(f"a shard is not what the spec says: {error.message}") from error
        return self.shaped(found)

    def shaped(self, arrays: Sequence[Array]) -> Columns:
        """Arrays of an example's tensors, in their order; values that are no class indices with an axis, as outputs."""
        count, classes = len(self.spec.data.inputs), self.spec.training.loss == SPARSE
        targets = [one.astype(np.int32) if classes else one.astype(np.float32) for one in arrays[count:]]
        wide = [one if classes or one.ndim > 1 else one[:, np.newaxis] for one in targets]
        return tuple(arrays[:count]), tuple(wide)

    def step(self, start: Vector, rows: Columns, practice: Practice, generation: int) -> Practised:
        """One step of the optimizer on a batch. What it remembers is of no use after a rollback.

        Raises:
            Diverged: The loss is no number.
            Unfit: The model is none that can be trained here.
            Missing: It takes TensorFlow, which is not installed.
        """
        learner = self._built(rows)
        if self._remembers != (practice.optimizer, generation):
            self._memory, self._remembers = learner.fresh(), (practice.optimizer, generation)
        inputs, targets = (_stacked(part) for part in rows)
        found = learner.train(start, self._memory, inputs, targets, practice)
        if not np.isfinite(found.loss):
            raise Diverged(f"the loss is {found.loss}")
        self._memory = found.memory
        return Practised(found.weights, found.loss)

    def _built(self, rows: Columns) -> Learner:
        if self._learner is None:
            example = Split(rows[0][0][:1], rows[1][0][:1])
            plain = tuple(replace(one, quantization=None) for one in self.spec.data.inputs)
            spec = replace(self.spec, data=replace(self.spec.data, inputs=plain))
            try:
                self._learner = self._make(spec, Dataset(example, example))
            except Invalid as error:
                raise Unfit(error.message) from error
        return self._learner

    def evaluated(self, vector: Vector, shards: Sequence[Columns], batch: int, more: AfterBatch) -> Sums | None:
        """Loss and accuracy on all of the shards; None when `more`, called after each batch, says that it is too late.

        Raises:
            Diverged: The loss is no number.
        """
        predict, sums = self._predictor(vector), Sums()
        for inputs, targets in _batches(shards, batch):
            sums += measured(self.spec.training.loss, targets, predict(inputs))
            if not more(sums.examples):
                return None
        if not np.isfinite(sums.loss):
            raise Diverged(f"the loss of this checkpoint is {sums.loss}")
        return sums

    def _predictor(self, vector: Vector) -> Callable[[Sequence[Array]], list[Array]]:
        topology = to_tfjs(self.spec.topology)
        arrays = weights.arrays_of(self.spec.weights, vector)
        light = dense(topology, arrays)
        if light is not None:
            return light
        if self._model is None:
            model = building.built(topology, None, keras=2)
            self._model = model, dict(variables(model))
        model, places = self._model
        building.assign(places, weights.renamed(arrays, list(places)))
        return lambda inputs: building.predicted(model, inputs)


def usual(spec: Spec, dataset: Dataset) -> Learner:
    """Numpy's learner for chains of dense layers that give classes, else TensorFlow's."""
    if _is_light(spec.topology, spec.data.inputs) and spec.training.loss == SPARSE:
        return DenseLearner(spec, dataset)
    return TensorFlowLearner(spec, dataset)


def _is_light(topology: Mapping[str, Any], inputs: Sequence[TensorSpec]) -> bool:
    if len(inputs) > 1 or not is_dense(topology):
        return False
    layers = topology["config"]["layers"]
    dropped = any(layer["config"].get("rate") for layer in layers if layer["class_name"] == "Dropout")
    return not dropped and layers[-1]["config"].get("activation") == "softmax"


def taken(columns: Columns, rows: Array) -> Columns:
    """These examples."""
    inputs, targets = columns
    return tuple(one[rows] for one in inputs), tuple(one[rows] for one in targets)


def _stacked(part: tuple[Array, ...]) -> Any:
    """As learners take one step: [1, batch, …], several inputs as a tuple."""
    found = tuple(one[np.newaxis] for one in part)
    return found if len(found) > 1 else found[0]


def _batches(shards: Sequence[Columns], size: int) -> Iterator[tuple[list[Array], list[Array]]]:
    for inputs, targets in shards:
        for start in range(0, len(inputs[0]), size):
            yield [one[start : start + size] for one in inputs], [one[start : start + size] for one in targets]
