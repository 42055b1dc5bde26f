"""`webnn save`: a version of a run as a model on this machine."""

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from webnn.cli import best, completion
from webnn.cli import stage as stages
from webnn.saving import write


@click.command()
@completion.run
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--version", type=click.IntRange(min=0), default=None, help="[default: the head's]")
@click.option("--force", is_flag=True, help="Replace a model that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def save(name: str, folder: Path, version: int | None, force: bool, as_json: bool, stage: str) -> None:
    """Save a run's model into FOLDER, as TF.js loads it.

    FOLDER gets model.json, with topology and weights manifest, and weights.bin.
    """
    services = stages.services(stage)
    with stages.working(Console(stderr=True), "fetching the weights"):
        saved = services.saver.model(name, version)
        write(saved, folder, force=force)
    entry = saved.entry
    if as_json:
        stages.print_json({
            "run": name,
            "version": entry.version,
            "accuracy": saved.accuracy,
            "sha256": entry.sha256,
            "bytes": entry.bytes,
            "folder": str(folder),
        })  # fmt: skip
        return
    accuracy = "not evaluated" if saved.accuracy is None else f"{saved.accuracy:.2%}"
    said = f"Version {entry.version} of {name} ({accuracy}) is in {folder}: {entry.bytes:,} bytes of weights."
    Console().print(Text(said), soft_wrap=True)
    if version is None and (better := best.instead(services.catalog, name, entry.version)):
        Console().print(Text(better), soft_wrap=True)
