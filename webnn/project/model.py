"""`model.json`: its inputs and outputs, and what TF.js would not load or not train."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from webnn.core.spec import WeightsGroup
from webnn.errors import Invalid
from webnn.keras.layers import KNOWN, MODELS
from webnn.keras.outputs import activations
from webnn.keras.shapes import Built, built
from webnn.keras.topology import refusal, to_tfjs
from webnn.project.lines import line_with
from webnn.project.problem import Problem, nearest

MODEL = "model.json"
KERAS_3 = "this is Keras 3's dialect, TF.js reads Keras 2's: `webnn import` translates it"
Json = Mapping[str, Any]


class Place(Struct, frozen=True):
    """An input or an output.

    Attributes:
        name: Of its layer.
        shape: Of one example, None where a length may differ; None where nothing is known.
        activation: What an output's numbers come from; None where that cannot be told.
    """

    name: str
    shape: tuple[int | None, ...] | None = None
    activation: str | None = None

    @property
    def units(self) -> int | None:
        """How long the last axis is; None where that is not known."""
        return self.shape[-1] if self.shape else None


class Model(Struct, frozen=True):
    """A model as the file has it. Inputs and outputs are empty where they could not be found."""

    topology: dict[str, Any]
    manifest: list[Any]
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]
    text: str

    def problem(self, message: str, part: str = "") -> Problem:
        """Something that is wrong, on the line that has this part of the text in it."""
        return Problem(MODEL, line_with(self.text, part) if part else None, message)


def read(text: str) -> tuple[Model | None, list[Problem]]:
    """The model, None if it is none; and what is wrong with it."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        return None, [Problem(MODEL, error.lineno, f"this is no JSON: {error.msg}")]
    except RecursionError:
        return None, [Problem(MODEL, None, "this is nested deeper than any model")]
    topology = document.get("modelTopology") if isinstance(document, dict) else None
    if not isinstance(topology, dict):
        return None, [Problem(MODEL, 1, "there is no modelTopology: this is no model that TF.js would load")]
    if isinstance(document.get("weightsManifest"), list):
        manifest, problems = document["weightsManifest"], []
    else:
        manifest, problems = [], [Problem(MODEL, 1, "there is no weightsManifest: export the model with its weights")]
    root = _root(topology)
    bare = Model(topology, manifest, (), (), text)
    problems += [bare.problem(message, part) for layer in _layers(root) for message, part in _wrong(layer)]
    problems += _wrong_weights(bare, root)
    outputs: tuple[Place, ...] = ()
    if not problems:
        outputs, problems = _put_together(bare, root)
    return msgspec.structs.replace(bare, inputs=_inputs(root), outputs=outputs), problems


def _root(topology: Json) -> Json:
    found = topology.get("model_config", topology)
    return found if isinstance(found, dict) else {}


def _children(layer: Json) -> list[Json]:
    config = layer.get("config", {})
    found = config if isinstance(config, list) else config.get("layers", []) if isinstance(config, dict) else []
    return [one for one in (found if isinstance(found, list) else []) if isinstance(one, dict)]


def _layers(layer: Json) -> Iterator[Json]:
    yield layer
    for child in _children(layer):
        yield from _layers(child)


def _wrong(layer: Json) -> Iterator[tuple[str, str]]:
    """What is wrong with a layer by itself, and by what its line is found."""
    kind, config = layer.get("class_name"), layer.get("config")
    name = _name(layer)
    part = f'"{name}"' if name else f'"{kind}"'
    if isinstance(config, dict) and ("batch_shape" in config or isinstance(config.get("dtype"), dict)):
        yield f"layer {name!r}: {KERAS_3}", part
    elif kind not in MODELS and (why := refusal(layer)):
        yield f"{why}{_meant(kind)}", part


def _meant(kind: Any) -> str:
    """The layer that was probably meant, if that is none."""
    hint = "" if kind in KNOWN else nearest(str(kind), KNOWN)
    return hint if "did you mean" in hint else ""


def _put_together(model: Model, root: Json) -> tuple[tuple[Place, ...], list[Problem]]:
    """The outputs; or what of the layers does not go together, the first of it: each by itself is well."""
    try:
        topology = to_tfjs(model.topology)
        made = built(topology)
    except Invalid as error:
        name = error.details.get("layer")
        return (), [model.problem(error.message, f'"{name}"' if name else '"modelTopology"')]
    ends = zip(_outputs(root), made.outputs, activations(topology), strict=True)
    return tuple(Place(*end) for end in ends), list(_misfits(model, made))


def _misfits(model: Model, made: Built) -> Iterator[Problem]:
    """Weights of the manifest that are others than those of the layers: a page would give up."""
    told = {weight.name: weight.shape for group in _groups(model) for weight in group.weights}
    absent, unknown = made.weights.keys() - told.keys(), told.keys() - made.weights.keys()
    for name, shape in told.items():
        if name in unknown:
            yield model.problem(
                f"the layers have no weight {name!r}{nearest(name, absent) if absent else ''}", f'"{name}"'
            )
        elif shape != made.weights[name]:
            both = f"has shape {list(shape)} here, and {list(made.weights[name])} by the layers: change one of the two"
            yield model.problem(f"weight {name!r} {both}", f'"{name}"')
    for name in () if unknown else sorted(absent):  # which may be meant by one of those
        text = f"weight {name!r} of the layers, of shape {list(made.weights[name])}, is not in weightsManifest"
        yield model.problem(text, '"weightsManifest"')


def _groups(model: Model) -> list[WeightsGroup]:
    return msgspec.convert(model.manifest, type=list[WeightsGroup])


def _name(layer: Json) -> str:
    config = layer.get("config")
    found = config.get("name") if isinstance(config, dict) else None
    return str(found or layer.get("name") or "")


def _wrong_weights(model: Model, root: Json) -> Iterator[Problem]:
    """Weights of layers that are not there."""
    try:
        groups = _groups(model)
    except msgspec.ValidationError as error:
        yield model.problem(f"weightsManifest: {error}", '"weightsManifest"')
        return
    names = {_name(layer) for layer in _layers(root)}
    for weight in (weight for group in groups for weight in group.weights):
        if names and not names & set(weight.name.split("/")[:-1]):
            yield model.problem(f"weight {weight.name!r} is of no layer of the model", f'"{weight.name}"')


def _inputs(root: Json) -> tuple[Place, ...]:
    children = _children(root)
    if root.get("class_name") == "Sequential":
        return (_place(children[0]),) if children else ()
    return tuple(_place(_of_name(children, name)) for name in _ends(root, "input_layers"))


def _place(layer: Json) -> Place:
    config = layer.get("config")
    shape = config.get("batch_input_shape", config.get("batch_shape")) if isinstance(config, dict) else None
    if shape is None and layer.get("class_name") in MODELS:
        return next(iter(_inputs(layer)), Place(_name(layer)))
    return Place(_name(layer), tuple(shape[1:]) if isinstance(shape, list) else None)


def _outputs(root: Json) -> list[str]:
    children = _children(root)
    if root.get("class_name") == "Sequential":
        return [_name(children[-1])]
    return _ends(root, "output_layers")


def _ends(root: Json, key: str) -> list[str]:
    config = root.get("config", {})
    found = config.get(key, []) if isinstance(config, dict) else []
    if found and isinstance(found[0], str):  # one alone
        found = [found]
    return [str(end[0]) for end in found if isinstance(end, list) and end]


def _of_name(children: Sequence[Json], name: str) -> Json:
    return next((layer for layer in children if _name(layer) == name), {"config": {"name": name}})
