"""`webnn demo`: the main job on this machine, shown so that people can follow."""

import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from webnn.local import demo as local
from webnn.local.stage import LocalStage

TROUBLE_LENGTH = 100


@click.command()
@click.option("--clients", type=click.IntRange(0, 64), default=None, help="Clients to start. [default: one per core]")
@click.option("--until", type=click.FloatRange(0.0, 1.0, min_open=True), default=0.95, show_default=True,
              help="Accuracy on the whole test set at which to stop.")  # fmt: skip
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
              help="Folder with MNIST's four IDX files. [default: the digits that scikit-learn ships]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def demo(clients: int | None, until: float, data: Path | None, as_json: bool) -> None:
    """Train handwritten digits on this machine, in the browsers it has."""
    count = clients if clients is not None else min(4, os.cpu_count() or 1)
    show = _Show(Console(stderr=as_json), until)
    with show.bar:
        result = local.demo(local.Options(count, until, data), local.Show(show.step, show.ready, show.progress))
    if as_json:
        print(local.as_json(result))
    else:
        show.end(result)
    if as_json and (result.accuracy or 0.0) < until:
        sys.exit(130)  # stopped before it got there


class _Show:
    """Steps, then a bar of the accuracy with what belongs to it."""

    def __init__(self, console: Console, until: float) -> None:
        self._console = console
        self._until = until
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self.bar.add_task("setting up", total=100.0, facts="")

    def step(self, what: str) -> None:
        self.bar.update(self._task, description=what)

    def ready(self, stage: LocalStage, run: str) -> None:
        engines = ", ".join(f"{name} {version}" for name, version in stage.versions.items())
        self._console.print(f"[bold]{run}[/] is training on this machine ({engines}).", highlight=False)
        self._console.print("Open this page in any browser to join as one more client:", highlight=False)
        self._console.print(
            f"  [bold link={stage.page}?run={run}]{stage.page}?run={run}[/]", highlight=False, soft_wrap=True
        )
        self._console.print(f"Watch it: {stage.watcher}?run={run}", highlight=False, soft_wrap=True)
        self._console.print("Ctrl-C stops everything.\n", highlight=False)
        self.bar.update(self._task, description="accuracy")

    def progress(self, found: local.Progress) -> None:
        facts = f"version {found.version}  clients {found.clients}  {found.updates_per_second:.1f} updates/s"
        if found.trouble:
            facts += f"  [yellow]{escape(found.trouble[:TROUBLE_LENGTH])}[/]"
        accuracy = 100.0 * (found.accuracy or 0.0)
        self.bar.update(self._task, completed=accuracy, facts=facts)

    def end(self, result: local.Result) -> None:
        if result.accuracy is None:
            self._console.print("Stopped before the first evaluation; nothing is left running.")
            return
        self._console.print(
            f"Version {result.version} reads {result.accuracy:.2%} of the whole test set right, after "
            f"{result.updates} updates by {result.clients} clients in {result.seconds:.0f} s "
            f"({result.bytes_up / 1e6:.1f} MB up, {result.bytes_down / 1e6:.1f} MB down). Nothing is left running.",
            highlight=False,
        )
