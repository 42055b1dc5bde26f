"""`webnn watch`: a run as it goes on, in the terminal."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from webnn import wiring
from webnn.cli import completion, dashboard, troubles
from webnn.cli import stage as stages
from webnn.cli.silence import SILENT, Silence
from webnn.core.records import Status
from webnn.errors import Unavailable
from webnn.story import Standing, Story

SLOWEST_SECONDS = 30.0
Wait = Callable[[float], bool]


@click.command()
@completion.run
@click.option("--every", type=click.FloatRange(min=0.2, max=3600.0), default=2.0, show_default=True,
              help="Seconds between looks.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each change.")
@stages.option
def watch(name: str, every: float, as_json: bool, stage: str) -> None:
    """Watch a run until it is finished.

    q or Ctrl-C leaves, and the run goes on.

    In a terminal a picture, elsewhere a line for each change.
    """
    story = Story(stages.services(stage).catalog, name, wiring.now)
    show = _json if as_json else line
    try:
        if sys.stdout.isatty() and not as_json:
            _draw(story, every)
        else:
            _tell(story, every, show)
    except KeyboardInterrupt:
        return


def _draw(story: Story, every: float) -> None:
    console = Console()
    with _keys() as wait, Live(console=console, auto_refresh=False) as live:
        standing: Standing | None = None
        for found, note in looks(story, every, wait):
            standing = found or standing
            if standing is not None:
                live.update(dashboard.picture(story, standing, note, console.height), refresh=True)
            elif note:
                live.update(Text(note, "yellow"), refresh=True)


def _tell(story: Story, every: float, show: Callable[[Standing], None]) -> None:
    last: object = None
    silence = Silence(lambda said: click.echo(said, err=True))
    for standing, _ in looks(story, every, _sleep):
        silence.looked(standing is not None)
        if standing is not None and (now := changes(standing)) != last and not standing.catching_up:
            last = now
            show(standing)


def looks(story: Story, every: float, wait: Wait) -> Iterator[tuple[Standing | None, str | None]]:
    """A look at the run every so many seconds until it is finished, or `wait` says to leave.

    Each with what is to be noted: where the stage does not answer there is no standing, and the looks get rarer.
    """
    pause = every
    while True:
        try:
            standing = story.look()
        except Unavailable:
            pause = min(max(SLOWEST_SECONDS, every), 2 * pause)
            yield None, f"{SILENT} Next look in {pause:.0f} s."
        else:
            yield standing, None
            if standing.status is Status.FINISHED and not standing.catching_up:
                return
            pause = 0.0 if standing.catching_up else every
        if wait(pause):
            return
        pause = pause or every


def changes(standing: Standing) -> object:
    """What is worth a new line when it is another."""
    return (
        *(standing.status, standing.version, standing.generation, standing.evaluated_version, standing.clients),
        troubles.in_short(standing.failures),
    )


def _json(standing: Standing) -> None:
    stages.print_json(standing)
    sys.stdout.flush()


def line(standing: Standing) -> None:
    """Prints where a run stands as one line."""
    accuracy = "not evaluated"
    if standing.accuracy is not None:
        accuracy = f"accuracy {standing.accuracy:.2%} loss {standing.loss:.4f} at version {standing.evaluated_version}"
    staleness = (
        "" if standing.staleness_p50 is None else f", staleness {standing.staleness_p50}-{standing.staleness_p95}"
    )
    clients = f"{standing.clients} client{'' if standing.clients == 1 else 's'}"
    trouble = troubles.in_short(standing.failures)
    failing = f"; {trouble}" if trouble else ""
    pace = "" if standing.status is Status.FINISHED else f", {standing.updates_per_second:.2f} updates/s"
    click.echo(
        f"{dashboard.duration(standing.seconds)} {standing.run} {standing.status}: version {standing.version}, "
        f"{accuracy}, {clients}{pace}{staleness}{failing}"
    )
    sys.stdout.flush()


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False


@contextmanager
def _keys() -> Iterator[Wait]:
    """What waits, and says whether q was pressed meanwhile; plain waiting where nothing can be pressed."""
    if not sys.stdin.isatty():
        yield _sleep
        return
    import termios  # noqa: PLC0415  # Windows has neither
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield _pressed_q
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _pressed_q(seconds: float) -> bool:
    end = wiring.deadline(seconds)
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], min(seconds, 0.2))
        if ready:
            typed = os.read(sys.stdin.fileno(), 64)
            if not typed or b"q" in typed.lower():
                return True
        if end():
            return False
