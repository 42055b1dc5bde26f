"""First weights, as Keras initialises them by default: what version 0 holds."""

from collections.abc import Sequence
from math import prod, sqrt

import numpy as np

from webnn.core.tensors import TensorSpec
from webnn.core.wire import Vector
from webnn.errors import Invalid

ZEROS = ("bias", "beta", "moving_mean")
ONES = ("gamma", "moving_variance")
GLOROT = ("kernel", "depthwise_kernel", "pointwise_kernel")


def initial_weights(specs: Sequence[TensorSpec], random: np.random.Generator) -> Vector:
    """Weights for the specs, float32 [parameters].

    Kernels are Glorot uniform (Glorot, Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", 2010), embeddings uniform in +-0.05, biases 0, scales 1.

    Raises:
        Invalid: A weight's name says nothing about how to begin; bring initial weights.
    """
    return np.concatenate([_initial(spec, random) for spec in specs])


def _initial(spec: TensorSpec, random: np.random.Generator) -> Vector:
    kind = spec.name.rpartition("/")[2]
    if kind in ZEROS:
        return np.zeros(spec.size, np.float32)
    if kind in ONES:
        return np.ones(spec.size, np.float32)
    if kind == "embeddings":
        return random.uniform(-0.05, 0.05, spec.size).astype(np.float32)
    if kind in GLOROT and len(spec.shape) >= 2:
        limit = _glorot_limit(spec.shape)
        return random.uniform(-limit, limit, spec.size).astype(np.float32)
    raise Invalid(f"no default for weight {spec.name!r}: bring initial weights")


def _glorot_limit(shape: tuple[int, ...]) -> float:
    receptive_field = prod(shape[:-2])
    return sqrt(6.0 / (receptive_field * (shape[-2] + shape[-1])))
