"""`webnn new`, `validate`, `push`, `train`: from a folder to a run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.text import Text

from webnn.cli import stage as stages
from webnn.cli.code import invite
from webnn.cli.follow import facts, follow, shown, uploaded
from webnn.core.records import Status
from webnn.errors import Conflict
from webnn.project.data_module import DATA
from webnn.project.folder import Project, Unfit, check, read
from webnn.project.model import MODEL
from webnn.project.problem import Problem
from webnn.project.push import push as push_project
from webnn.project.push import pushed, set_running
from webnn.project.template import TEMPLATES, scaffold
from webnn.publish import Progress
from webnn.runs import Description
from webnn.wiring import Services

STOPPED = 130

FOLDER = click.argument("folder", type=click.Path(path_type=Path), default=".")
JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--template", type=click.Choice(TEMPLATES), default="blank", show_default=True, help="What to begin with."
)
@JSON
def new(name: Path, template: str, as_json: bool) -> None:
    """Make the folder NAME: model, settings, data module.

    The data module gives the data.

    A model that is there, from `webnn import`, is kept, and the rest made to fit it.
    """
    made = scaffold(name, template)
    if as_json:
        stages.print_json({"folder": str(name), "files": [path.name for path in made]})
        return
    console = Console()
    for path in made:
        console.print(f"[green]✓[/] {path}", highlight=False, soft_wrap=True)
    text = "Change them as you like"
    if name / MODEL not in made:
        text = f"They go with {name / MODEL}, which was there. Put your own data into {name / DATA}"
    console.print(f"{text}, then: webnn validate {name}", markup=False, highlight=False, soft_wrap=True)


@click.command()
@FOLDER
@JSON
def validate(folder: Path, as_json: bool) -> None:
    """Check all of FOLDER and say what is wrong, line by line.

    By default it is this one. Exits with 1 if anything is wrong.
    """
    console = Console(stderr=as_json)
    with _told(folder, as_json):
        project = read(folder)
        remarks = _check(project, console)
    if as_json:
        told = {"problems": [], "remarks": msgspec.to_builtins(remarks)}
        stages.print_json({"folder": str(folder), "run": project.name, **told})
    else:
        text = f"Nothing is wrong with {folder}. Make the run {project.name} of it with: webnn push {folder}, "
        text += f"or webnn train {folder}: push, start, follow"
        console.print(text, markup=False, highlight=False, soft_wrap=True)


@click.command()
@FOLDER
@stages.option
@JSON
def push(folder: Path, stage: str, as_json: bool) -> None:
    """Check FOLDER, upload its data, make a paused run of it.

    Broken off, do it again: nothing is sent twice. `webnn train` sets it running.
    """
    console = Console(stderr=as_json)
    with _told(folder, as_json):
        project = read(folder)
        services, link = stages.services(stage), stages.link(stage, project.name)
        last = _push(project, services, stage, console)
    if as_json:
        counts = {"shards": last.shards, "bytes": last.bytes, "sent": last.sent}
        stages.print_json({"run": project.name, "stage": stage, "page": link, **counts})
        return
    text = (
        f"Run {project.name} is on stage {stage}; of its {last.bytes / 1e6:.1f} MB in {last.shards} shards "
        f"{last.sent / 1e6:.1f} MB had to be sent. Set it running with: webnn train {folder} --stage {stage}"
    )
    console.print(text, markup=False, highlight=False, soft_wrap=True)


@click.command()
@FOLDER
@stages.option
@JSON
def train(folder: Path, stage: str, as_json: bool) -> None:
    """Push FOLDER, set its run running, and follow it.

    It is not pushed again if it has not changed. A run that is finished already is an error.

    Ctrl-C ends the following, not the run. Exits with 0 when the run is finished, with 130 when it was not waited for.
    """
    console = Console(stderr=as_json)
    with _told(folder, as_json):
        project = read(folder)
        services, link = stages.services(stage), stages.link(stage, project.name)
        if pushed(project, services.runs, stage) is None:
            _push(project, services, stage, console)
    if set_running(services.catalog, project.name).status is Status.FINISHED:
        raise _finished(project.name, stage)
    services.live.show(project.name)
    invite(console, link, drawn=not as_json)
    found, finished = follow(services.runs, services.failures, project.name, console)
    if as_json:
        stages.print_json({"run": project.name, "stage": stage, "page": link, **_stands(found),
                           "failures": services.failures.look(project.name)})  # fmt: skip
    if not finished:
        text = f"Run {project.name} goes on, and is only no longer looked at: {facts(found)}."
        console.print(text, markup=False, highlight=False, soft_wrap=True)
        sys.exit(STOPPED)
    console.print(f"Run {project.name} is over: {facts(found)}.", highlight=False, soft_wrap=True)


def _finished(name: str, stage: str) -> Conflict:
    return Conflict(
        f"run {name} is finished already: `webnn retrain {name} --stage {stage}` begins anew, and `webnn start {name} "
        f"--stage {stage}` lets one go on that was only stopped; another name, in [run] of webnn.toml, makes another",
        run=name,
    )


def _stands(found: Description) -> dict[str, object]:
    metrics = found.metrics
    return {
        "status": str(found.head.status),
        "version": found.head.version,
        "accuracy": metrics.accuracy if metrics else None,
        "evaluated_version": metrics.version if metrics else None,
    }


@contextmanager
def _told(folder: Path, as_json: bool) -> Iterator[None]:
    """Tells all that is wrong with a folder, or that it was interrupted, and exits."""
    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted. Nothing is lost: the same command goes on where this broke off.")
        sys.exit(STOPPED)
    except Unfit as error:
        if as_json:
            stages.print_json({"folder": str(folder), "problems": error.details["problems"]})
        console, count = Console(stderr=True), len(error.problems)
        for problem in error.problems:
            console.print(str(folder / str(problem)), markup=False, highlight=False, soft_wrap=True)
        text = f"{count} problem{'' if count == 1 else 's'}; nothing was uploaded."
        console.print(text, markup=False, highlight=False)
        sys.exit(1)


def _check(project: Project, console: Console) -> list[Problem]:
    """Tells the remarks, and gives them."""
    with shown(console, "checking") as show:
        remarks = check(project, lambda name, count: show(f"{count:,} examples of {name}()", None, None))
    for remark in remarks:
        console.print(Text(str(project.folder / str(remark)), "yellow"), soft_wrap=True)
    return remarks


def _push(project: Project, services: Services, stage: str, console: Console) -> Progress:
    _check(project, console)
    last = Progress()
    with shown(console, "uploading", at_once=False) as show:

        def on_progress(found: Progress) -> None:
            nonlocal last
            last = found
            show(uploaded(found), found.shards, found.total)

        push_project(project, services.runs, stage, on_progress)
    return last
