"""What a model's layers give and what weights they have, from its topology alone: as Keras and TF.js build it.

Pure: needs neither. `tests/keras` holds it against models that Keras has built, with every layer of `layers.KNOWN`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from webnn.errors import Invalid
from webnn.keras.axes import Kind, Misfit, Shape
from webnn.keras.layer_shapes import KINDS
from webnn.keras.layers import MODELS

Config = Mapping[str, Any]
Call = tuple[str, int, int]  # layer, node, tensor


class Built(Struct, frozen=True):
    """A model, built as far as shapes go.

    Attributes:
        outputs: What it gives for one example; None where a length may differ.
        weights: Shapes by name.
        gives: What each layer gives, when it is called last.
    """

    outputs: tuple[Shape, ...]
    weights: dict[str, Shape]
    gives: dict[str, tuple[Shape, ...]]


def built(topology: Config, kinds: Mapping[str, Kind] = KINDS) -> Built:
    """Builds a model.

    Args:
        topology: As `to_tfjs` gives it.
        kinds: What each kind of layer makes of shapes.

    Raises:
        Invalid: A layer cannot be built on what it gets; `details["layer"]` is its name.
    """
    builder = _Builder(kinds)
    try:
        outputs = builder.model(topology, None)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        text = f"the description of layer {builder.at!r} makes no sense: {error!r}"
        raise Invalid(text, layer=builder.at) from error
    return Built(tuple(outputs), builder.weights, builder.gives)


class _Builder:
    """Attributes: `at`: the layer that it is at."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds
        self.at = ""
        self.weights: dict[str, Shape] = {}
        self.gives: dict[str, tuple[Shape, ...]] = {}

    def model(self, topology: Config, inputs: Sequence[Shape] | None) -> list[Shape]:
        """What a model gives for its inputs; None: for those that it says itself."""
        config = topology["config"]
        if topology["class_name"] == "Sequential":
            return self._sequential(config["layers"], inputs)
        return self._functional(config, inputs)

    def _sequential(self, layers: Sequence[Config], inputs: Sequence[Shape] | None) -> list[Shape]:
        found = list(inputs or [])
        for layer in layers:
            found = self._called(layer, found)
        return found

    def _functional(self, config: Config, inputs: Sequence[Shape] | None) -> list[Shape]:
        given = dict(zip((name for name, *_ in config["input_layers"]), inputs or (), strict=False))
        values: dict[Call, Shape] = {}
        waiting = [(layer, node, call) for layer in config["layers"] for node, call in enumerate(_calls(layer))]
        while waiting:
            left = []
            for layer, node, call in waiting:
                if all(one in values for one in call):
                    shapes = [given[layer["name"]]] if layer["name"] in given else [values[one] for one in call]
                    first = node + (layer["class_name"] in MODELS)  # where Keras 2 begins to count
                    for number, shape in enumerate(self._called(layer, shapes)):
                        values[layer["name"], first, number] = shape
                else:
                    left.append((layer, node, call))
            if len(left) == len(waiting):
                raise Invalid(f"layer {left[0][0]['name']!r} waits for itself", layer=left[0][0]["name"])
            waiting = left
        return [values[name, node, tensor] for name, node, tensor in config["output_layers"]]

    def _called(self, layer: Config, shapes: Sequence[Shape]) -> list[Shape]:
        """What a layer gives for what it gets. Its weights are those of its first call."""
        kind, config = layer["class_name"], layer["config"]
        self.at = name = str(config.get("name") or layer.get("name"))
        if kind in MODELS:
            found = self.model(layer, shapes)
        elif kind == "InputLayer":
            found = list(shapes) or [_input(name, config)]
        else:
            found = self._made(kind, name, config, shapes)
        self.gives[name] = tuple(found)
        return found

    def _made(self, kind: str, name: str, config: Config, shapes: Sequence[Shape]) -> list[Shape]:
        try:
            outputs, weights = self._kinds[kind](config, shapes)
        except Misfit as error:
            gets = " and ".join(str(list(shape)).replace("None", "any") for shape in shapes) or "nothing"
            raise Invalid(f"layer {name!r} is a {kind} and gets {gets}: {error}", layer=name, kind=kind) from error
        for part, shape in weights:
            self.weights.setdefault(f"{name}/{part}", shape)
        return outputs


def _input(name: str, config: Config) -> Shape:
    shape = tuple(config["batch_input_shape"][1:])
    if not shape:
        raise Invalid(f"input {name!r} is a single number: pages take at least one axis, keras.Input((1,))", layer=name)
    return shape


def _calls(layer: Config) -> list[tuple[Call, ...]]:
    """Of an input layer one, with nothing."""
    found = [tuple((name, node, tensor) for name, node, tensor, *_ in call) for call in layer.get("inbound_nodes", ())]
    return found or [()]
