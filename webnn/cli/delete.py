"""`webnn delete`: a run goes for good."""

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from webnn.cli import completion
from webnn.cli import stage as stages
from webnn.cli.words import counted
from webnn.errors import Missing
from webnn.removal import Removed
from webnn.store.ports import Catalog


@click.command()
@completion.run
@click.option("--delete-data", is_flag=True, help="Also delete its data, as far as no other run has it.")
@stages.YES
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def delete(name: str, delete_data: bool, yes: bool, as_json: bool, stage: str) -> None:
    """Delete a run with all its history. There is no way back.

    If this is cut off, do it again: it goes on where it was. Do it again also a few minutes later, before the name is
    used for another run, to delete what was under way meanwhile. Data stays for other runs, unless told otherwise.
    """
    services = stages.services(stage)
    remover = services.remover
    remover.check(name)
    gone = _is_gone(services.catalog, name)
    if not yes:
        question = f"Delete run {name} of stage {stage} with all its history{' and data' if delete_data else ''}?"
        click.confirm(question, abort=True, err=True)
    done = Removed()
    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("deleting", total=None)
        for done in remover.delete(name, with_data=delete_data):
            bar.update(task, description=f"deleting: {_told(done)}")
    if as_json:
        stages.print_json({
            "run": name, "rows": done.rows, "blobs": done.blobs, "shards": done.shards, "bytes": done.bytes,
        })  # fmt: skip
        return
    Console().print(_said(name, done, gone), highlight=False, markup=False, soft_wrap=True)


def _is_gone(catalog: Catalog, name: str) -> bool:
    """Whether it was deleted to the end before. What was under way then may have left something."""
    try:
        catalog.run(name)
    except Missing:
        return True
    return False


def _said(name: str, done: Removed, gone: bool) -> str:
    if not gone:
        return f"Run {name} is deleted: {_told(done)}."
    if done == Removed():
        return f"Run {name} was deleted already; nothing of it is left."
    return f"Run {name} was deleted already. What has been written since is deleted, too: {_told(done)}."


def _told(done: Removed) -> str:
    rows, blobs, shards = counted(done.rows, "row"), counted(done.blobs, "blob"), counted(done.shards, "shard")
    return f"{rows}, {blobs} and {shards}, {done.bytes / 1e6:.1f} MB"
