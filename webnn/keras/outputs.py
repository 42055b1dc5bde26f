"""What the numbers that a model gives come from: a loss takes probabilities, or any numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

from webnn.keras.layers import MODELS

Config = Mapping[str, Any]
# What they give is what they get, or some of it, in another form.
PASSING = frozenset({
    "AlphaDropout", "Cropping2D", "Dropout", "Flatten", "GaussianDropout", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "MaxPooling1D", "MaxPooling2D", "Permute", "RepeatVector", "Reshape", "SpatialDropout1D",
})  # fmt: skip


def activations(topology: Config) -> list[str | None]:
    """The activation behind each output of a topology, as `to_tfjs` gives it; None where none is the last word."""
    config = topology["config"]
    layers: Sequence[Config] = config["layers"]
    if topology["class_name"] == "Sequential":
        return [_activation(layers, len(layers) - 1)]
    names = [layer["name"] for layer in layers]
    return [_activation(layers, names.index(name)) for name, *_ in config["output_layers"]]


def _activation(layers: Sequence[Config], at: int) -> str | None:
    kind, config = layers[at]["class_name"], layers[at]["config"]
    if kind in MODELS:
        found = activations(layers[at])
        return found[0] if len(found) == 1 else None
    if kind in PASSING:
        before = _before(layers, at)
        return None if before is None else _activation(layers, before)
    if kind == "TimeDistributed":
        return _activation([config["layer"]], 0)
    if kind == "Softmax":
        return "softmax"
    found = config.get("activation", "linear" if kind == "Dense" else None)
    return found if isinstance(found, str) else None


def _before(layers: Sequence[Config], at: int) -> int | None:
    """The layer that one gets what it gives from."""
    if "inbound_nodes" not in layers[at]:
        return at - 1 if at else None
    names = [layer["name"] for layer in layers]
    calls = layers[at]["inbound_nodes"]
    return names.index(calls[0][0][0]) if len(calls) == 1 else None
