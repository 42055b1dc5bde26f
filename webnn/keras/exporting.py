"""A run's weights as a model that Keras, TensorFlow, TF.js or an ONNX runtime loads, without any optimizer.

What was written is loaded again and compared before it gets its name: a file that is there predicts as pages do.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from webnn.core.tensors import TensorSpec
from webnn.core.wire import Vector
from webnn.errors import Conflict, Corrupt, Invalid
from webnn.keras import building, onnx, weights
from webnn.keras.inputs import examples
from webnn.keras.tensorflow import h5py, kerases, variables
from webnn.keras.topology import to_keras3, to_tfjs

SUFFIXES = {"keras": ".keras", "h5": ".h5", "tfjs": "", "saved_model": "", "onnx": ".onnx"}
FORMATS = tuple(SUFFIXES)
MARKS = {"tfjs": weights.MODEL, "saved_model": "saved_model.pb"}


class Trained(Struct, frozen=True):
    """What a run's version is: a topology as its spec has it, and weights, float32 [parameters]."""

    topology: Mapping[str, Any]
    specs: tuple[TensorSpec, ...]
    weights: Vector


class Exported(Struct, frozen=True):
    """What was written.

    Attributes:
        apart: How far what was loaded again predicts from the model of the spec, relative to the largest above 1; None
            for `tfjs`, which is the spec's own topology and the checkpoint's bytes.
    """

    path: Path
    format: str
    apart: float | None


def export(trained: Trained, out: Path, form: str, force: bool, random: np.random.Generator) -> Exported:
    """Writes the model to `out`, whole or not at all.

    Args:
        trained: What to write.
        out: A file whose name ends as its format wants, or a folder for `tfjs` and `saved_model`.
        form: One of FORMATS.
        force: Whether it may take the place of another of its kind.
        random: For the examples that are compared.

    Raises:
        Missing: TensorFlow, or what ONNX takes, is not installed.
        Conflict: Something is there already.
        Invalid: The name does not fit the format, the topology is none that Keras builds, or it cannot be written.
        Corrupt: What was written predicts something else.
    """
    _check_place(out, form, force)
    topology = to_tfjs(trained.topology)
    with _beside(out) as folder:
        written = folder / f"model{SUFFIXES[form]}"
        apart = None
        if form == "tfjs":
            written.mkdir()
            weights.write_folder(written, trained.topology, trained.specs, trained.weights)
        else:
            apart = _written(trained, topology, written, form, random)
        _moved(written, out)
    return Exported(out, form, apart)


def _check_place(out: Path, form: str, force: bool) -> None:
    suffix = SUFFIXES[form]
    if suffix and out.suffix != suffix:
        raise Invalid(f"Keras and others go by the name: let {out} end in {suffix}")
    if not out.exists():
        return
    ours = (out / MARKS[form]).is_file() if form in MARKS else out.is_file()
    if not force or not ours:
        hint = "or --force" if ours else "for this is no model of that format"
        raise Conflict(f"{out} is there already: choose another name, {hint}")


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder to write in, on the same disk, gone afterwards."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".webnn-", dir=out.parent))
    except OSError as error:
        raise Invalid(f"{out.parent} cannot be written: {error.strerror}") from error
    try:
        yield folder
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _moved(written: Path, out: Path) -> None:
    """Where a folder is in the way it is set aside first: a rename takes no other's place."""
    if out.is_dir():
        out.rename(written.parent / "before")
    written.replace(out)


def _written(trained: Trained, topology: dict[str, Any], path: Path, form: str, random: np.random.Generator) -> float:
    arrays = weights.arrays_of(trained.specs, trained.weights)
    inputs = examples(topology, random)
    known = building.built(topology, None, keras=2)
    building.assign(dict(variables(known)), weights.renamed(arrays, list(building.weights_in(known))))
    wanted = building.predicted(known, inputs)
    WRITERS[form](topology, known, path)
    found = onnx.predicted(path, inputs) if form == "onnx" else building.predicted(_loaded(path, form), inputs)
    try:
        return building.check_alike(wanted, found, f"what was written as {form}")
    except Invalid as error:
        raise Corrupt(error.message, **error.details) from error


def _loaded(path: Path, form: str) -> Any:
    """As its users load it."""
    modules = kerases()
    return (modules.tf_keras if form == "saved_model" else modules.keras).models.load_model(path, compile=False)


def _save_keras3(topology: dict[str, Any], known: Any, path: Path) -> None:
    model = building.built(topology, building.weights_in(known), keras=3)
    model.save(path)


def _save_hdf5(topology: dict[str, Any], known: Any, path: Path) -> None:
    """As Keras 3 does, but for the layers: it writes down how masks are worked out, and cannot read that again."""
    _save_keras3(topology, known, path)
    with h5py().File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(to_keras3(topology))


def _save_folder(_topology: dict[str, Any], known: Any, path: Path) -> None:
    known.save(path, save_format="tf")


def _save_onnx(_topology: dict[str, Any], known: Any, path: Path) -> None:
    onnx.save(known, path)


WRITERS: Mapping[str, Callable[[dict[str, Any], Any, Path], None]] = {
    "keras": _save_keras3,
    "h5": _save_hdf5,
    "saved_model": _save_folder,
    "onnx": _save_onnx,
}
