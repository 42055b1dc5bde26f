"""Keras's description of a model as the topology that TF.js loads (Keras 2's dialect), and back as Keras 3's.

Pure: nothing here needs Keras. What TF.js cannot load or train is refused with the layer's name.
"""

from collections.abc import Mapping
from typing import Any

from webnn.errors import Invalid
from webnn.keras import graph, parts
from webnn.keras.layers import EVERY, KNOWN, MODELS, PASSED_OVER, WHY, Known
from webnn.keras.masks import check_masking, check_masks

Config = dict[str, Any]


def to_tfjs(described: Mapping[str, Any]) -> Config:
    """The topology of a model, from what `to_json` gives or a model's file holds, of Keras 3 or 2.

    Raises:
        Invalid: It is no Sequential or functional model, or one of its layers cannot be trained in a page.
    """
    try:
        return _translated(described)
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        raise Invalid(f"the description of the layers makes no sense: {error!r}") from error


def refusal(layer: Mapping[str, Any]) -> str | None:
    """Why a page could not load or train a layer by itself, which is no model; None if it could."""
    try:
        _layer(_plain(layer))
    except Invalid as error:
        return error.message
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError) as error:
        return f"the description of the layer makes no sense: {error!r}"
    return None


def _translated(described: Mapping[str, Any]) -> Config:
    described = _plain(described.get("model_config", described))  # one that TF.js wrote may be wrapped
    kind, config = described.get("class_name"), described.get("config")
    if kind not in MODELS or not isinstance(config, Mapping) or not isinstance(config.get("layers"), list):
        raise Invalid(
            f"a model is Sequential or functional; {kind!r} says no layers: build it with keras.Model(in, out)"
        )
    found = _model(str(kind), dict(config))
    _check_inputs(found)
    _check_names(found)
    check_masking(found)
    check_masks(found)
    return found


def _plain(value: Any) -> Any:
    """With lists where Keras says in a dictionary that it is a tuple or a shape."""
    if isinstance(value, Mapping):
        if value.get("class_name") in ("__tuple__", "TensorShape"):
            return _plain(value.get("items", value.get("config", {}).get("value")))
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _model(kind: str, config: Config) -> Config:
    if kind == "Sequential":
        layers = [_layer(layer) for layer in _begun(config["layers"])]
        return {"class_name": kind, "config": {"name": config.get("name", "sequential"), "layers": layers}}
    return {"class_name": "Functional", "config": _functional(config)}


def _begun(layers: list[Config]) -> list[Config]:
    """The layers of a Sequential; an input layer first, where the first of them says what its input is."""
    config = layers[0]["config"] if layers else {}
    if not layers or layers[0]["class_name"] == "InputLayer" or "batch_input_shape" not in config:
        return layers
    start = {"batch_input_shape": config["batch_input_shape"], "name": f"{config.get('name')}_input"}
    kind = "int32" if layers[0]["class_name"] == "Embedding" else "float32"
    return [{"class_name": "InputLayer", "config": start | {"dtype": kind}}, *layers]


def _functional(config: Config) -> Config:
    described = graph.without_masks(config)
    layers = []
    for layer, nodes in zip(described, _inbound(described), strict=True):
        layers.append(_layer(layer) | {"name": layer["name"], "inbound_nodes": nodes})
    return {
        "name": config.get("name", "model"),
        "layers": layers,
        "input_layers": graph.ends(config["input_layers"]),
        "output_layers": graph.outputs(config, described),
    }


def _inbound(layers: list[Config]) -> list[Any]:
    for layer in layers:
        _check_kind(layer)  # before its calls, which may be odd because it is
    return graph.inbound(layers)


def _layer(layer: Config) -> Config:
    kind, config = layer["class_name"], layer["config"]
    _check_kind(layer)
    if kind in MODELS:
        return _model(kind, config)
    return {"class_name": kind, "config": _config(kind, KNOWN[kind], config)}


def _check_kind(layer: Config) -> None:
    kind, name = layer["class_name"], layer["config"].get("name", layer.get("name"))
    if graph.is_operation(layer):
        raise Invalid(f"layer {name!r} is the bare function {kind}: use a layer, such as keras.layers.Add()([a, b])")
    if kind not in KNOWN and kind not in MODELS:
        why = WHY.get(kind, "it is none that pages are known to train (docs/keras.md)")
        raise Invalid(f"layer {name!r} is a {kind}: {why}", layer=name, kind=kind)
    if ">" in str(layer.get("registered_name")):
        raise Invalid(f"layer {name!r} is a {kind} of your own: a page has only those of Keras", layer=name, kind=kind)


