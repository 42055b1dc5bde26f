"""`webnn simulate`: a run without browsers, in virtual time."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from webnn import chart
from webnn.cli import stage as stages
from webnn.datasets import Dataset, digits, mnist
from webnn.errors import Invalid
from webnn.simulate.population import ATTACKS, Population

DATA_SEED = 0
DEFAULTS = msgspec.to_builtins(Population())


class Finite(click.FloatRange):
    """A range whose bounds NaN does not slip through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises click.BadParameter."""
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"{value!r} is not a number to work with", param, ctx)
        return found


def _named(_context: Any, _parameter: Any, value: str | None) -> Any:
    """A part of a recipe: its name, or JSON with its parameters."""
    if value is None or not value.lstrip().startswith(("{", "[")):
        return value and {"name": value.strip()}
    try:
        found = json.loads(value)
    except ValueError as error:
        raise click.BadParameter(f"neither a name nor JSON: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise click.BadParameter('JSON takes a "name"')
    return found


def _all_named(context: Any, parameter: Any, values: tuple[str, ...]) -> list[Any]:
    """Several parts, in order."""
    return [_named(context, parameter, value) for value in values]


def _population(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say who takes part; their ranges are checked when the population is made."""
    options = [
        click.option("--clients", type=int, default=8, show_default=True, help="How many."),
        click.option("--sigma", type=float, default=0.0, show_default=True,
                     help="Spread of their speeds: log-normal, mean 1."),
        click.option("--arrivals", type=float, default=0.0, show_default=True, help="They arrive within this time."),
        click.option("--leaving", type=float, default=0.0, show_default=True,
                     help="Share that leaves in the middle of a task."),
        click.option("--stay", type=float, default=50.0, show_default=True, help="When they do, on average."),
        click.option("--replaced/--not-replaced", default=False, help="Whether another comes for each who leaves."),
        click.option("--latency", type=float, default=0.0, show_default=True, help="Of each transfer."),
        click.option("--bandwidth", type=float, default=None, help="Bytes a unit of time, each way."),
        click.option("--merge-delay", type=float, default=0.0, show_default=True, help="From an upload to its merge."),
        click.option("--failures", type=float, default=0.0, show_default=True,
                     help="Share of updates that are never uploaded."),
        click.option("--dirichlet", type=float, default=None,
                     help="Clients have data of their own, its classes skewed by this alpha."),
        click.option("--malicious", type=float, default=0.0, show_default=True, help="Share that means harm."),
        click.option("--attack", type=click.Choice(ATTACKS), default="sign_flip", show_default=True, help="How."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
              help="Folder with MNIST's four IDX files. [default: the digits that scikit-learn ships]")  # fmt: skip
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), default=None,
              help="Folder with a spec.json. [default: the example of the data]")  # fmt: skip
@click.option("--learner", type=click.Choice(["tensorflow", "numpy"]), default=None,
              help="What trains; numpy knows dense layers only. [default: numpy where it can]")  # fmt: skip
@click.option("--rule", callback=_named, default=None, help="Merge rule: a name or JSON. [default: the spec's]")
@click.option("--robust", callback=_all_named, multiple=True, help="Robust fold: a name or JSON. Again for another.")
@click.option("--server-optimizer", callback=_named, default=None, help="Server optimizer: a name or JSON.")
@click.option("--where", type=click.Choice(["server", "peer"]), default=None,
              help="Who merges. [default: the spec's]")  # fmt: skip
@click.option("--optimizer", type=click.Choice(["sgd", "momentum", "adam", "muon"]), default=None,
              help="Of the clients. [default: the spec's; with --rule, muon for auto and else sgd]")  # fmt: skip
@click.option(
    "--learning-rate",
    type=Finite(0.0, min_open=True),
    default=None,
    help="Of the clients. [default: the spec's; with --rule, one for the optimizer]",
)
@click.option(
    "--local-steps",
    type=int,
    default=None,
    help="Mini-batches to an update. [default: the spec's; with --rule auto, 4]",
)
@click.option("--batch-size", type=int, default=None, help="Examples in a mini-batch. [default: the spec's]")
@_population
@click.option("--target", type=Finite(0.0, 1.0), default=0.98, show_default=True,
              help="Accuracy on the whole test set at which to stop.")  # fmt: skip
@click.option("--time", "limit", type=Finite(0.0, min_open=True), default=1000.0, show_default=True,
              help="The longest.")  # fmt: skip
@click.option("--every", type=Finite(0.01), default=4.0, show_default=True,
              help="Time between evaluations; they take none.")  # fmt: skip
