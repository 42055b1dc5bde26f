"""`webnn create`: starting runs of a stage."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress

from webnn.cli import stage as stages
from webnn.cutting import of_dataset
from webnn.datasets import digits, mnist
from webnn.errors import Invalid
from webnn.publish import Progress as Uploaded
from webnn.publish import publish

SEED = 0


@click.command()
@click.argument("name")
@click.option("--example", type=click.Choice(["digits", "mnist"]), default=None, help="[default: the run's name]")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
              help="Folder with MNIST's four IDX files.")  # fmt: skip
@click.option("--until", type=click.FloatRange(0.0, 1.0, min_open=True), default=None,
              help="Accuracy on the whole test set at which the run finishes. [default: the example's]")  # fmt: skip
@stages.option
def create(name: str, example: str | None, data: Path | None, until: float | None, stage: str) -> None:
    """Start the run NAME of an example's model and data.

    The examples are digits and mnist.
    """
    chosen = example or name
    if chosen not in ("digits", "mnist"):
        raise Invalid("name an example with --example digits or --example mnist")
    document = _document(chosen, until)
    random = np.random.default_rng(SEED)
    if chosen == "mnist" and data is None:
        raise Invalid("--example mnist needs --data, the folder with MNIST's four files")
    dataset = mnist(data, random) if data is not None else digits(random)
    runs = stages.services(stage).runs
    with Progress() as bar:
        task = bar.add_task("uploading shards")

        def show(found: Uploaded) -> None:
            bar.update(task, completed=found.shards, total=found.total)

        publish(runs, name, document, of_dataset(document, dataset), random, show)
    Console().print(f"Run {name} is at version 0 and waits for clients.", highlight=False)


def _document(example: str, until: float | None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((stages.CHECKOUT / "examples" / example / "spec.json").read_text())
    if until is not None:
        document["end"] = {"accuracy": until}
    return document
