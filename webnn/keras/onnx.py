"""A Keras model as ONNX, by way of tf2onnx, and what a runtime makes of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from webnn.core.wire import Array
from webnn.errors import Invalid, Missing
from webnn.keras.building import first_line
from webnn.keras.tensorflow import kerases

INSTALL = "pip install -e '.[tf,onnx]'"
OPSET = 17  # of 2022: old enough for every runtime that is still about


def save(model: Any, path: Path) -> None:
    """Writes the model; its inputs are called as its input layers are.

    Raises:
        Missing: tf2onnx is not installed.
        Invalid: tf2onnx cannot say one of its layers in ONNX.
    """
    tf = kerases().tf
    inputs = [
        tf.TensorSpec((None, *one.shape[1:]), one.dtype, name=name)
        for name, one in zip(model.input_names, model.inputs, strict=True)
    ]

    def predict(*given: Any) -> Any:
        return model(list(given) if len(given) > 1 else given[0], training=False)

    convert = _converter()
    _runtime()  # to be missed now, not when all is done
    try:
        found, _ = convert.from_function(tf.function(predict), input_signature=inputs, opset=OPSET)
    except Exception as error:  # tf2onnx raises what comes to hand
        raise Invalid(f"tf2onnx cannot say the model in ONNX: {first_line(error)}") from error
    path.write_bytes(found.SerializeToString())


def predicted(path: Path, inputs: Sequence[Array]) -> list[Array]:
    """What a model gives for examples, one array for each output."""
    session = _runtime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, dict(zip((one.name for one in session.get_inputs()), inputs, strict=True)))
    return [np.asarray(one) for one in found]


def _runtime() -> Any:
    """Not ONNX's own evaluator: of a recurrent layer with a mask that gives something else."""
    try:
        import onnxruntime  # noqa: PLC0415
    except ImportError as error:
        raise Missing(f"ONNX takes onnxruntime, of the extra `onnx`: {INSTALL} ({error})") from error
    return onnxruntime


def _converter() -> Any:
    try:
        from tf2onnx import convert  # noqa: PLC0415
    except ImportError as error:
        raise Missing(f"ONNX takes tf2onnx, of the extra `onnx`: {INSTALL} ({error})") from error
    return convert
