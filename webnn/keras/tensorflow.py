"""The one place that imports TensorFlow and both Kerases: they take seconds, and the extra `webnn[tf]`."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from webnn.errors import Invalid, Missing
from webnn.keras.silence import unremarked
from webnn.keras.topology import without_way


class Kerases(Struct, frozen=True):
    """TensorFlow, Keras 3 and Keras 2, as modules."""

    tf: Any
    keras: Any
    tf_keras: Any


@cache
def kerases() -> Kerases:
    """All three; on the CPU, unless the program has put TensorFlow to work elsewhere before.

    Raises:
        Missing: They are not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or it tells of every GPU that is not there
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # with it, predictions are further from those of other machines
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # In a program of somebody else's, which has it already, it may say what it likes.
    with nullcontext() if "tensorflow" in sys.modules else unremarked():
        return _imported()


def _imported() -> Kerases:
    try:
        import keras  # noqa: PLC0415
        import tensorflow as tf  # noqa: PLC0415
        import tf_keras  # noqa: PLC0415
    except ImportError as error:
        raise Missing(f"this takes TensorFlow, of the extra `tf`: pip install -e '.[tf]' ({error})") from error
    with suppress(RuntimeError):  # it is at work already
        tf.config.set_visible_devices([], "GPU")
    return Kerases(tf, keras, tf_keras)


def variables(model: Any) -> Iterator[tuple[str, Any]]:
    """The variables of a model of either Keras, each with its name in TF.js: layer, then variable."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from variables(layer)
        elif hasattr(layer, "backward_layer"):
            inner = without_way(layer.forward_layer.name)
            yield from _named(f"{layer.name}/forward_{inner}", layer.forward_layer)
            yield from _named(f"{layer.name}/backward_{inner}", layer.backward_layer)
        else:
            yield from _named(layer.name, layer)


def _named(name: str, layer: Any) -> Iterator[tuple[str, Any]]:
    for variable in layer.weights:
        # Keras 3 has a path, Keras 2 a name with an output's number.
        last = str(getattr(variable, "path", variable.name)).rpartition("/")[2].removesuffix(":0")
        renamed = type(layer).__name__ == "DepthwiseConv2D" and last == "kernel"  # by Keras 3
        yield f"{name}/{'depthwise_kernel' if renamed else last}", variable


def h5py() -> Any:
    """The reader of HDF5 that comes with Keras. Raises Missing."""
    try:
        import h5py as found  # noqa: PLC0415
    except ImportError as error:
        raise Missing(f"this takes h5py, which comes with TensorFlow: pip install -e '.[tf]' ({error})") from error
    return found


def saved_metadata(path: Path) -> str:
    """What a SavedModel of Keras 2 says of its layers, as JSON.

    Raises:
        Missing: TensorFlow is not installed.
        Invalid: It says nothing.
    """
    kerases()
    from tf_keras.protobuf import saved_metadata_pb2  # noqa: PLC0415

    try:
        metadata = saved_metadata_pb2.SavedMetadata.FromString(path.read_bytes())
    except Exception as error:  # protobuf's own, which is none that can be named here
        raise Invalid(f"{path} cannot be read: {error}") from error
    for node in metadata.nodes:
        if node.node_path == "root":
            return str(node.metadata)
    raise Invalid(f"{path} says nothing of the model's layers")


def masking(modules: Kerases) -> dict[str, Any]:
    """The functions by which Keras 3 works out masks, by their names in files."""
    ops = modules.keras.src.ops.numpy
    return {name: getattr(ops, name) for name in ("NotEqual", "Any") if hasattr(ops, name)}
