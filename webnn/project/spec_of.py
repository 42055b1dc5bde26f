"""The spec document that a model and its settings make together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from webnn.core import spec as specs
from webnn.core.initial import initial_weights
from webnn.core.tensors import total_bytes
from webnn.cutting import Example, example_of
from webnn.errors import Invalid
from webnn.project.losses import SPARSE, end_misfit, loss_misfit
from webnn.project.model import Model, Place
from webnn.project.problem import Problem
from webnn.project.sections import TOML, DataSection, Sections, Stored
from webnn.project.weights import paths_of

NOWHERE = "0" * 64


class Document(Struct, frozen=True):
    """A spec without shards.

    Attributes:
        spec: What `webnn.publish` takes.
        example: What its `data` says.
        classes: By the name of a target: how many class indices there are; for those that are such.
        loss: What is trained by.
    """

    spec: dict[str, Any]
    example: Example
    classes: dict[str, int]
    loss: str


def document_of(model: Model, sections: Sections, name: str) -> tuple[Document | None, list[Problem]]:
    """The document, None if it cannot be made; and what does not fit together."""
    problems: list[Problem] = []
    loss = str(sections.spec.get("training", {}).get("loss", SPARSE))
    sides = {
        "inputs": (sections.data.inputs, model.inputs, "input"),
        "targets": (sections.data.targets, model.outputs, "output"),
    }
    data = {}
    for side, (stored, places, what) in sides.items():
        order = _in_order(stored, places)
        if places and len(places) != len(order):
            message = (
                f"the model has {len(places)} {what}{'s' * (len(places) > 1)}, [data.{side}] describes {len(order)}"
            )
            problems.append(sections.problem(message, "data", side))
        known = [*places, *[Place("")] * len(order)]
        data[side] = [_tensor(key, stored[key], known[i], side, loss) for i, key in enumerate(order)]
        problems += _misfits(sections, side, order, known, loss)
    problems += [model.problem(text, f'"{place.name}"') for place in model.outputs for text in loss_misfit(place, loss)]
    problems += _end_misfits(sections, model, loss)
    problems += _own_misfits(sections, model, loss)
    found: dict[str, Any] = {
        "title": sections.run.title or name,
        "description": sections.run.description,
        "modelTopology": model.topology,
        "weightsManifest": model.manifest,
        "data": data | _own(sections.data),
        **sections.spec,
    }
    problems += _wrong(model, sections, found)
    if problems:
        return None, problems
    classes = {}
    if loss == SPARSE:
        pairs = zip(data["targets"], [*model.outputs, *[Place("")] * len(data["targets"])], strict=False)
        classes = {one["name"]: place.units for one, place in pairs if place.units is not None}
    return Document(found, example_of(found), classes, loss), []


def _own(data: DataSection) -> dict[str, Any]:
    """What is said of labels and of visitors' own data; nothing where all is as ever, so that specs stay the same."""
    labels = {} if data.labels is None else {"labels": data.labels}
    return labels if data.own == "never" else labels | {"own": data.own}


def _end_misfits(sections: Sections, model: Model, loss: str) -> list[Problem]:
    if sections.spec.get("end", {}).get("accuracy") is None:
        return []
    return [sections.problem(f"accuracy: {text}", "end", "accuracy") for text in end_misfit(model.outputs, loss)]


def _own_misfits(sections: Sections, model: Model, loss: str) -> list[Problem]:
    data, found = sections.data, []
    units = {place.units for place in model.outputs}
    if data.labels is not None and loss == SPARSE and None not in units and len(data.labels) not in units:
        said = f"{len(data.labels)} classes are named, the model gives {' or '.join(map(str, units))}"
        found.append(sections.problem(f"labels: {said}", "data", "labels"))
    if data.own == "must" and data.train_examples is not None:
        message = "train_examples: where own is must there is no training data: delete the line"
        found.append(sections.problem(message, "data", "train_examples"))
    return found


def _in_order(stored: dict[str, Stored], places: Sequence[Place]) -> list[str]:
    """The model's own order where the names are those of its layers; else theirs."""
    names = [place.name for place in places]
    return names if set(names) == set(stored) else list(stored)


