"""Saving the weights of a version as a model that TF.js loads, and that its converters read: a folder of two files.

`model.json` holds the topology and the manifest, `weights.bin` the weights, which are the checkpoint's very bytes.
"""

import os
from pathlib import Path

import msgspec
from msgspec import Struct

from webnn import __version__
from webnn.checkpoints import entry_of
from webnn.core.records import LedgerEntry
from webnn.errors import Invalid
from webnn.specs import Specs
from webnn.store.ports import Blobs, Catalog
from webnn.store.verified import verified

MODEL, WEIGHTS = "model.json", "weights.bin"


class Saved(Struct, frozen=True):
    """A model as it is written.

    Attributes:
        entry: The commit that made it.
        accuracy: On the whole validation set; None if this version was not evaluated.
        model: What is to be `model.json`.
        weights: What is to be `weights.bin`.
    """

    entry: LedgerEntry
    accuracy: float | None
    model: bytes
    weights: bytes


class Saver:
    """Gives versions as models."""

    def __init__(self, catalog: Catalog, blobs: Blobs, specs: Specs) -> None:
        """Takes its stores."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs

    def model(self, run: str, version: int | None = None) -> Saved:
        """A version of a run, None for the head's, as a TF.js LayersModel.

        Raises:
            Missing: No such run.
            Invalid: No commit made that version.
            Corrupt: The spec or the checkpoint is gone or altered.
            Unavailable: A store did not answer.
        """
        spec = self._specs.of(run)
        entry = entry_of(self._catalog, run, self._catalog.head(run).version if version is None else version)
        accuracy = self._accuracy(entry)
        document = {
            "format": "layers-model",
            "generatedBy": f"WebNN {__version__}",
            "convertedBy": None,
            "modelTopology": spec.topology,
            "weightsManifest": [{"paths": [WEIGHTS], "weights": spec.weights}],
            "userDefinedMetadata": {
                "run": run,
                "version": entry.version,
                "steps": entry.steps,
                "sha256": entry.sha256,
                "accuracy": accuracy,
            },
        }
        weights = bytes(verified(self._blobs, entry.checkpoint_key, entry.sha256))
        return Saved(entry, accuracy, msgspec.json.encode(document), weights)

    def _accuracy(self, entry: LedgerEntry) -> float | None:
        found = self._catalog.evaluations(entry.run, entry.version - 1, 1)
        return found[0].accuracy if found and found[0].version == entry.version else None


def write(saved: Saved, folder: Path, *, force: bool) -> None:
    """Writes the model into a folder, which is made if it is not there.

    `model.json` comes last: a folder that has one is whole. With `force` an older model there is replaced, and all else
    in the folder is left.

    Raises:
        Invalid: There is a model already, and no `force`; or the folder cannot be written.
    """
    there = [name for name in (MODEL, WEIGHTS) if (folder / name).exists()]
    if there and not force:
        raise Invalid(f"{folder} has a {there[0]} already: name another folder, or replace it with --force")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MODEL).unlink(missing_ok=True)  # or it might stand beside the weights of another version for a while
        _replace(folder / WEIGHTS, saved.weights)
        _replace(folder / MODEL, saved.model)
    except OSError as error:
        raise Invalid(f"{folder} cannot be written: {error.strerror}") from error


def _replace(path: Path, body: bytes) -> None:
    """The whole file or none: what is half written has another name."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
