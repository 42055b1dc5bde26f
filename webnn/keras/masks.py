"""Masks: which steps of a sequence do not count. TF.js passes them through other layers than Keras does. Pure."""

from collections.abc import Mapping
from typing import Any

from webnn.errors import Invalid
from webnn.keras.layers import MODELS

Config = dict[str, Any]
RECURRENT = ("SimpleRNN", "LSTM", "GRU", "Bidirectional")
# `web/test/keras.test.ts` has seen of these that a mask reaches a recurrent layer behind them as it does in Keras.
PASSING = (
    "Dropout", "SpatialDropout1D", "Activation", "Dense", "BatchNormalization", "LayerNormalization", "TimeDistributed",
    "Concatenate",
)  # fmt: skip


def check_masking(topology: Config, alone: bool = True) -> None:
    """Checks that Masking is on inputs alone. Raises Invalid, for TF.js has no gradient through it.

    Args:
        topology: Of a model.
        alone: Whether its inputs are data, and not what other layers give.
    """
    layers = topology["config"]["layers"]
    kinds = {layer["config"]["name"]: layer["class_name"] for layer in layers}
    for place, layer in enumerate(layers):
        if layer["class_name"] in MODELS:
            check_masking(layer, alone=False)
        calls = layer.get("inbound_nodes", [[[layers[max(place - 1, 0)]["config"]["name"]]]])
        sources = {kinds.get(tensor[0]) for call in calls for tensor in call}
        if layer["class_name"] == "Masking" and not (alone and sources == {"InputLayer"}):
            name = layer["config"]["name"]
            raise Invalid(f"layer {name!r} is a Masking behind other layers: TF.js cannot train what is before it")


def check_masks(topology: Config) -> bool:
    """Whether the model's output is masked.

    Raises:
        Invalid: A layer is masked that gives something else in TF.js than in Keras.
    """
    layers = topology["config"]["layers"]
    if topology["class_name"] == "Sequential":
        masked = False
        for layer in layers:
            masked = _gives(layer, [masked])
        return masked
    found: dict[str, bool] = {}
    named = {layer["name"]: layer for layer in layers}
    outputs = [_of(name, named, found) for name, *_ in topology["config"]["output_layers"]]  # each is to be checked
    return any(outputs)


def _of(name: str, layers: Mapping[str, Config], found: dict[str, bool]) -> bool:
    if name not in found:
        layer = layers[name]
        sources = [tensor[0] for call in layer["inbound_nodes"] for tensor in call]
        found[name] = _gives(layer, [_of(source, layers, found) for source in sources])
    return found[name]


def _gives(layer: Config, masked: list[bool]) -> bool:
    """Whether the layer gives something masked, of inputs that are or are not."""
    kind, config = layer["class_name"], layer["config"]
    inside = kind in MODELS and check_masks(layer)
    begins = kind == "Masking" or config.get("mask_zero", False)
    if not any(masked):
        return bool(begins or inside)
    sequences = _gives_sequences(kind, config)
    if kind not in RECURRENT + PASSING or not all(masked) or (kind == "Bidirectional" and sequences):
        name = config.get("name")
        raise Invalid(
            f"layer {name!r} is a {kind} behind a mask, of which TF.js makes something else than Keras: "
            "build the model with mask_zero=False and without Masking"
        )
    return sequences if kind in RECURRENT else True


def _gives_sequences(kind: str, config: Config) -> bool:
    inner = config["layer"]["config"] if kind == "Bidirectional" else config
    return bool(inner.get("return_sequences", False))
