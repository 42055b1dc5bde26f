"""`webnn import`, `export`, `evaluate`: models of Keras in, trained ones out, and what they are worth."""

from collections.abc import Callable
from pathlib import Path

import click
import msgspec
import numpy as np
from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from webnn.cli import best, completion
from webnn.cli import stage as stages
from webnn.core.spec import Spec
from webnn.core.tensors import total_size
from webnn.keras.exporting import FORMATS, SUFFIXES, Trained
from webnn.keras.exporting import export as write
from webnn.keras.importing import Imported, check_free, imported, save
from webnn.keras.measures import Sums, measured
from webnn.keras.predicting import predictor
from webnn.project.data_module import DATA
from webnn.project.sections import TOML
from webnn.trained import Version, validation, version_of
from webnn.wiring import Services

SEED = 0
VERSION = click.option("--version", type=click.IntRange(min=0), default=None, help="[default: the head's]")
FORCE = click.option("--force", is_flag=True, help="Take the place of what is there.")


class Evaluated(Struct, frozen=True):
    """What a version is worth on the whole validation set."""

    run: str
    version: int
    loss: float
    accuracy: float
    examples: int


@click.command(name="import")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@FORCE
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def import_model(model: Path, folder: Path, force: bool, as_json: bool) -> None:
    """Bring a Keras MODEL into FOLDER as pages train it.

    That is model.json and weights.bin.

    MODEL is a .keras or .h5 file, a SavedModel's folder, or a model.json, of Keras 3, Keras 2 (tf_keras) or TF.js. A
    layer that cannot be trained in a page is named, and nothing is written.
    """
    check_free(folder, force)  # not after all the work
    with Console(stderr=True).status("reading") as status:
        found = imported(model, np.random.default_rng(SEED), status.update)
        save(folder, found, force)
    if as_json:
        parameters = total_size(found.specs)
        lines = msgspec.to_builtins(found.lines)
        stages.print_json({"folder": str(folder), "layers": lines, "parameters": parameters, "apart": found.apart})
        return
    _show(found)
    said = f"{folder} has the model and its weights. {_next(folder)}"
    Console().print(said, markup=False, highlight=False, soft_wrap=True)


def _next(folder: Path) -> str:
    if (folder / TOML).exists() or (folder / DATA).exists():
        return f"Look whether all goes together with: webnn validate {folder}"
    return f"Make settings and data to go with them with: webnn new {folder}"


def _show(found: Imported) -> None:
    table = Table("layer", "kind", "gives", "parameters")
    for line in found.lines:
        table.add_row(escape(line.layer), line.kind, line.gives, f"{line.parameters:,}")
    table.add_section()
    table.add_row("", "", "", f"{total_size(found.specs):,}")
    Console().print(table)
    if found.apart is not None:
        said = f"Built anew, it predicts as the model in the files does, to {found.apart:.1e}."
        Console().print(said, highlight=False)


@click.command()
@completion.run
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default=None,
              help="What to write. [default: by the ending of OUT: .keras, .h5 or .onnx]")  # fmt: skip
@VERSION
@FORCE
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def export(name: str, out: Path, form: str | None, version: int | None, force: bool, as_json: bool, stage: str) -> None:
    """Write a run's model to OUT for Keras, TF.js or ONNX.

    Or for TensorFlow.

    What was written is loaded again, and compared with what pages predict.
    """
    form = form or _by_ending(out)
    services = stages.services(stage)
    with Console(stderr=True).status("reading the checkpoint") as status:
        _, found, trained = _trained(services, name, version)
        status.update(f"writing {form} and comparing")
        written = write(trained, out, form, force, np.random.default_rng(SEED))
    if as_json:
        told = {"run": name, "version": found.number, "format": form, "path": str(out), "apart": written.apart}
        stages.print_json(told)
        return
    compared = "" if written.apart is None else f" It predicts as pages do, to {written.apart:.1e}."
    said = f"{out} is version {found.number} of {name} as {form}.{compared}"
    Console().print(said, markup=False, highlight=False, soft_wrap=True)
    if version is None and (better := best.instead(services.catalog, name, found.number)):
        Console().print(better, markup=False, highlight=False, soft_wrap=True)


def _by_ending(out: Path) -> str:
    for form, suffix in SUFFIXES.items():
        if suffix and out.suffix == suffix:
            return form
    raise click.UsageError(f"say with --format what {out} is to be: {', '.join(FORMATS)}")


@click.command()
@completion.run
@VERSION
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
@stages.option
def evaluate(name: str, version: int | None, as_json: bool, stage: str) -> None:
    """Work out a run's loss and accuracy, here.

    On its whole validation set.
    """
    services = stages.services(stage)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("evaluating", total=None)
        spec, found, trained = _trained(services, name, version)
        total = spec.data.validation_examples
        sums = _sums(services, spec, trained, lambda done: bar.update(task, completed=done, total=total))
    told = Evaluated(name, found.number, sums.loss / sums.examples, sums.right / sums.examples, sums.examples)
    if as_json:
        stages.print_json(told)
        return
    said = f"{name}, version {told.version}: accuracy {told.accuracy:.2%}, loss {told.loss:.4f}"
    Console().print(f"{said}, on all {told.examples:,} validation examples.", highlight=False, soft_wrap=True)


def _trained(services: Services, name: str, version: int | None) -> tuple[Spec, Version, Trained]:
    spec = services.runs.describe(name).spec
    found = version_of(services.catalog, services.blobs, spec, name, version)
    return spec, found, Trained(spec.topology, spec.weights, found.weights)


def _sums(services: Services, spec: Spec, trained: Trained, progress: Callable[[int], None]) -> Sums:
    predict, sums = predictor(trained), Sums()
    for inputs, targets in validation(services.blobs, spec, spec.validation.batch_size):
        sums += measured(spec.training.loss, targets, predict(inputs))
        progress(sums.examples)
    return sums
