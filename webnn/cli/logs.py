"""`webnn plot` and `webnn logs`: a run's history as a picture, and as CSV."""

import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from webnn import chart, tables
from webnn.cli import completion
from webnn.cli import stage as stages

STDOUT = "-"


@click.command()
@completion.run
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=None,
              help="Where to: .png, .svg or .pdf. [default: NAME.png]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def plot(name: str, out: Path | None, as_json: bool, stage: str) -> None:
    """Draw a run.

    Accuracy and loss by time and by version, updates, clients, staleness.
    """
    path = out or Path(f"{name}.png")
    chart.check_drawable(path)  # not after all the work
    console = Console(stderr=True)
    with console.status("reading the run"):
        services = stages.services(stage)
        target = services.runs.describe(name).spec.end.accuracy
        found = chart.collected(services.catalog, name, target, services.live.crowd(name))
    with console.status("drawing"):
        chart.draw(found, path)
    if as_json:
        facts = {"evaluations": len(found.evaluations), "updates": len(found.arrivals), "version": found.version}
        stages.print_json({"run": name, "file": str(path)} | facts)
    else:
        Console().print(f"{name} up to version {found.version} is drawn in {path}.", highlight=False, soft_wrap=True)


@click.command()
@completion.run
@click.option("--csv", "folder", is_flag=False, flag_value=STDOUT, default=STDOUT, metavar="[FOLDER]",
              help="Write NAME-commits.csv, NAME-updates.csv and NAME-evaluations.csv there.")  # fmt: skip
@click.option("--table", type=click.Choice(list(tables.TABLES)), default="evaluations", show_default=True,
              help="Which one to print, without a folder.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="With a folder: print one line of JSON.")
@stages.option
def logs(name: str, folder: str, table: str, as_json: bool, stage: str) -> None:
    """Print what happened in a run as CSV.

    Or write it all to the folder after --csv.

    Written in docs/watching.md: what each column means.
    """
    if as_json and folder == STDOUT:
        raise click.UsageError("--json goes with --csv FOLDER: without a folder CSV is printed")
    catalog = stages.services(stage).catalog
    if folder == STDOUT:
        tables.write(tables.TABLES[table], catalog, name, sys.stdout)
        return
    columns = TextColumn("{task.description}"), TextColumn("{task.completed} rows"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("writing", total=None)
        written = tables.write_files(catalog, name, Path(folder), lambda: bar.advance(task))
    if as_json:
        stages.print_json({"run": name, "files": {str(path): rows for path, rows in written.items()}})
        return
    for path, rows in written.items():
        Console().print(f"{path}: {rows} rows", highlight=False, soft_wrap=True)
