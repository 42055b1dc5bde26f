"""`webnn redrive`: puts the rings that failed five times back onto the doorbell."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import click
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from webnn import aws, wiring
from webnn.cli import stage as stages
from webnn.errors import WebnnError
from webnn.redrive import Redriven, Redriver

PATIENCE_SECONDS = 1.0
SHOWN_CHARACTERS = 60


@click.command()
@click.option("--dry-run", is_flag=True, help="Only list what is there.")
@click.option("--unreadable", is_flag=True, help="Also put back what cannot be read. It dies again, in half an hour.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def redrive(dry_run: bool, unreadable: bool, as_json: bool, stage: str) -> None:
    """Put a stage's dead letters back onto its doorbell.

    Do it when what made them fail is mended. Takes as many messages as are there when it begins; those that fail again
    are back in half an hour. Messages that cannot be read stay, unless told otherwise.
    """
    steps = redriver(stage).redrive(unreadable=unreadable, dry_run=dry_run)
    last = next(steps)
    tell = partial(_tell, stage=stage, dry_run=dry_run, stays=dry_run or not unreadable, as_json=as_json)
    try:
        for step in _watched(steps, last.total):
            last = step
    except (WebnnError, KeyboardInterrupt):
        if last.moved:
            tell(last)  # what was moved is moved
        raise
    tell(last)


def redriver(stage: str) -> Redriver:
    """On the stage's queues. Raises Missing if it has none."""
    where = stages.of(stage)
    return Redriver(aws.queue(where, f"webnn-{stage}-dead"), aws.queue(where, f"webnn-{stage}-doorbell"))


def _watched(steps: Iterator[Redriven], total: int) -> Iterator[Redriven]:
    """Shows how far it has come, if it takes longer than a moment."""
    late = wiring.deadline(PATIENCE_SECONDS)
    bar = Progress(console=Console(stderr=True))
    task = bar.add_task("dead letters", total=total)
    with ExitStack() as shown:
        for step in steps:
            if late() and not bar.live.is_started:
                shown.enter_context(bar)
            bar.update(task, completed=step.seen)
            yield step


def _tell(last: Redriven, *, stage: str, dry_run: bool, stays: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"moved": last.moved, "runs": last.runs, "unreadable": len(last.unreadable)}))
        return
    console = Console()
    readable = last.seen - len(last.unreadable)
    done = f"{_messages(readable)} to put back" if dry_run else f"{_messages(last.moved)} put back onto the doorbell"
    console.print(f"webnn-{stage}-dead: {done}.", highlight=False, soft_wrap=True)
    for run, count in sorted(last.runs.items()):
        console.print(f"  {run}: {count}", highlight=False, markup=False, soft_wrap=True)
    if last.unreadable:
        stay = ", left there (see --unreadable)" if stays else ", put back all the same"
        console.print(f"{_messages(len(last.unreadable))} cannot be read{stay}:", highlight=False, soft_wrap=True)
    for body in last.unreadable:
        console.print(Text(f"  {body[:SHOWN_CHARACTERS]!r}"), soft_wrap=True)


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"
