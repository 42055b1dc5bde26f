"""`webnn demo`: the main job on this machine, shown so that people can follow."""

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from webnn.cli.words import on_the_way, percent
from webnn.local import demo as local
from webnn.local.stage import LocalStage

STOPPED = 130


@click.command()
@click.option("--clients", type=click.IntRange(0, 64), default=None,
              help="Clients to start. [default: one per core, at most 4]")  # fmt: skip
@click.option("--until", type=click.FloatRange(0.0, 1.0, min_open=True), default=0.95, show_default=True,
              help="Accuracy on the whole test set at which to stop.")  # fmt: skip
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
              help="Folder with MNIST's four IDX files. [default: the digits that scikit-learn ships]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def demo(clients: int | None, until: float, data: Path | None, as_json: bool) -> None:
    """Train handwritten digits in this machine's browsers.

    Exits with 0 when the accuracy is reached, with 130 when it was stopped before.
    """
    for which in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(which, _interrupted)
    count = clients if clients is not None else min(4, os.cpu_count() or 1)
    show = _Show(Console(stderr=as_json), until)
    try:
        with show.bar:
            result = local.demo(local.Options(count, until, data), local.Show(show.step, show.ready, show.progress))
    except KeyboardInterrupt:  # before there was anything to tell of
        sys.exit(STOPPED)
    if as_json:
        print(local.as_json(result))
    else:
        show.end(result)
    if (result.accuracy or 0.0) < until:
        sys.exit(STOPPED)


def _interrupted(*_: object) -> NoReturn:
    """As Ctrl-C: everything is taken down in order."""
    raise KeyboardInterrupt


class _Show:
    """Steps, then a bar of the accuracy on its way to the goal, with what belongs to it."""

    def __init__(self, console: Console, until: float) -> None:
        self._console = console
        self._until = until
        self._trouble: str | None = None
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[facts]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self.bar.add_task("setting up", total=1.0, facts="")

    def step(self, what: str) -> None:
        self.bar.update(self._task, description=what)

    def ready(self, stage: LocalStage, run: str, clients: str) -> None:
        engines = ", ".join(f"{name} {version}" for name, version in stage.versions.items())
        self._say(f"[bold]{run}[/] is training on this machine ({engines}; clients: {clients}).")
        self._say("Open this page in any browser of this machine to join as one more client:")
        self._say(f"  [bold link={stage.page}?run={run}]{stage.page}?run={run}[/]")
        self._say(f"Watch it: {stage.watcher}?run={run}")
        self._say(f"The API: {stage.api}")
        self._say("Ctrl-C stops everything.\n")
        self.bar.update(self._task, description="accuracy")

    def progress(self, found: local.Progress) -> None:
        accuracy = "no accuracy" if found.accuracy is None else f"{found.accuracy:.2%}"
        facts = f"{accuracy} of {percent(self._until)}  version {found.version}"
        facts += f"  {found.updates_per_second:.1f} updates/s  clients {found.clients}"
        done = on_the_way(found.accuracy, self._until)
        self.bar.update(self._task, completed=done, facts=facts)
        if found.trouble != self._trouble and found.trouble:
            self._say(f"[yellow]{escape(found.trouble)}[/]")
        self._trouble = found.trouble

    def end(self, result: local.Result) -> None:
        reached = (result.accuracy or 0.0) >= self._until
        if not reached:
            self._say(f"Stopped before {percent(self._until)}. Nothing is left running.")
        if result.accuracy is None:
            return
        clients = "1 client" if result.clients == 1 else f"{result.clients} clients"
        self._say(
            f"Version {result.version} reads {result.accuracy:.2%} of the whole test set right. There were "
            f"{result.updates} updates by {clients} in {result.seconds:.0f} s; the clients started here moved "
            f"{result.bytes_up / 1e6:.1f} MB up and {result.bytes_down / 1e6:.1f} MB down."
            + (" Nothing is left running." if reached else "")
        )

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)
