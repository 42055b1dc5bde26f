"""`webnn.toml`: its sections, and everything that is wrong with one."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field
from msgspec.structs import fields

from webnn.core.optimizers import AnyOptimizer
from webnn.core.robust import AnyRobust
from webnn.core.rules import AnyRule
from webnn.core.spec import Label, Merge, RunName, Title, Words
from webnn.core.tensors import Dimension
from webnn.core.terms import Decay, End, Limits, Positive, Training, Validation
from webnn.project.lines import TomlPath, line_of, of_toml
from webnn.project.problem import Problem, nearest

TOML = "webnn.toml"
AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
PATH = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)
FIELD = re.compile(r"(unknown|missing required) field `([^`]*)`")
STEP = re.compile(r"\.([\w-]+)|\[(\.\.\.|\d+)\]")
MOST = 100  # problems of one section
REFUSED = {
    ("validation", "merge_all"): "there is no merge_all: every update is merged when it comes, so that what is "
    "validated always holds all of them; delete the line",
    ("end", "never"): "there is no never: a run without accuracy, versions and seconds does not end by itself; "
    "delete the line",
}


class RunSection(Struct, frozen=True, forbid_unknown_fields=True):
    """What the run is called.

    Attributes:
        name: Empty: as the folder.
        title: Empty: the name.
    """

    name: RunName | Literal[""] = ""
    title: Title = ""
    description: Words = ""


class Stored(Struct, frozen=True, forbid_unknown_fields=True):
    """One input or target, and how its values are stored.

    Attributes:
        shape: Of one example. None: the model's input; for targets what the loss asks for.
        store: None: as `dtype`. For uint8 and uint16 a value is q * scale + min.
    """

    shape: Annotated[tuple[Dimension, ...], Meta(max_length=8)] | None = None
    dtype: Literal["float32", "int32", "bool"] = "float32"
    store: Literal["float32", "int32", "bool", "float16", "uint8", "uint16"] | None = None
    min: float = 0.0
    scale: Annotated[float, Meta(gt=0.0)] = 1.0


Tensors = Annotated[dict[str, Stored], Meta(min_length=1, max_length=64)]


class DataSection(Struct, frozen=True, forbid_unknown_fields=True):
    """What an example is made of.

    Attributes:
        own: Whether visitors train on data of their own: then there is no training data where they must.
        labels: Names of the classes, for people.
        seed: Of the order of the examples and of the first weights.
        train_examples: No more than these are taken. None: all.
        validation_examples: Likewise.
    """

    inputs: Tensors = field(default_factory=lambda: {"x": Stored()})
    targets: Tensors = field(default_factory=lambda: {"y": Stored()})
    own: Literal["never", "may", "must"] = "never"
    labels: Annotated[tuple[Label, ...], Meta(min_length=2, max_length=1000)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 0
    train_examples: Positive | None = None
    validation_examples: Positive | None = None

    @property
    def functions(self) -> tuple[str, ...]:
        """What the data module must have."""
        return ("validation",) if self.own == "must" else ("train", "validation")


KINDS: dict[str, type[Struct]] = {
    "run": RunSection,
    "data": DataSection,
    "training": Training,
    "merge": Merge,
    "validation": Validation,
    "end": End,
    "limits": Limits,
}


MERGED: dict[str, Any] = {"rule": AnyRule, "optimizer": AnyOptimizer, "robust": AnyRobust}


class Sections(Struct, frozen=True):
    """What a `webnn.toml` says, as far as it is right.

    Attributes:
        spec: The sections that a spec has, too, as they go into it.
        lines: Where each key is.
    """

    run: RunSection
    data: DataSection
    spec: dict[str, Any]
    lines: dict[TomlPath, int]

    def problem(self, message: str, *path: str) -> Problem:
        """Something that is wrong with a key."""
        return Problem(TOML, line_of(self.lines, path), message)


def read(text: str) -> tuple[Sections | None, list[Problem]]:
    """What the document says, None if it is no TOML; and all that is wrong with it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = AT_LINE.search(str(error))
        line = int(at[1]) if at else max(1, len(text.splitlines()))
        return None, [Problem(TOML, line, f"this is no TOML: {AT_LINE.sub('', str(error))}")]
    lines = of_toml(text)
    problems = [
        Problem(TOML, line_of(lines, (name,)), f"there is no section [{name}]{nearest(name, KINDS)}")
        for name in document
        if name not in KINDS
    ]
    tables = {name: _table(name, document.get(name, {}), lines, problems) for name in KINDS}
    for side in ("inputs", "targets"):  # by themselves: an error within a mapping does not say under which key
        for name, table in list(_tables(tables["data"].get(side))):
            _Part(("data", side, name), table, lines, problems).converted(Stored)
    right = {name: _Part((name,), tables[name], lines, problems).converted(KINDS[name]) for name in KINDS}
    run, data = right["run"], right["data"]
    assert isinstance(run, RunSection) and isinstance(data, DataSection)  # noqa: S101, PT018  # by KINDS
    spec = {name: table for name, table in tables.items() if table and name not in ("run", "data")}
    return Sections(run, data, spec, lines), problems


