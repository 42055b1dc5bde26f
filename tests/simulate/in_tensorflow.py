"""What the TensorFlow learner makes of what it is given. Runs in an environment of its own: see the Makefile.

python in_tensorflow.py FOUND.json
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from webnn.core import spec as specs
from webnn.core.initial import initial_weights
from webnn.core.spec import Spec
from webnn.core.wire import Vector
from webnn.datasets import Dataset, Split, digits
from webnn.errors import Invalid
from webnn.simulate.learner import Practice
from webnn.simulate.learner_dense import DenseLearner
from webnn.simulate.learner_tensorflow import TensorFlowLearner
from webnn.simulate.population import Population
from webnn.simulate.run import Goal, Simulation, simulate

TESTS = Path(__file__).parents[1]
DIGITS: dict[str, Any] = json.loads((TESTS.parent / "examples" / "digits" / "spec.json").read_text())
SHARD = {"sha256": "0" * 64, "bytes": 65, "examples": 1}
PRACTICES = [Practice("sgd", 0.1), Practice("momentum", 0.05), Practice("adam", 0.01), Practice("muon", 0.03)]
NORMALISED = {
    "class_name": "Sequential",
    "config": {
        "name": "normalised",
        "layers": [
            {"class_name": "Flatten", "config": {"name": "flatten", "batch_input_shape": [None, 8, 8, 1]}},
            {"class_name": "BatchNormalization", "config": {"name": "norm", "axis": [1], "momentum": 0.9}},
            {"class_name": "Dense", "config": {"name": "digit", "units": 10, "activation": "softmax"}},
        ],
    },
}
NORMALISED_WEIGHTS = [
    {"name": name, "shape": shape, "dtype": "float32"}
    for name, shape in [
        *((f"norm/{kind}", [64]) for kind in ("gamma", "beta", "moving_mean", "moving_variance")),
        ("digit/kernel", [64, 10]),
        ("digit/bias", [10]),
    ]
]


# The names that pages and `webnn import` use; Keras puts the cell's name between.
RECURRENT = {
    "class_name": "Sequential",
    "config": {
        "name": "recurrent",
        "layers": [
            {"class_name": "LSTM", "config": {"name": "memory", "units": 3, "batch_input_shape": [None, 8, 8]}},
            {"class_name": "Dense", "config": {"name": "digit", "units": 10, "activation": "softmax"}},
        ],
    },
}
RECURRENT_WEIGHTS = [
    {"name": name, "shape": shape, "dtype": "float32"}
    for name, shape in [
        ("memory/kernel", [8, 12]), ("memory/recurrent_kernel", [3, 12]), ("memory/bias", [12]),
        ("digit/kernel", [3, 10]), ("digit/bias", [10]),
    ]
]  # fmt: skip


def spec_of(**members: Any) -> Spec:
    data = DIGITS["data"] | {"train": [SHARD], "validation": [SHARD]}
    return specs.parse(specs.encode(DIGITS | {"data": data} | members))


def both_learners(dataset: Dataset) -> dict[str, Any]:
    """How far TensorFlow's and numpy's are apart after three steps of each optimizer, and in what they validate."""
    spec = spec_of()
    learners = TensorFlowLearner(spec, dataset), DenseLearner(spec, dataset)
    weights, train = initial_weights(spec.weights, np.random.default_rng(1)), dataset.train
    inputs, targets = train.inputs[:96].reshape(3, 32, *train.inputs.shape[1:]), train.targets[:96].reshape(3, 32)
    apart: dict[str, float] = {}
    for practice in PRACTICES:
        learned = [one.train(weights, one.fresh(), inputs, targets, practice) for one in learners]
        apart[practice.optimizer] = furthest(learned[0].weights, learned[1].weights)
        apart[f"{practice.optimizer} loss"] = abs(learned[0].loss - learned[1].loss)
    apart["gradient"] = furthest(*(one.gradient(weights, inputs[0], targets[0]) for one in learners))
    for rows in (None, np.arange(50)):
        found = [one.evaluate(weights, rows) for one in learners]
        apart[f"loss of {rows is None}"] = abs(found[0].loss - found[1].loss)
        apart[f"accuracy of {rows is None}"] = abs(found[0].accuracy - found[1].accuracy)
    return apart


def furthest(one: Vector, other: Vector) -> float:
    return float(np.abs(one - other).max())


def statistics(dataset: Dataset) -> dict[str, Any]:
    """What training does to a batch normalisation's moving mean, and what an evaluation does to it."""
    spec = spec_of(modelTopology=NORMALISED, weightsManifest=[{"weights": NORMALISED_WEIGHTS}])
    learner = TensorFlowLearner(spec, dataset)
    weights, train = initial_weights(spec.weights, np.random.default_rng(1)), dataset.train
    inputs, targets = train.inputs[None, :64], train.targets[None, :64]
    learned = learner.train(weights, learner.fresh(), inputs, targets, Practice("muon", 0.03))
    seen = inputs[0].reshape(64, 64) / 16
    learner.evaluate(learned.weights)
    again = learner.train(weights, learner.fresh(), inputs, targets, Practice("muon", 0.03))
    return {
        "mean": furthest(learned.weights[128:192], (0.1 * seen.mean(axis=0)).astype(np.float32)),
        "again": furthest(learned.weights, again.weights),
    }


def refused(dataset: Dataset, **members: Any) -> str:
    try:
        TensorFlowLearner(spec_of(**members), dataset)
    except Invalid as error:
        return error.message
    return "nothing"


def main(path: str) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    loaded = digits(np.random.default_rng(0))
    dataset = Dataset(*(Split(part.inputs[..., None], part.targets) for part in (loaded.train, loaded.validation)))
    population = Population(clients=4)
    lived = simulate(Simulation(DIGITS, loaded, TensorFlowLearner, population, 1), Goal(0.9, 100, 4))
    other = [{"name": "digit/kernel", "shape": [64, 10], "dtype": "float32"}]
    found = {
        "apart": both_learners(loaded),
        "statistics": statistics(dataset),
        "time": lived.time,
        "recurrent": refused(loaded, modelTopology=RECURRENT, weightsManifest=[{"weights": RECURRENT_WEIGHTS}]),
        "refused": [
            refused(loaded, modelTopology={"class_name": "Nix", "config": {}}),
            refused(loaded, weightsManifest=[{"weights": other}]),
        ],
    }
    Path(path).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