def _config(kind: str, known: Known, config: Config) -> Config:
    config = _in_old_words(known, config)
    name = config.get("name")
    if kind == "Bidirectional":
        _check_backward(config)
    kept: Config = {}
    for option, value in config.items():
        if value is not None and option in known.fixed and not _is_fixed(known.fixed[option], value):
            raise Invalid(_refusal(kind, name, option, value), layer=name, kind=kind, option=option)
        if value is None or option in known.idle:
            continue
        if option in known.options or option in EVERY or (option, kind) == ("batch_input_shape", "InputLayer"):
            kept[option] = parts.part(name, option, value)
        elif option not in known.fixed and option not in PASSED_OVER:
            raise Invalid(_refusal(kind, name, option, value), layer=name, kind=kind, option=option)
    if "layer" in kept:
        kept["layer"] = _layer(config["layer"])
        name = kept["layer"]["config"].get("name", "")
        kept["layer"]["config"]["name"] = without_way(name) if kind == "Bidirectional" else name
    return kept


def without_way(name: str) -> str:
    """What a layer was called before a Bidirectional put `forward_` or `backward_` before it, maybe more than once."""
    while name.startswith(("forward_", "backward_")):
        name = name.partition("_")[2]
    return name


def _in_old_words(known: Known, config: Config) -> Config:
    old = {new: old for old, new in known.renamed.items()} | {"batch_shape": "batch_input_shape"}
    return {old.get(option, option): value for option, value in config.items()}


def _is_fixed(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, tuple):
        return value in wanted
    values = value if isinstance(value, list) and value else [value]
    return all(one is None or one == wanted for one in values)


def _refusal(kind: str, name: Any, option: str, value: Any) -> str:
    why = WHY.get(option, "TF.js does not do that")
    return f"layer {name!r} is a {kind} with {option}={value!r}: {why}"


def _check_backward(config: Config) -> None:
    """Keras may have another layer for the way back; TF.js makes it from the one for the way there."""
    there, back = config["layer"], config.get("backward_layer")
    if back is None:
        return
    ignored = ("name", "go_backwards", "seed")
    one, other = ({k: v for k, v in layer["config"].items() if k not in ignored} for layer in (there, back))
    if there["class_name"] != back["class_name"] or one != other:
        raise Invalid(f"layer {config.get('name')!r} has another layer for the way back: TF.js wants both alike")


def leaves(topology: Config) -> list[Config]:
    """The layers of a topology that are no models, those of nested models in their place."""
    found: list[Config] = []
    for layer in topology["config"]["layers"]:
        found += leaves(layer) if layer["class_name"] in MODELS else [layer]
    return found


def _check_names(topology: Config) -> None:
    names = [layer["config"]["name"] for layer in leaves(topology) if layer["class_name"] != "InputLayer"]
    for name in names:
        if names.count(name) > 1:
            raise Invalid(
                f"two layers are called {name!r}: name one anew, for their weights go by these names", layer=name
            )


def _check_inputs(topology: Config) -> None:
    """A page builds the model before it sees data."""
    layers = topology["config"]["layers"]
    if not layers or (topology["class_name"] == "Sequential" and "batch_input_shape" not in layers[0]["config"]):
        raise Invalid("the model does not say what its input looks like: begin it with keras.Input(shape)")


def to_keras3(topology: Mapping[str, Any]) -> Config:
    """A topology as Keras 3's `model_from_json` takes it."""
    kind, config = topology["class_name"], topology["config"]
    if kind == "Sequential":
        layers = [_modern(layer) for layer in config["layers"]]
        return _object("keras", kind, {"name": config.get("name", "sequential"), "layers": layers})
    nodes = graph.recalled(config["layers"])
    layers = [
        _modern(layer) | {"name": layer["name"], "inbound_nodes": calls}
        for layer, calls in zip(config["layers"], nodes, strict=True)
    ]
    ends = {"input_layers": config["input_layers"], "output_layers": graph.recalled_outputs(config)}
    found = {"name": config.get("name", "model"), "trainable": True, "layers": layers, **ends}
    return _object("keras.src.models.functional", "Functional", found)


def _modern(layer: Config) -> Config:
    kind, config = layer["class_name"], layer["config"]
    if kind in MODELS:
        return to_keras3(layer)
    new = {**KNOWN[kind].renamed, "batch_input_shape": "batch_shape"} if kind in KNOWN else {}
    known = {new.get(option, option): value for option, value in config.items()}
    if "layer" in known:
        known["layer"] = _modern(known["layer"])
    if known.get("trainable") is True:  # some take no word of it
        del known["trainable"]
    return _object("keras.layers", kind, {option: parts.modern(value) for option, value in known.items()})


def _object(module: str, kind: str, config: Config) -> Config:
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}
