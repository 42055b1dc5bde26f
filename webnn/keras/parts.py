"""What stands in a layer's config: activations, initializers, regularizers, dtypes, as TF.js knows them. Pure."""

from collections.abc import Mapping
from typing import Any

from webnn.errors import Invalid
from webnn.keras.layers import ACTIVATIONS, INITIALIZERS, OTHER_NAMES

L1, L2 = "L1", "L2"


def part(layer: Any, option: str, value: Any) -> Any:
    """An option's value in TF.js's dialect.

    Raises:
        Invalid: Naming the layer: TF.js has no such part, or gives something else for it.
    """
    if option == "dtype":
        return _dtype(layer, value)
    if option in {"activation", "recurrent_activation"}:
        return _activation(layer, value)
    if option.endswith("_initializer"):
        return _initializer(option, value)
    if option.endswith("_regularizer"):
        return _regularizer(layer, option, value)
    if option == "axis" and isinstance(value, list) and len(value) == 1:
        return value[0]
    return value


def _dtype(layer: Any, value: Any) -> Any:
    name = value.get("config", {}).get("name") if isinstance(value, Mapping) else value
    if name not in ("float32", "int32", "bool", None):
        raise Invalid(f"layer {layer!r} computes in {name}: pages train in float32")
    return name or "float32"


def _activation(layer: Any, value: Any) -> str:
    name = value.get("class_name") if isinstance(value, Mapping) else value or "linear"
    name = OTHER_NAMES.get(str(name), name)
    if name not in ACTIVATIONS:
        raise Invalid(f"layer {layer!r} has the activation {name!r}: TF.js has {', '.join(ACTIVATIONS)}")
    return str(name)


def _initializer(option: str, value: Any) -> Any:
    """How weights would begin. They are given, so one that TF.js lacks is another that it has.

    So is Orthogonal: TF.js has it, and takes minutes over it where layers are large.
    """
    kind, config = (value.get("class_name"), value.get("config", {})) if isinstance(value, Mapping) else (value, {})
    if kind not in INITIALIZERS:
        return {"class_name": "Zeros" if option.startswith("bias") else "GlorotUniform", "config": {}}
    return {"class_name": kind, "config": {key: one for key, one in config.items() if not key.endswith("_axes")}}


def _regularizer(layer: Any, option: str, value: Any) -> Any:
    if value is None:
        return None
    kind, config = (value.get("class_name"), value.get("config", {})) if isinstance(value, Mapping) else (value, {})
    if kind not in (L1, L2, "L1L2"):
        raise Invalid(f"layer {layer!r} has {option} {kind!r}: TF.js has L1, L2 and L1L2")
    return {"class_name": "L1L2", "config": {key: float(config.get(key, 0.0)) for key in ("l1", "l2")}}


def modern(value: Any) -> Any:
    """A part as Keras 3 writes it: with the module that its class is in."""
    if not isinstance(value, Mapping) or value.get("class_name") not in (*INITIALIZERS, "L1L2"):
        return value
    module = "keras.regularizers" if value["class_name"] == "L1L2" else "keras.initializers"
    return {"module": module, **value, "registered_name": None}
