"""`webnn list` and `webnn status`: where runs stand."""

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from webnn import wiring
from webnn.api import answers
from webnn.cli import completion, troubles
from webnn.cli import stage as stages
from webnn.core.records import Status
from webnn.core.terms import End
from webnn.failures import Troubles, plain
from webnn.pace import Pace, pace
from webnn.runs import Description


@click.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def list_runs(as_json: bool, stage: str) -> None:
    """List the runs of a stage, newest first, at most 100."""
    services = stages.services(stage)
    found = services.runs.all()
    if as_json:
        stages.print_json([answers.description(one, services.live.address(one.run.run)) for one in found])
        return
    if not found:
        first = f"`webnn create digits --stage {stage}` makes one of an example"
        said = f"No runs yet. {first}, `webnn new NAME` begins one of your own."
        Console().print(said, markup=False, highlight=False, soft_wrap=True)
        return
    table = Table("run", "title", "status", "version", "accuracy", "clients")
    for one in found:
        status, version = str(one.head.status), str(one.head.version)
        table.add_row(one.run.run, Text(plain(one.run.title)), status, version, _accuracy(one), str(one.clients))
    Console().print(table)


@click.command()
@completion.run
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def status(name: str, as_json: bool, stage: str) -> None:
    """Show where a run stands."""
    services = stages.services(stage)
    found = services.runs.describe(name)
    moving, reason = pace(services.catalog, found.head, wiring.now()), services.budget.reason(name)
    failed = services.failures.look(name)
    if as_json:
        said = {"committed_at": moving.committed_at, "updates_per_second": moving.updates_per_second}
        described = answers.description(found, services.live.address(name))
        stages.print_json(described | said | {"failures": failed} | ({"reason": reason} if reason else {}))
        return
    Console().print(_table(found, moving, failed, wiring.now()))
    if reason:
        Console().print(f"It is paused: {reason}.", highlight=False, soft_wrap=True)


def _table(found: Description, moving: Pace, failed: Troubles, now: int) -> Table:
    table = Table(show_header=False, title=found.run.run, title_justify="left")
    rows = {
        "title": plain(found.run.title),
        "status": str(found.head.status),
        "version": f"{found.head.version}, made {_ago(now - moving.committed_at)}",
        "accuracy": _accuracy(found),
        "clients": f"{found.clients} in the last minute",
        "updates": _updates(found, moving),
        "ends": _end(found.spec.end),
    }
    if failed.alike:
        last = f"{troubles.counted(failed)}, the last {_ago(now - failed.alike[0].last_at)}"
        rows["could not train"] = "\n".join([last, *troubles.at_length(failed)])
    for what, text in rows.items():
        table.add_row(what, Text(text))  # not as markup: a title is what its owner typed, a failure what anybody sent
    return table


def _updates(found: Description, moving: Pace) -> str:
    if found.head.status is Status.FINISHED:
        return "no more: it is finished"
    return f"{moving.updates_per_second:.2f} a second in the last minute"


def _accuracy(found: Description) -> str:
    if found.metrics is None:
        return "not evaluated"
    behind = found.head.version - found.metrics.version
    return f"{found.metrics.accuracy:.2%}" + (f" (version {found.metrics.version})" if behind else "")


def _end(end: End) -> str:
    conditions = []
    if end.accuracy is not None:
        conditions.append(f"at an accuracy of {end.accuracy:.2%}")
    if end.versions is not None:
        conditions.append(f"after {end.versions:,} versions")
    if end.seconds is not None:
        conditions.append(f"after {end.seconds:,} seconds")
    return " or ".join(conditions) or "when it is stopped"


def _ago(milliseconds: int) -> str:
    """In the largest unit that is there twice."""
    seconds = max(0, milliseconds) // 1000
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} seconds ago"
