"""Settings and data for a model that is there already, as `webnn import` puts it into a folder: by its own shapes."""

import json
import re
from collections.abc import Iterator, Sequence
from math import prod

from webnn.errors import Invalid
from webnn.keras.inputs import UNDEFINED, Input, inputs_of
from webnn.keras.topology import to_tfjs
from webnn.project import model as models
from webnn.project.losses import BINARY, SPARSE, SQUARES, end_misfit
from webnn.project.model import Model, Place

LOSSES = {"softmax": SPARSE, "sigmoid": BINARY}
AN_ACCURACY = re.compile(r"^accuracy = ", re.MULTILINE)  # to end at
VERSIONS = re.compile(r"^# versions = ", re.MULTILINE)
BARE = re.compile(r"[A-Za-z0-9_-]+")
TABLES = re.compile(r"\[data\.inputs\.x\].*?(?=\[training\])", re.DOTALL)  # of the template's settings
ENDS = re.compile(r"^def train\(\).*", re.DOTALL | re.MULTILINE)  # and what gives its data
OPEN = "  # the model leaves a length open: here is one"
MOST_NUMBERS, MOST, FEWEST = 4_000_000, 500, 20  # of inputs in examples that are made up; examples

DATA = '''def train():
    """Made up by chance, by the shapes of the model's inputs and outputs: nothing can be learnt from it."""
    return _made_up({train}, seed=1)


def validation():
    """Others that are not trained on: what every accuracy is measured on."""
    return _made_up({validation}, seed=2)


def _made_up(count, seed):
    random = np.random.default_rng(seed)
    x = {x}
    y = {y}
    return x, y
'''


def around(model: str, toml: str, data: str) -> tuple[str, str]:
    """The settings and the data module of the template `blank`, for another model.

    Args:
        model: The text of a `model.json`.
        toml: Of the template.
        data: Of the template.

    Raises:
        Invalid: The model is none that pages train.
    """
    found, problems = models.read(model)
    if found is None or problems:
        raise Invalid("; ".join(map(str, problems)))
    inputs, loss = inputs_of(to_tfjs(found.topology)), _loss(found)
    tables = "\n".join([*map(_input_table, inputs), *(_target_table(place, loss) for place in found.outputs)])
    toml = TABLES.sub(lambda _: f"{tables}\n", toml).replace(f'loss = "{SPARSE}"', f'loss = "{loss}"')
    if any(end_misfit(found.outputs, loss)):
        toml = VERSIONS.sub("versions = ", AN_ACCURACY.sub("# accuracy = ", toml))
    count = max(FEWEST, min(MOST, MOST_NUMBERS // sum(prod(_lengths(one.shape)) for one in inputs)))
    made = DATA.format(
        train=count,
        validation=max(FEWEST, count // 5),
        x=_named([(one.name, _input(one)) for one in inputs]),
        y=_named([(one.name, _target(one, loss)) for one in found.outputs]),
    )
    return toml, ENDS.sub(lambda _: made, data)


def _loss(model: Model) -> str:
    """What goes with the last layer; with several outputs, of different kinds, what goes with any."""
    wanted = {LOSSES.get(place.activation or "", SQUARES) for place in model.outputs}
    return wanted.pop() if len(wanted) == 1 else SQUARES


def _lengths(shape: Sequence[int | None]) -> list[int]:
    """Where the model leaves a length open, some."""
    return [length or UNDEFINED for length in shape]


def _table(side: str, name: str, lines: Iterator[str]) -> str:
    key = name if BARE.fullmatch(name) else json.dumps(name)
    return "\n".join([f"[data.{side}.{key}]", *lines, ""])


def _input_table(one: Input) -> str:
    def lines() -> Iterator[str]:
        yield f"shape = {_lengths(one.shape)}{OPEN if None in one.shape else ''}"
        if one.dtype.startswith("int"):
            yield 'dtype = "int32"'
        else:
            yield '# store = "uint8"  # with scale and min, where 256 values are enough'

    return _table("inputs", one.name, lines())


def _target_table(place: Place, loss: str) -> str:
    def lines() -> Iterator[str]:
        shape, units = _of_target(place, loss)
        if None in (place.shape or ()):
            yield f"shape = {shape}{OPEN}"
        if loss == SPARSE:
            yield 'dtype = "int32"'
            if units <= 1 << 16:
                yield f'store = "{"uint8" if units <= 1 << 8 else "uint16"}"'

    return _table("targets", place.name, lines())


def _of_target(place: Place, loss: str) -> tuple[list[int], int]:
    """Of one example; and how many classes there are, where it is a class."""
    lengths = _lengths(place.shape or ())
    return (lengths[:-1], lengths[-1]) if loss == SPARSE else (lengths, 2)


def _input(one: Input) -> str:
    lengths = _lengths(one.shape)
    if one.below is not None or one.dtype.startswith("int"):
        return f"random.integers(0, {one.below or 2}, {_size(lengths)})"
    return f"random.normal(size={_size(lengths)}).astype(np.float32)"


def _target(place: Place, loss: str) -> str:
    shape, units = _of_target(place, loss)
    if loss == SQUARES:
        return f"random.normal(size={_size(shape)}).astype(np.float32)"
    return f"random.integers(0, {units}, {_size(shape)})"


def _size(lengths: Sequence[int]) -> str:
    return f"({', '.join(['count', *map(str, lengths)])})" if lengths else "count"


def _named(made: Sequence[tuple[str, str]]) -> str:
    """One as it is, several by their names."""
    if len(made) == 1:
        return made[0][1]
    lines = [f"        {json.dumps(name)}: {text}," for name, text in made]
    return "\n".join(["{", *lines, "    }"])
