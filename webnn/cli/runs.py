"""`webnn create`: starting runs of a stage."""

import json
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

from webnn.cli import stage as stages
from webnn.cli.code import invite
from webnn.cli.follow import shown, uploaded
from webnn.core.records import Status
from webnn.cutting import of_dataset
from webnn.datasets import digits, mnist
from webnn.errors import Invalid
from webnn.publish import Progress, publish
from webnn.runs import Description

SEED = 0


@click.command()
@click.argument("name")
@click.option("--example", type=click.Choice(["digits", "mnist"]), default=None, help="[default: the run's name]")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
              help="Folder with MNIST's four IDX files.")  # fmt: skip
@click.option("--until", type=click.FloatRange(0.0, 1.0, min_open=True), default=None,
              help="Accuracy on the whole test set at which the run finishes. [default: the example's]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def create(name: str, example: str | None, data: Path | None, until: float | None, as_json: bool, stage: str) -> None:
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
    runs, link = stages.services(stage).runs, stages.link(stage, name)
    console = Console(stderr=as_json)
    with shown(console, "uploading", at_once=False) as show:

        def told(found: Progress) -> None:
            show(uploaded(found), found.shards, found.total)

        run = publish(runs, name, document, of_dataset(document, dataset), random, told)
    if as_json:
        stages.print_json({"run": name, "stage": stage, "spec_sha256": run.spec_sha256, "page": link})
        return
    _tell(runs.describe(name), link, console)


def _tell(found: Description, link: str, console: Console) -> None:
    """Where the run stands: one that was there already, and was made of the same, is left as it is."""
    where = f"Run {found.run.run} is at version {found.head.version}"
    if found.head.status is not Status.RUNNING:
        console.print(f"{where}, {found.head.status}: it was there already.", highlight=False, soft_wrap=True)
        return
    console.print(f"{where} and waits for clients.", highlight=False, soft_wrap=True)
    invite(console, link)


def _document(example: str, until: float | None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((stages.CHECKOUT / "examples" / example / "spec.json").read_text())
    if until is not None:
        document["end"] = {"accuracy": until}
    return document
