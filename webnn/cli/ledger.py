"""`webnn ledger`, `webnn replay`: what a run's versions are made of, and whether that is so."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from webnn.cli import stage as stages
from webnn.core.ledger import digest
from webnn.core.records import LedgerEntry
from webnn.replay import Replayed

TO = click.option("--to", type=click.IntRange(min=0), default=None, help="Stop at this version. [default: the head]")


@click.command()
@click.argument("name")
@TO
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each commit.")
@stages.option
def ledger(name: str, to: int | None, as_json: bool, stage: str) -> None:
    """List the commits of a run, each checked against the one before."""
    entries = stages.services(stage).replay.entries(name, to)
    if as_json:
        for entry in entries:
            print(json.dumps(msgspec.to_builtins(entry) | {"digest": digest(entry)}))
        return
    Console().print(_table(entries))


def _table(entries: Iterator[LedgerEntry]) -> Table:
    table = Table("versions", "at (UTC)", "updates", "clients", "staleness", "discount", "checkpoint", "entry")
    for entry in entries:
        table.add_row(
            f"{entry.from_version + 1}-{entry.version}" if entry.updates else str(entry.version),
            datetime.fromtimestamp(entry.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            str(len(entry.updates)),
            str(len({line.client_id for line in entry.updates})),
            _range([line.staleness for line in entry.updates]),
            _range([round(line.discount, 3) for line in entry.updates]),
            entry.sha256[:12],
            digest(entry)[:12],
        )
    return table


def _range(values: list[int] | list[float]) -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


@click.command()
@click.argument("name")
@TO
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def replay(name: str, to: int | None, as_json: bool, stage: str) -> None:
    """Work out a run's checkpoints anew from its updates, and compare them bit for bit.

    Exits with 1 and names the first difference, if there is one.
    """
    replayed = stages.services(stage).replay.replay(name, to)
    last = None
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("replaying", total=None)
        for last in replayed:
            bar.update(task, completed=last.entry.version, total=last.last or 1)
    assert last is not None  # the genesis at least
    _tell(name, last, as_json)


def _tell(name: str, last: Replayed, as_json: bool) -> None:
    entry = last.entry
    if as_json:
        print(json.dumps({"run": name, "version": entry.version, "sha256": entry.sha256, "identical": True}))
        return
    what = f"every checkpoint up to version {entry.version} is what its updates give, bit for bit"
    Console().print(f"{name}: {what} (SHA-256 {entry.sha256}).", highlight=False, soft_wrap=True)
