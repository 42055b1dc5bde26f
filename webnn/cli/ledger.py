"""`webnn ledger`, `replay`, `rollback`, `unmerge`: what a run's versions are made of, and undoing it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from webnn.cli import completion
from webnn.cli import stage as stages
from webnn.core.ledger import digest
from webnn.core.records import LedgerEntry, Without
from webnn.errors import Invalid
from webnn.replay import Replayed

TO = click.option("--to", type=click.IntRange(min=0), default=None, help="Stop at this version. [default: the head]")
MOST_NOTE = 200
WIDE = 110  # characters: what all columns take
NOTE = click.option("--note", default="", help="Why, in a line. Everybody who watches the run reads it.")


@click.command()
@completion.run
@TO
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each commit.")
@stages.option
def ledger(name: str, to: int | None, as_json: bool, stage: str) -> None:
    """List a run's commits, each checked against the last.

    A narrow terminal is not shown the hashes: `--json` has them.
    """
    entries = stages.services(stage).replay.entries(name, to)
    if as_json:
        for entry in entries:
            stages.print_json(msgspec.to_builtins(entry) | {"digest": digest(entry)})
        return
    console = Console()
    console.print(_table(entries, wide=console.width >= WIDE))


def _table(entries: Iterator[LedgerEntry], *, wide: bool) -> Table:
    """Without the hashes where they would break all other columns; `--json` has them."""
    columns = ("versions", "at (UTC)", "updates", "clients", "staleness", "discount", "checkpoint", "entry")
    shown = len(columns) if wide else len(columns) - 2
    table = Table(*columns[:shown])
    for entry in entries:
        cells = (
            escape(_what(entry)),
            datetime.fromtimestamp(entry.at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            str(len(entry.updates)),
            str(len({line.client_id for line in entry.updates})),
            _range([line.staleness for line in entry.updates]),
            _range([round(line.discount, 3) for line in entry.updates]),
            entry.sha256[:12],
            digest(entry)[:12],
        )
        table.add_row(*cells[:shown])
    return table


def _what(entry: LedgerEntry) -> str:
    if entry.restores is not None:
        return f"{entry.version} (back to {entry.restores})"
    if entry.without is not None:
        left_out = ", ".join(name[-8:] for name in entry.without.clients + entry.without.updates)
        return f"{entry.version} (without {left_out})"
    return f"{entry.from_version + 1}-{entry.version}" if len(entry.updates) > 1 else str(entry.version)


def _range(values: list[int] | list[float]) -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


@click.command()
@completion.run
@TO
@click.option("--from", "start", type=click.IntRange(min=0), default=0, help="Believe this version's checkpoint.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def replay(name: str, to: int | None, start: int, as_json: bool, stage: str) -> None:
    """Work out a run's checkpoints anew, and compare.

    From its updates, and bit for bit.

    Exits with 1 and names the first difference, if there is one. Of a run that does not keep everything (`keep_days`),
    begin at a version that is still there.
    """
    replayed = stages.services(stage).replay.replay(name, to, start)
    last = None
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("replaying", total=None)
        for last in replayed:
            bar.update(task, completed=last.entry.version, total=last.last or 1)
    if last is None:
        raise Invalid(f"nothing to replay from version {start} to {to}")
    _tell(name, start, last, as_json)


def _tell(name: str, start: int, last: Replayed, as_json: bool) -> None:
    entry = last.entry
    if as_json:
        found = {"run": name, "from": start, "version": entry.version, "sha256": entry.sha256, "identical": True}
        stages.print_json(found)
        return
    span = f"from version {start} to {entry.version}" if start else f"up to version {entry.version}"
    what = f"every checkpoint {span} is what its updates give, bit for bit"
    Console().print(f"{name}: {what} (SHA-256 {entry.sha256}).", highlight=False, soft_wrap=True)


@click.command()
@completion.run
@click.option("--to", type=click.IntRange(min=0), required=True, help="The version whose weights to bring back.")
@NOTE
@stages.option
def rollback(name: str, to: int, note: str, stage: str) -> None:
    """Bring back the weights of an earlier version.

    They become a version of their own. Updates made against later versions are discarded when they arrive; nothing is
    deleted, so a rollback can be rolled back.
    """
    entry = stages.services(stage).restorer.rollback(name, to, _checked(note))
    _moved(name, entry, f"the weights of version {to}")


@click.command()
@completion.run
@click.option("--client", "clients", multiple=True, help="Leave out all that this client sent. Can be given again.")
@click.option("--update", "updates", multiple=True, help="Leave out this update. Can be given again.")
@NOTE
@stages.option
def unmerge(name: str, clients: tuple[str, ...], updates: tuple[str, ...], note: str, stage: str) -> None:
    """Work out the weights anew without some updates.

    All others are folded in again, in the order and with the discounts that they had. `webnn ledger NAME --json` tells
    the ids. Nothing is deleted.
    """
    if not clients + updates:
        raise Invalid("say what to leave out: --client ID or --update ID")
    note = _checked(note)
    with stages.working(Console(stderr=True), "replaying the others"):
        entry = stages.services(stage).restorer.unmerge(name, Without(clients, updates), note)
    _moved(name, entry, f"without {len(clients)} clients and {len(updates)} single updates")


def _checked(note: str) -> str:
    if len(note) > MOST_NOTE or not note.isprintable():
        raise Invalid(f"a note is one line of at most {MOST_NOTE} characters")
    return note


def _moved(name: str, entry: LedgerEntry, what: str) -> None:
    said = f"{name} is at version {entry.version}, generation {entry.generation}: {what}."
    Console().print(said, highlight=False, soft_wrap=True)
