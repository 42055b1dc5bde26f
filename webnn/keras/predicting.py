"""How a run's model predicts on this machine: with numpy where that is enough, else with Keras."""

from collections.abc import Sequence
from functools import partial

from webnn.core.wire import Array
from webnn.keras import building, weights
from webnn.keras.dense import Predict, dense
from webnn.keras.exporting import Trained
from webnn.keras.topology import to_tfjs


def predictor(trained: Trained) -> Predict:
    """What gives the outputs of the trained model for inputs, one array [n, ...] each.

    Raises:
        Missing: It takes TensorFlow, which is not installed.
        Invalid: The topology is none that Keras builds, or not that of the weights.
    """
    topology = to_tfjs(trained.topology)
    arrays = weights.arrays_of(trained.specs, trained.weights)
    light = dense(topology, arrays)
    if light is not None:
        return light
    return partial(_predicted, building.built(topology, arrays, keras=2))


def _predicted(model: object, inputs: Sequence[Array]) -> list[Array]:
    return building.predicted(model, inputs)
