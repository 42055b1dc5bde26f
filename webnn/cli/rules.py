"""`webnn rules`: what a spec's `merge` section can name."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import click
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields
from rich.console import Console
from rich.table import Table

from webnn.cli import stage as stages
from webnn.core.optimizers import AnyOptimizer
from webnn.core.robust import AnyRobust
from webnn.core.rules import AnyRule
from webnn.core.staleness import AnyDiscount

KINDS: dict[str, Any] = {
    "rule": AnyRule,
    "robust": AnyRobust,
    "optimizer": AnyOptimizer,
    "discounting": AnyDiscount,
}
HEADINGS = {
    "rule": "rule: how one update is folded in",
    "robust": "robust: protection from bad updates",
    "optimizer": "optimizer: how the weights move, under rules that add",
    "discounting": "discounting: what staleness leaves of an update",
}


class Listed(Struct, frozen=True):
    """One line of the list."""

    kind: str
    name: str
    does: str
    use: str
    parameters: dict[str, Any]


def listed() -> Iterator[Listed]:
    """All that is known and installed, by kind."""
    for kind, union in KINDS.items():
        for one in get_args(union):
            defaults = {field.name: _default(field) for field in fields(one)}
            does = (inspect.getdoc(one) or "").split("\n\n", 1)[0].replace("\n", " ")
            yield Listed(kind, str(one.__struct_config__.tag), does, getattr(one, "use", ""), defaults)


def _default(field: FieldInfo) -> Any:
    """The parameter's default; None if it has none."""
    if field.default_factory is not NODEFAULT:
        return field.default_factory()
    return None if field.default is NODEFAULT else field.default


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def rules(as_json: bool) -> None:
    """List the merge rules.

    And what else a spec's `merge` section can name.
    """
    found = list(listed())
    if as_json:
        stages.print_json(found)
        return
    for kind, heading in HEADINGS.items():
        table = Table("name", "use it for", title=heading, title_justify="left", title_style="bold", expand=True)
        for one in found:
            if one.kind == kind:
                table.add_row(one.name, one.use)
        Console().print(table)