@click.option("--seeds", type=click.IntRange(1, 1000), default=1, show_default=True, help="Runs, each with its chance.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Draw a chart.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def simulate(**options: Any) -> None:
    """Live a run in virtual time.

    Real training and the real merging, simulated clients around them.

    Times are in units of one mini-batch on a client of speed 1.
    """
    from webnn.simulate.report import drawn, report  # noqa: PLC0415  # takes the extra `simulate`
    from webnn.simulate.run import Goal  # noqa: PLC0415

    if options["plot"] is not None:
        chart.check_drawable(options["plot"])  # not after all the work
    goal = Goal(options["target"], options["limit"], options["every"])
    population = _converted({name: options[name] for name in Population.__struct_fields__})
    document, dataset = _document(options), _dataset(options["data"])
    outcomes = list(_lived(document, dataset, population, goal, options))
    rule = document.get("merge", {}).get("rule", {}).get("name", "auto")
    found = report(rule, population.clients, outcomes)
    if options["plot"] is not None:
        drawn(options["plot"], f"{rule}, {population.clients} clients", outcomes, goal.target)
    if options["as_json"]:
        stages.print_json(found)
    else:
        _show(found)
    _tell_refused(outcomes)


def _lived(
    document: dict[str, Any], dataset: Dataset, population: Population, goal: Any, options: dict[str, Any]
) -> Iterator[Any]:
    from webnn.simulate.run import Point, Simulation  # noqa: PLC0415
    from webnn.simulate.run import simulate as live  # noqa: PLC0415

    make, seeds = _learner(options["learner"], document), options["seeds"]
    text = TextColumn("seed {task.fields[seed]}  time {task.completed:.0f}  accuracy {task.fields[accuracy]:.2%}")
    with Progress(text, BarColumn(), TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        for seed in range(seeds):
            task = bar.add_task("", total=goal.limit, seed=f"{seed + 1}/{seeds}", accuracy=0.0)

            def shown(point: Point, task: Any = task) -> None:
                bar.update(task, completed=point.time, accuracy=point.accuracy)

            yield live(Simulation(document, dataset, make, population, seed), goal, shown)
            bar.remove_task(task)


def _tell_refused(outcomes: list[Any]) -> None:
    """Or a run in which nothing can be merged would look like one that learns badly."""
    reasons: Counter[str] = sum((Counter(outcome.refused) for outcome in outcomes), Counter())
    if reasons:
        (reason, _), merged = reasons.most_common(1)[0], sum(outcome.updates for outcome in outcomes)
        click.echo(f"{reasons.total()} of {reasons.total() + merged} updates were refused: {reason}", err=True)
    elif not all(outcome.updates for outcome in outcomes):
        click.echo("no update was merged in this time", err=True)


def _converted(members: dict[str, Any]) -> Population:
    try:
        return msgspec.convert(members, Population)
    except msgspec.ValidationError as error:
        said = re.sub(r"`\$\.(\w+)`", lambda at: f"--{at[1].replace('_', '-')}", str(error))
        raise Invalid(f"who takes part makes no sense: {said}") from error


def _document(options: dict[str, Any]) -> dict[str, Any]:
    """The model's spec with what the options change."""
    example = "mnist" if options["data"] else "digits"
    path = (options["model"] or stages.CHECKOUT / "examples" / example) / "spec.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error
    _check_objects(path, document)
    merge, training = dict(document.get("merge", {})), dict(document.get("training", {}))
    if options["rule"] is not None:
        merge["rule"] = options["rule"]
        training = {name: training[name] for name in ("loss", "batch_size", "local_steps") if name in training}
        if options["rule"]["name"] == "auto":
            training.pop("local_steps", None)
    merge |= {"where": options["where"]} if options["where"] else {}
    merge |= {"robust": options["robust"]} if options["robust"] else {}
    merge |= {"optimizer": options["server_optimizer"]} if options["server_optimizer"] else {}
    given = ("optimizer", "learning_rate", "local_steps", "batch_size")
    training |= {name: options[name] for name in given if options[name] is not None}
    return {**document, "merge": merge, "training": training}


def _check_objects(path: Path, document: Any) -> None:
    """Of the rest the spec's parser tells what is wrong."""
    if not isinstance(document, dict):
        raise Invalid(f"{path} holds no JSON object")
    for name in ("merge", "training", "modelTopology", "data"):
        if not isinstance(document.get(name, {}), dict):
            raise Invalid(f"{path}: {name} is no JSON object")


def _dataset(folder: Path | None) -> Dataset:
    order = np.random.default_rng(DATA_SEED)
    return mnist(folder, order) if folder is not None else digits(order)


def _learner(name: str | None, document: dict[str, Any]) -> Any:
    """The learner by its name; else numpy's if the model has dense layers only."""
    from webnn.simulate.learner_dense import DenseLearner, is_dense  # noqa: PLC0415
    from webnn.simulate.learner_tensorflow import TensorFlowLearner  # noqa: PLC0415

    chosen = name or ("numpy" if is_dense(document.get("modelTopology", {})) else "tensorflow")
    return DenseLearner if chosen == "numpy" else TensorFlowLearner


def _show(found: Any) -> None:
    table = Table(show_header=False, title=f"{found.rule}, {found.clients} clients", title_justify="left")
    times = ", ".join("not reached" if time is None else f"{time:g}" for time in found.time_to_target)
    table.add_row("time to target", times)
    table.add_row("accuracy", ", ".join(f"{accuracy:.2%}" for accuracy in found.accuracy))
    table.add_row("updates", f"{found.updates:,}")
    table.add_row("staleness", f"{found.staleness_p50:g} in the middle, {found.staleness_p95:g} at the 95th percentile")
    table.add_row("bytes up, down", f"{found.bytes_up:,}, {found.bytes_down:,}")
    Console().print(table)