def _tensor(name: str, stored: Stored, place: Place, side: str, loss: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name, "shape": list(_shape(stored, place, side, loss)), "dtype": stored.dtype}
    if stored.store in ("uint8", "uint16"):
        found["quantization"] = {"dtype": stored.store, "min": stored.min, "scale": stored.scale}
    elif stored.store == "float16":
        found["quantization"] = {"dtype": "float16"}
    return found


def _shape(stored: Stored, place: Place, side: str, loss: str) -> tuple[int, ...]:
    if stored.shape is not None:
        return stored.shape
    shape = place.shape or ()
    if side == "targets":
        shape = shape[:-1] if loss == SPARSE or shape[-1:] == (1,) else shape
    return tuple(length or 0 for length in shape)


def _misfits(sections: Sections, side: str, order: Sequence[str], places: Sequence[Place], loss: str) -> list[Problem]:
    """What does not fit the model, key by key."""
    found = []
    for name, place in zip(order, places, strict=False):
        stored = sections.data.inputs[name] if side == "inputs" else sections.data.targets[name]
        misfit = _input_misfit(stored, place) if side == "inputs" else _target_misfit(stored, place, loss)
        if misfit:
            found.append(sections.problem(f"{side} {name!r}: {misfit}", "data", side, name, "shape"))
        if stored.store in ("float32", "int32", "bool") and stored.store != stored.dtype:
            message = f"{side} {name!r}: {stored.dtype} cannot be stored as {stored.store}"
            found.append(sections.problem(message, "data", side, name, "store"))
    return found


def _input_misfit(stored: Stored, place: Place) -> str:
    if stored.shape is None:
        unknown = place.shape is None or None in place.shape
        return f"the model leaves the shape open ({list(place.shape or ())}): give one" if unknown else ""
    if place.shape is None:
        return ""
    fits = len(stored.shape) == len(place.shape)
    fits = fits and all(want in (None, is_) for want, is_ in zip(place.shape, stored.shape, strict=True))
    return "" if fits else f"the shape is {list(stored.shape)}, the model's {list(place.shape)}"


def _target_misfit(stored: Stored, place: Place, loss: str) -> str:
    if place.shape is None:
        return ""
    wanted = place.shape[:-1] if loss == SPARSE else place.shape
    if stored.shape is None:
        return f"the model leaves the shape open ({list(wanted)}): give one" if None in wanted else ""
    if _alike(stored.shape, wanted):
        return ""
    if loss == SPARSE and _alike(stored.shape, place.shape):
        return f"with {SPARSE} a target is a class index: leave the shape out, or use categoricalCrossentropy"
    if loss != SPARSE and _alike(stored.shape, place.shape[:-1]):
        return f"the model gives {list(place.shape)}: for class indices the loss is {SPARSE}"
    return f"the shape is {list(stored.shape)}, the model gives {list(place.shape)}"


def _alike(one: Sequence[int | None], other: Sequence[int | None]) -> bool:
    """But for axes of length 1; a length that may differ goes with any."""
    ones, others = ([length for length in shape if length != 1] for shape in (one, other))
    return len(ones) == len(others) and all(
        None in pair or pair[0] == pair[1] for pair in zip(ones, others, strict=True)
    )


def _wrong(model: Model, sections: Sections, document: dict[str, Any]) -> list[Problem]:
    """What the whole spec would be refused for: tried with shards of one example."""
    try:
        example = example_of(document)
        size = total_bytes(example.tensors)
        if not size:
            return [Problem(TOML, None, "an example has no bytes: give the shapes of inputs and targets")]
        shard = {"sha256": NOWHERE, "bytes": size, "examples": 1}
        train = [shard] if "train" in sections.data.functions else []
        whole = {**document, "data": {**document["data"], "train": train, "validation": [shard]}}
        weights = specs.parse(specs.encode(whole)).weights
        if not paths_of(model):
            initial_weights(weights, np.random.default_rng(0))
    except Invalid as error:
        if key := next((key for key in ("labels", "own") if f"`data.{key}`" in error.message), None):
            return [sections.problem(error.message, "data", key)]
        about_model = any(word in error.message for word in ("weight", "modelTopology", "parameters"))
        return [
            model.problem(error.message, '"weightsManifest"') if about_model else Problem(TOML, None, error.message)
        ]
    return []
