"""`webnn pause`, `start`, `stop`, `reset`, `retrain`, `copy`: what an owner tells a run to do."""

from collections.abc import Callable

import click
from rich.console import Console
from rich.text import Text

from webnn.cli import completion
from webnn.cli import stage as stages
from webnn.cli.code import invite
from webnn.cli.words import percent
from webnn.control import Control
from webnn.core.records import Evaluation, Head, Status
from webnn.wiring import Services

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")


@click.command()
@completion.run
@AS_JSON
@stages.option
def pause(name: str, as_json: bool, stage: str) -> None:
    """Let a run's clients wait.

    What they have trained is still taken, and merged. `webnn start` goes on.
    """
    _told(Control.pause, name, as_json, stage)


@click.command()
@completion.run
@AS_JSON
@stages.option
def start(name: str, as_json: bool, stage: str) -> None:
    """Let a run go on that was paused or stopped."""
    _told(Control.start, name, as_json, stage)


@click.command()
@completion.run
@AS_JSON
@stages.option
def stop(name: str, as_json: bool, stage: str) -> None:
    """Finish a run: its clients are told to stop.

    What they have not sent yet, and what was not merged yet, is discarded. `webnn pause` loses nothing.
    """
    _told(Control.finish, name, as_json, stage)


@click.command()
@completion.run
@AS_JSON
@stages.option
def reset(name: str, as_json: bool, stage: str) -> None:
    """Go back to a run's first weights.

    They become a version of their own; nothing is deleted, so `webnn rollback` brings back any other. The run goes on,
    stays paused or stays finished, as it was.
    """
    services = stages.services(stage)
    before = services.catalog.head(name).version
    head = services.control.reset(name)
    if as_json:
        _print_json(name, head)
        return
    again = "has its first weights already" if head.version == before else "has its first weights again"
    then = {Status.RUNNING: "", Status.PAUSED: f": `webnn start {name}`", Status.FINISHED: f": `webnn retrain {name}`"}
    said = f"{name} {again}: version {head.version}. It is {head.status}{then[head.status]}."
    Console().print(Text(said), soft_wrap=True)


@click.command()
@completion.run
@AS_JSON
@stages.option
def retrain(name: str, as_json: bool, stage: str) -> None:
    """Go back to a run's first weights and train from there.

    Whatever its status was.
    """
    _told(Control.retrain, name, as_json, stage)


def _told(tell: Callable[[Control, str], Head], name: str, as_json: bool, stage: str) -> None:
    services = stages.services(stage)
    before = services.catalog.head(name).status
    head = tell(services.control, name)
    if as_json:
        _print_json(name, head)
        return
    said = f"{name} is {head.status} at version {head.version}, generation {head.generation}."
    if before is Status.FINISHED and head.status is Status.RUNNING:
        said += "\nPages that were told to stop do not come back by themselves: open them again."
    Console().print(Text(said), soft_wrap=True)


def _print_json(name: str, head: Head) -> None:
    stages.print_json({"run": name, "status": head.status, "version": head.version, "generation": head.generation})


def _version(_context: click.Context, _parameter: click.Parameter, value: str) -> int | None:
    """A version, or None for the head's."""
    named: dict[str, int | None] = {"head": None, "genesis": 0}
    if value in named:
        return named[value]
    if not value.isdecimal():
        raise click.BadParameter(f"{value!r} is neither head nor genesis nor a version")
    return int(value)


@click.command()
@completion.run
@click.argument("new")
@click.option("--weights", "version", default="head", show_default=True, callback=_version,
              metavar="head|genesis|VERSION", help="Which weights the copy begins with.")  # fmt: skip
@click.option("--until", type=click.FloatRange(0.0, 1.0, min_open=True), default=None,
              help="Accuracy at which the copy finishes. [default: as the run does]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def copy(name: str, new: str, version: int | None, until: float | None, as_json: bool, stage: str) -> None:
    """Start the run NEW with spec and data of the run NAME.

    Data is shared, not stored again. The run NAME stays as it is.
    """
    services, link = stages.services(stage), stages.link(stage, new)
    with stages.working(Console(stderr=True), "copying the weights"):
        made = services.copier.copy(name, new, version, until)
    if as_json:
        stages.print_json({"run": made.run, "of": name, "spec_sha256": made.spec_sha256, "page": link})
        return
    console = Console()
    console.print(Text(f"Run {made.run} is at version 0 and waits for clients."), soft_wrap=True)
    if reached := _reached(services, name, version, new):
        console.print(Text(reached, "yellow"), soft_wrap=True)
    invite(console, link)


def _reached(services: Services, name: str, version: int | None, new: str) -> str | None:
    """That the weights of a copy have reached its end already, if so: it is of little use."""
    goal = services.runs.describe(new).spec.end.accuracy
    found = _evaluated(services, name, version)
    if goal is None or found is None or found.accuracy < goal:
        return None
    return (
        f"It finishes with its first evaluation: version {found.version} of {name} has an accuracy of "
        f"{found.accuracy:.2%}, and {new} ends at {percent(goal)}. For a copy that trains on: "
        f"`webnn copy {name} OTHER --until ACCURACY`"
    )


def _evaluated(services: Services, name: str, version: int | None) -> Evaluation | None:
    """The evaluation of a version; of the head, what is told of it."""
    if version is not None:
        found = services.catalog.evaluations(name, version - 1, 1)
        return found[0] if found and found[0].version == version else None
    return services.runs.describe(name).metrics
