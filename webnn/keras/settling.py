"""A topology as TF.js builds it: where Keras works a shape out, or leaves it as it is, TF.js is told it. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from webnn.keras.axes import Config, Kind, Made, Shape, one
from webnn.keras.layer_shapes import KINDS, flatten, reshape_in_keras
from webnn.keras.layers import EVERY
from webnn.keras.shapes import built
from webnn.keras.topology import leaves


def settled(topology: Mapping[str, Any]) -> dict[str, Any]:
    """The same model, with the lengths of a Reshape instead of -1, and such a Reshape for a Flatten of what is flat.

    Args:
        topology: As `to_tfjs` gives it. It is left as it is.

    Raises:
        Invalid: A layer cannot be built or trained in TF.js on what it gets; `details["layer"]` is its name.
    """
    asked: dict[str, set[Shape]] = defaultdict(set)
    built(topology, {**KINDS, "Flatten": _noting(_flatten, asked), "Reshape": _noting(reshape_in_keras, asked)})
    found = deepcopy(dict(topology))
    for layer in leaves(found):
        shapes = asked[layer["config"]["name"]]
        if len(shapes) == 1 and None not in (target := shapes.pop()):
            config = {option: value for option, value in layer["config"].items() if option in EVERY}
            layer |= {"class_name": "Reshape", "config": {**config, "target_shape": list(target)}}
    built(found)
    return found


def _flatten(config: Config, shapes: Sequence[Shape]) -> Made:
    """As Keras does it: what has one axis, or none, has one afterwards."""
    shape = one(shapes)
    return flatten(config, shapes) if len(shape) > 1 else ([shape or (1,)], [])


def _noting(kind: Kind, asked: dict[str, set[Shape]]) -> Kind:
    """Notes what a layer gives, by its name, if TF.js needs to be told."""

    def noted(config: Config, shapes: Sequence[Shape]) -> Made:
        made = kind(config, shapes)
        if -1 in config.get("target_shape", [-1] if len(shapes[0]) < 2 else ()):
            asked[config["name"]].add(made[0][0])
        return made

    return noted
