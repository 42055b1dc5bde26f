"""What happened in a run as tables for CSV files: its commits, the updates in them, its evaluations.

The WebNN of 2018 logged a line for each merge and each validation: when, whose, which version, how many steps stand
behind it, loss and accuracy. These are those lines, from the ledger, which cannot lose any. Columns keep their names
and their order; new ones come at the end. A run of any length is read and written a page at a time.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import IO

from msgspec import Struct

from webnn.core.records import LedgerEntry
from webnn.errors import Invalid
from webnn.store.ports import Catalog
from webnn.story import all_commits, all_evaluations

Row = tuple[object, ...]


class Table(Struct, frozen=True):
    """One table.

    Attributes:
        columns: What each column means, by name, in order.
        rows: Reads the rows of a run, oldest first. Raises Missing.
    """

    columns: dict[str, str]
    rows: Callable[[Catalog, str], Iterator[Row]]


TIME = {
    "time": "when it happened: ISO 8601, UTC, to the millisecond",
    "seconds": "since version 0",
}


def _commits(catalog: Catalog, run: str) -> Iterator[Row]:
    began = None
    for entry in all_commits(catalog, run):
        began = entry.at if began is None else began
        clients = len({line.client_id for line in entry.updates})
        yield (
            *_time(entry.at, began), _kind(entry), entry.from_version, entry.version, entry.steps, entry.generation,
            len(entry.updates), clients, entry.examples, entry.update_bytes, entry.bytes, entry.sha256,
            _words(entry.note),
        )  # fmt: skip


def _updates(catalog: Catalog, run: str) -> Iterator[Row]:
    began = None
    for entry in all_commits(catalog, run):
        began = entry.at if began is None else began
        for version, line in enumerate(entry.updates, entry.from_version + 1):
            yield (
                *_time(entry.at, began), line.client_id, version, entry.steps, line.base_version, line.staleness,
                line.discount, line.update_id,
            )  # fmt: skip


def _evaluations(catalog: Catalog, run: str) -> Iterator[Row]:
    """Each beside the commit that made its version: both come in the order of versions."""
    commits = all_commits(catalog, run)
    commit = next(commits)
    began = commit.at
    for one in all_evaluations(catalog, run):
        commit = next((entry for entry in chain([commit], commits) if entry.version >= one.version), commit)
        steps = commit.steps if commit.version == one.version else ""
        yield (*_time(one.at, began), one.client_id, one.version, steps, one.loss, one.accuracy, one.examples)


TABLES = {
    "commits": Table(
        TIME
        | {
            "kind": "genesis, commit, rollback or unmerge",
            "from_version": "the version before it",
            "version": "the version that it made",
            "steps": "training iterations behind the weights: the longest line of updates, each made from what the one "
            "before gave, and not the sum over clients who train at the same time",
            "generation": "how many rollbacks and unmerges there were",
            "updates": "how many it merged",
            "clients": "whose they were: how many",
            "examples": "that were trained on for these updates, by what their clients say",
            "update_bytes": "of the updates' bodies",
            "checkpoint_bytes": "of its weights",
            "sha256": "of its weights",
            "note": "what the owner says of a rollback or an unmerge; after a ' where it could be taken for a formula",
        },
        _commits,
    ),
    "updates": Table(
        TIME
        | {
            "client": "who sent it",
            "version": "the version that it became",
            "steps": "training iterations behind the weights of its commit",
            "base_version": "the version that it was trained from",
            "staleness": "how many versions were made meanwhile",
            "discount": "what that left of its influence, from 0 to 1",
            "update": "its id",
        },
        _updates,
    ),
    "evaluations": Table(
        TIME
        | {
            "client": "who evaluated",
            "version": "which version",
            "steps": "training iterations behind its weights",
            "loss": "mean over the whole validation set; `nan` or `inf` if it was",
            "accuracy": "share of the whole validation set, from 0 to 1",
            "examples": "in the validation set",
        },
        _evaluations,
    ),
}


def write(table: Table, catalog: Catalog, run: str, file: IO[str], on_row: Callable[[], None] = lambda: None) -> int:
    """Writes a header and all rows as CSV; gives the number of rows. Raises Missing before anything was written."""
    rows = table.rows(catalog, run)
    ahead = list(_first(rows))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    count = 0
    for row in chain(ahead, rows):
        writer.writerow(row)
        on_row()
        count += 1
    return count


def write_files(catalog: Catalog, run: str, folder: Path, on_row: Callable[[], None] = lambda: None) -> dict[Path, int]:
    """Writes every table to `RUN-TABLE.csv` in the folder; gives the rows of each file.

    A file takes the place of an older one when it is complete.

    Raises:
        Missing: No such run; then nothing is written.
        Invalid: The folder cannot be written to.
    """
    catalog.head(run)
    written = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in TABLES.items():
            path = folder / f"{run}-{name}.csv"
            part = path.with_suffix(".csv.part")
            with part.open("w", encoding="utf-8", newline="") as file:
                written[path] = write(table, catalog, run, file, on_row)
            part.replace(path)
    except OSError as error:
        raise Invalid(f"{folder} cannot be written to: {error}") from error
    return written


def _first(rows: Iterable[Row]) -> Iterator[Row]:
    """The first row, if there is one."""
    for row in rows:
        yield row
        return


def _time(at: int, began: int) -> tuple[str, str]:
    moment = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return moment, f"{(at - began) / 1000:.3f}"


def _words(text: str) -> str:
    """Somebody's words, which a spreadsheet is not to take for a formula and work out."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _kind(entry: LedgerEntry) -> str:
    if entry.version == 0:
        return "genesis"
    if entry.restores is not None:
        return "rollback"
    return "unmerge" if entry.without is not None else "commit"