def _table(name: str, found: Any, lines: Mapping[TomlPath, int], problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(found, dict):
        problems.append(Problem(TOML, line_of(lines, (name,)), f"{name} is a section: write [{name}]"))
        return {}
    return _named(deepcopy(found)) if name == "merge" else deepcopy(found)


def _named(merge: dict[str, Any]) -> dict[str, Any]:
    """With the short form of what has a name and no parameters: rule = "delta"."""

    def whole(part: Any) -> Any:
        return {"name": part} if isinstance(part, str) else part

    for key in merge.keys() & {"rule", "optimizer"}:
        merge[key] = whole(merge[key])
    if isinstance(merge.get("robust"), list):
        merge["robust"] = [whole(part) for part in merge["robust"]]
    return merge


def _tables(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those members of a table that are tables, too."""
    if isinstance(found, dict):
        yield from ((name, table) for name, table in found.items() if isinstance(table, dict))


class _Part:
    """A table on its way to be right: what is wrong is noted and taken out, until nothing is."""

    def __init__(
        self, path: TomlPath, table: dict[str, Any], lines: Mapping[TomlPath, int], problems: list[Problem]
    ) -> None:
        self._path = path
        self._table = table
        self._lines = lines
        self._problems = problems
        self._wrong = set[TomlPath]()

    def converted(self, kind: type[Struct]) -> Struct:
        """What is left when all that is wrong is taken out."""
        for _ in range(MOST):
            try:
                return msgspec.convert(self._table, type=kind)
            except Exception as error:  # a rule of another package may raise anything about its parameters
                if not self._noted(str(error)):
                    break
        self._table.clear()
        return kind()

    def _noted(self, error: str) -> bool:
        """Notes it; whether what was wrong could be taken out."""
        found = PATH.match(error)
        what = found["what"] if found else error
        path = tuple(key for key, _ in STEP.findall((found and found["path"]) or "") if key)
        member = FIELD.search(what)
        at = (*path, member[2]) if member else path
        if at not in self._wrong or not at:  # or it is missing because it was wrong
            message = self._message(what, at, unknown=bool(member and member[1] == "unknown"))
            self._problems.append(Problem(TOML, line_of(self._lines, self._path + at), message))
        self._wrong.add(at)
        return self._take_out(path if member and member[1] != "unknown" else at)

    def _message(self, what: str, at: TomlPath, unknown: bool) -> str:
        whole = self._path + at
        if whole in REFUSED:
            return REFUSED[whole]
        kind = _kind_of(whole[:-1]) if at else None
        if unknown:
            hint = nearest(at[-1], _keys(kind)) if kind else "; `webnn rules` lists what each takes"
            return f"[{'.'.join(whole[:-1])}] has no key {at[-1]!r}{hint}"
        choices = _choices(kind, at[-1]) if kind else _merge_names(whole)
        hint = nearest(what.split("'")[1], choices) if choices and "'" in what else ""
        at = at[:-1] if choices and not kind else at  # as it is written where it has no parameters
        return f"{'.'.join(at)}: {what[0].lower()}{what[1:]}{hint}{self._percent(at)}" if at else what

    def _percent(self, at: TomlPath) -> str:
        """What was probably meant by an accuracy above 1."""
        given = self._table.get("accuracy")
        if (*self._path, *at) != ("end", "accuracy") or not isinstance(given, int | float) or not 1 < given <= 100:
            return ""
        return f"; for {given:g} % write {given / 100:g}"

    def _take_out(self, path: TomlPath) -> bool:
        """As deep as the path goes through tables."""
        table: Any = self._table
        for key in path[:-1]:
            if not isinstance(table.get(key), dict):
                return table.pop(key, None) is not None
            table = table[key]
        return bool(path) and table.pop(path[-1], None) is not None


def _kind_of(path: TomlPath) -> type[Struct] | None:
    match path:
        case (name,):
            return KINDS[name]
        case ("data", "inputs" | "targets", _):
            return Stored
        case ("training", "decay"):
            return Decay
        case _:
            return None


def _merge_names(path: TomlPath) -> list[str]:
    """What a part of [merge] can be called, if this path ends in its name."""
    match path:
        case ("merge", "rule" | "optimizer" | "robust" as part, *_, "name"):
            return [str(kind.__struct_config__.tag) for kind in get_args(MERGED[part])]
        case _:
            return []


def _keys(kind: type[Struct]) -> list[str]:
    return [one.encode_name for one in fields(kind)]


def _choices(kind: type[Struct], key: str) -> list[str]:
    """The words that a key can be, if it is one of some words."""
    found = next((one.type for one in fields(kind) if one.encode_name == key), None)
    return [
        word for part in (found, *get_args(found)) if get_origin(part) is Literal for word in get_args(part) if word
    ]
