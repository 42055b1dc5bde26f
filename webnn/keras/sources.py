"""A model's files: which kind they are, and what they say of its layers, read without running anything in them."""

import json
import zipfile
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from webnn.errors import Invalid, Missing
from webnn.keras.tensorflow import h5py, saved_metadata

MOST = 64_000_000  # bytes of JSON; a description of layers takes kilobytes
Form = Literal["keras", "h5", "saved_model", "tfjs"]


class Source(Struct, frozen=True):
    """One model on disk.

    Attributes:
        path: What Keras loads; for `tfjs`, the model.json.
        keras: Which Keras wrote it, 2 or 3.
        config: What it says of its layers.
    """

    path: Path
    form: Form
    keras: int
    config: dict[str, Any]


def source(path: Path) -> Source:
    """What lies at the path.

    Raises:
        Missing: Nothing, or TensorFlow is needed and not installed.
        Invalid: It is no model, or one without a description of its layers.
    """
    if not path.exists():
        raise Missing(f"there is no {path}")
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".json":
        return Source(path, "tfjs", 2, _topology(path))
    if zipfile.is_zipfile(path):
        return _zipped(path)
    if h5py().is_hdf5(path):
        return _hdf5(path)
    raise Invalid(f"{path} is no model that Keras or TF.js wrote: .keras, .h5, saved_model/ or model.json")


def _folder(path: Path) -> Source:
    if (path / "model.json").is_file():
        return Source(path / "model.json", "tfjs", 2, _topology(path / "model.json"))
    if not (path / "saved_model.pb").is_file():
        raise Invalid(f"{path} has neither a model.json nor a saved_model.pb")
    metadata = path / "keras_metadata.pb"
    if not metadata.is_file():
        why = "holds what a model computes and no layers, as Keras's export() writes it"
        raise Invalid(f"{path} {why}: save the model with model.save('model.keras')")
    return Source(path, "saved_model", 2, _decoded(path, saved_metadata(metadata)))


def _topology(path: Path) -> dict[str, Any]:
    document = _decoded(path, _read(path))
    if document.get("format", "layers-model") != "layers-model" or not isinstance(document.get("modelTopology"), dict):
        raise Invalid(f"{path} is no layers model of TF.js: a graph model, for one, cannot be trained")
    return document["modelTopology"]  # type: ignore[no-any-return]  # seen to be one


def _zipped(path: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = [archive.getinfo(name).file_size for name in ("config.json", "metadata.json")]
            if max(sizes) > MOST:
                raise Invalid(f"{path} describes its layers in {max(sizes):,} bytes: that is no model")
            config, metadata = (archive.read(name) for name in ("config.json", "metadata.json"))
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError) as error:
        raise Invalid(f"{path} is no whole .keras file: {error}") from error
    return Source(path, "keras", _major(_decoded(path, metadata).get("keras_version")), _decoded(path, config))


def _hdf5(path: Path) -> Source:
    try:
        with h5py().File(path, "r") as file:
            config, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "2")
    except OSError as error:
        raise Invalid(f"{path} is no whole HDF5 file: {error}") from error
    if config is None:
        raise Invalid(f"{path} holds weights without their layers: save the whole model with model.save()")
    return Source(path, "h5", _major(version), _decoded(path, config))


def _major(version: Any) -> int:
    text = version.decode() if isinstance(version, bytes) else str(version)
    return 3 if text.partition(".")[0].isdigit() and int(text.partition(".")[0]) >= 3 else 2


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST:
            raise Invalid(f"{path} is too large for a description of layers")
        return path.read_bytes()
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error


def _decoded(path: Path, body: bytes | str) -> dict[str, Any]:
    try:
        return msgspec.convert(json.loads(body), dict[str, Any])
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{path} says nothing of its layers that could be read: {error}") from error
