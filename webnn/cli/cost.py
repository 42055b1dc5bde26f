"""`webnn cost`: what a run has cost, estimated."""

import sys
from math import ceil

import click
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from webnn import wiring
from webnn.cli import completion
from webnn.cli import stage as stages
from webnn.cli.dashboard import size
from webnn.prices import money
from webnn.spending import Estimate, Line, Spent, estimate
from webnn.story import all_commits, all_evaluations

OVER = 3


@click.command()
@completion.run
@click.option("--over", type=click.FloatRange(min=0.0), default=None, metavar="DOLLARS",
              help="Exit with 3 if the estimate is more than this.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def cost(name: str, over: float | None, as_json: bool, stage: str) -> None:
    """Estimate what a run has cost so far.

    In all and per version.

    From the run's own ledger and AWS's list prices; no bill is looked at. docs/watching.md has the arithmetic.
    """
    services = stages.services(stage)
    with Console(stderr=True).status("reading the run"):
        spent, spec = Spent(), services.runs.describe(name).spec
        spent.add(all_commits(services.catalog, name), all_evaluations(services.catalog, name))
        found = estimate(name, spec, spent, services.catalog.active_clients(name, 0), wiring.now())
        found = replace(found, budget=services.budget.of(name))
    if as_json:
        stages.print_json(found)
    else:
        _show(found)
    if over is not None and found.dollars > over:
        click.echo(f"{name} has cost more than ${over:g}, by this estimate", err=True)
        sys.exit(OVER)


def _show(found: Estimate) -> None:
    console = Console()
    table = Table("what", "how many", "list price", "dollars", title=_title(found), title_justify="left")
    for column in (1, 3):
        table.columns[column].justify = "right"
    for line in found.lines:
        table.add_row(line.what, _count(line), line.price, money(line.dollars))
    table.add_section()
    table.add_row("together, estimated", "", "", money(found.dollars), style="bold")
    console.print(table)
    if found.per_version is not None:
        said = f"Per version: {money(found.per_version)}, so {money(found.per_version * 1e6)} for a million."
        console.print(said, highlight=False)
    if found.budget is not None:
        console.print(f"Its budget is {money(found.budget)}.", highlight=False)
    console.print(f"Keeping it costs {money(found.storage_a_month)} a month.", highlight=False)
    said = f"An estimate, by list prices noted on {found.noted} ({found.source}); nothing was billed by it."
    console.print(said, style="dim", highlight=False, soft_wrap=True)


def _title(found: Estimate) -> str:
    merged = f"{_counted(found.updates, 'update')} in {_counted(found.commits, 'commit')}"
    others = f"{_counted(found.evaluations, 'evaluation')}, {_counted(found.clients, 'client')}"
    return f"{found.run} up to version {found.version:,}: {merged}, {others}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _count(line: Line) -> str:
    """Nothing that costs something is called none: a part of a byte counts as one."""
    if line.what == "downloads":
        return size(ceil(line.count))
    if line.what in ("blobs", "rows"):
        return f"{size(ceil(line.count))} for a month"
    return f"{line.count:,.2f}" if line.what == "function time" else f"{line.count:,.0f}"
