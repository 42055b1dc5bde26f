"""What goes into a model, and examples of it by chance: for comparing what two builds of a model predict. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from webnn.core.wire import Array
from webnn.keras.layers import MODELS

Config = dict[str, Any]
EXAMPLES = 4
UNDEFINED = 8  # what an axis of no certain length has in these examples
# What leaves whole numbers as they are.
MOVING = ("InputLayer", "Reshape", "Flatten", "Permute", "RepeatVector", "Cropping2D")


class Input(Struct, frozen=True):
    """One input.

    Attributes:
        shape: Of one example; None where it may have any length.
        below: Where an embedding looks them up: whole numbers from 0 on, all below this.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    below: int | None


def inputs_of(topology: Mapping[str, Any]) -> list[Input]:
    """The inputs of a topology, in order."""
    config = topology["config"]
    if topology["class_name"] == "Sequential":
        return [_input(config["layers"][0], _first_embedding(config["layers"]))]
    layers = {layer["name"]: layer for layer in config["layers"]}
    below = dict(_looked_up(layers))
    return [_input(layers[name], below.get(name)) for name, *_ in config["input_layers"]]


def _input(layer: Config, below: int | None) -> Input:
    config = layer["config"]
    shape = tuple(config["batch_input_shape"][1:])
    return Input(config["name"], shape, config.get("dtype", "float32"), below)


def _first_embedding(layers: Sequence[Config]) -> int | None:
    for layer in layers:
        if layer["class_name"] not in MOVING:
            return _rows(layer)
    return None


def _rows(layer: Config) -> int | None:
    """Of an embedding, or of the smallest that a nested model has."""
    if layer["class_name"] == "Embedding":
        return int(layer["config"]["input_dim"])
    if layer["class_name"] not in MODELS:
        return None
    found = [rows for rows in map(_rows, layer["config"]["layers"]) if rows is not None]
    return min(found, default=None)


def _looked_up(layers: Mapping[str, Config]) -> Iterator[tuple[str, int]]:
    """The inputs of a functional model that an embedding looks up, the most restrictive last."""
    found = [(rows, layer["name"]) for layer in layers.values() if (rows := _rows(layer)) is not None]
    for rows, name in sorted(found, reverse=True):
        left = list(_sources(layers[name]))
        while left:
            source = layers[left.pop()]
            if source["class_name"] == "InputLayer":
                yield source["name"], rows
            elif source["class_name"] in MOVING:
                left += _sources(source)


def _sources(layer: Config) -> Iterator[str]:
    for call in layer["inbound_nodes"]:
        yield from (tensor[0] for tensor in call)


def examples(topology: Mapping[str, Any], random: np.random.Generator) -> list[Array]:
    """Some examples for each input [examples, ...]."""
    return [_drawn(one, random) for one in inputs_of(topology)]


def _drawn(one: Input, random: np.random.Generator) -> Array:
    shape = (EXAMPLES, *(UNDEFINED if length is None else length for length in one.shape))
    if one.below is not None or one.dtype != "float32":
        return random.integers(0, one.below or 2, shape).astype(one.dtype)
    return random.normal(size=shape).astype(np.float32)
