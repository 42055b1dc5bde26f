"""How layers are connected: Keras 3's nodes as Keras 2's, which TF.js reads, and back.

Keras 3 writes down a call, with its tensors somewhere among the arguments; Keras 2 a list of tensors, each
`[layer, node, tensor, {}]`. Nodes of a nested model begin at 1 in Keras 2, which counts the model's own making.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from webnn.errors import Invalid

Config = dict[str, Any]
Tensor = list[Any]  # [layer, node, tensor, …]

NESTED = ("Sequential", "Functional", "Model")
OPERATIONS = "keras.src.ops"
# Called with `training=False` they differ in training from what TF.js does; others of Keras 3 say it unasked.
HEEDING = ("BatchNormalization", *NESTED)


def inbound(layers: Sequence[Config]) -> list[list[list[Tensor]]]:
    """The inbound nodes of each layer as Keras 2 writes them, of either dialect.

    Raises:
        Invalid: A layer is called with anything but tensors.
    """
    first = {layer["name"]: int(layer["class_name"] in NESTED) for layer in layers}
    shift = first if is_modern(layers) else {}
    found = [[_node(layer, call, shift) for call in layer.get("inbound_nodes") or ()] for layer in layers]
    _check_nodes(layers, found, first)
    return found


def _check_nodes(layers: Sequence[Config], found: Sequence[list[list[Tensor]]], first: Mapping[str, int]) -> None:
    """That each call's tensors come from a call that is there: Keras 2 looks for others for ever."""
    calls = {layer["name"]: max(1, len(nodes)) for layer, nodes in zip(layers, found, strict=True)}
    for layer, nodes in zip(layers, found, strict=True):
        for name, node, *_ in (tensor for call in nodes for tensor in call):
            if name not in calls or not first[name] <= node < first[name] + calls[name]:
                raise Invalid(f"layer {layer['name']!r} takes what {name!r} gives at call {node}, which is not there")


def _node(layer: Config, call: Any, shift: Mapping[str, int]) -> list[Tensor]:
    if isinstance(call, list):
        return [_listed(layer, tensor, shift) for tensor in call]
    arguments = call.get("args", [])
    for name, value in call.get("kwargs", {}).items():
        _check_option(layer, name, value)
    alone = len(arguments) == 1
    tensors = arguments[0] if alone and isinstance(arguments[0], list) else arguments
    if not alone or not all(map(_is_tensor, tensors)):
        raise Invalid(f"layer {layer['name']!r} is called with more than its inputs: that cannot be told to TF.js")
    return [[name, node + shift.get(name, 0), tensor, {}] for name, node, tensor in map(_history, tensors)]


def _listed(layer: Config, tensor: Any, shift: Mapping[str, int]) -> Tensor:
    name, node, number, *options = tensor
    for option, value in (options[0] if options else {}).items():
        _check_option(layer, option, value)
    return [name, node + shift.get(name, 0), number, {}]


def _check_option(layer: Config, name: str, value: Any) -> None:
    """A mask follows from the layers before."""
    unasked = name == "training" and value is False and layer["class_name"] not in HEEDING
    if value is None or name == "mask" or unasked:
        return
    raise Invalid(f"layer {layer['name']!r} is called with {name}={value!r}: pages call layers with their inputs alone")


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


def _history(value: Any) -> Any:
    return value["config"]["keras_history"]


def without_masks(config: Config) -> list[Config]:
    """The layers of a functional config, less the operations that only work out a mask: TF.js does that itself."""
    layers = {layer["name"]: layer for layer in config["layers"]}
    needed: set[str] = set()
    left = [name for name, *_ in ends(config["output_layers"])]
    while left:
        name = left.pop()
        if name not in needed and name in layers:
            needed.add(name)
            left += _sources(layers[name])
    return [layer for layer in config["layers"] if layer["name"] in needed or layer["class_name"] == "InputLayer"]


def is_operation(layer: Config) -> bool:
    """Whether this is a bare function of Keras 3, such as that behind `x + y`."""
    return str(layer.get("module", "")).startswith(OPERATIONS)


def is_modern(layers: Iterable[Config]) -> bool:
    """Whether Keras 3 wrote these nodes; or this project for it, which are lists."""
    return any("batch_shape" in layer["config"] for layer in layers if layer["class_name"] == "InputLayer")


def _sources(layer: Config) -> Iterator[str]:
    for call in layer.get("inbound_nodes") or ():
        found = call.get("args", []) if isinstance(call, Mapping) else [tensor[0] for tensor in call]
        yield from _names(found)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif _is_tensor(value):
        yield _history(value)[0]
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _names(one)


def ends(tensors: Any) -> list[Tensor]:
    """Inputs or outputs of a functional config as a list of `[layer, node, tensor]`.

    Raises:
        Invalid: They are named in a dictionary, or nested.
    """
    if isinstance(tensors, list) and len(tensors) == 3 and isinstance(tensors[0], str):
        return [tensors]
    if isinstance(tensors, list) and all(isinstance(one, list) and len(one) == 3 for one in tensors):
        return tensors
    raise Invalid("the model's inputs or outputs are a dictionary: build it with lists of them")


def outputs(config: Config, layers: Iterable[Config]) -> list[Tensor]:
    """The outputs of a functional config, the nodes counted as Keras 2 does; of Keras 3, only a Sequential is not."""
    layers = list(layers)
    if not is_modern(layers):
        return ends(config["output_layers"])
    shift = {layer["name"]: int(layer["class_name"] == "Sequential") for layer in layers}
    return [[name, node + shift.get(name, 0), tensor] for name, node, tensor in ends(config["output_layers"])]


def recalled(layers: Sequence[Config]) -> list[list[list[Tensor]]]:
    """Inbound nodes as Keras 2 writes them, with the nodes counted as Keras 3 does. It reads the lists themselves."""
    shift = {layer["name"]: int(layer["class_name"] in NESTED) for layer in layers}
    return [
        [[[name, node - shift.get(name, 0), *rest] for name, node, *rest in call] for call in layer["inbound_nodes"]]
        for layer in layers
    ]


def recalled_outputs(config: Config) -> list[Tensor]:
    """The outputs with the nodes counted as Keras 3 does."""
    shift = {layer["name"]: int(layer["class_name"] == "Sequential") for layer in config["layers"]}
    return [[name, node - shift.get(name, 0), tensor] for name, node, tensor in ends(config["output_layers"])]
