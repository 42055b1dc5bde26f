"""What becomes of models on their way in and out. Runs in an environment of its own: see the Makefile.

python in_keras.py FOUND.json GOLDEN.json
python in_keras.py --golden GOLDEN.json      writes the golden file anew
"""

import base64
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zoo

from webnn.core.tensors import TensorSpec
from webnn.core.wire import Array
from webnn.errors import WebnnError
from webnn.keras import building
from webnn.keras.exporting import Trained, export
from webnn.keras.importing import imported, save
from webnn.keras.inputs import examples
from webnn.keras.predicting import predictor
from webnn.keras.settling import settled
from webnn.keras.tensorflow import kerases, variables
from webnn.keras.topology import to_tfjs
from webnn.keras.weights import arrays_of, vector_of

SAVED = {"keras": (("keras", ".keras"), ("h5", ".h5")), "tf_keras": (("keras", ".keras"), ("h5", ".h5"), ("tf", ""))}
WRITTEN = {"keras": "out.keras", "h5": "out.h5", "saved_model": "saved", "tfjs": "web"}
OUT = ("branches", "sequence", "nested")  # also as SavedModels, and out again
RANDOM = np.random.default_rng(2018)


def made(builder: zoo.Builder, which: str) -> Any:
    """A model with weights by chance, for biases begin at 0, where they could be mixed up unseen."""
    model = builder(getattr(kerases(), which))
    for name, variable in variables(model):
        low = 0.1 if name.endswith("variance") else -0.6
        variable.assign(RANDOM.uniform(low, 0.6, variable.shape))
    return model


def in_and_out(folder: Path) -> Iterator[tuple[str, Any]]:
    """How far each model is from itself behind each door."""
    for name, builder in zoo.WHOLE.items():
        for which, forms in SAVED.items():
            for form, suffix in forms:
                if form == "tf" and name not in OUT:  # they take as long as all others together
                    continue
                model = made(builder, which)
                model.compile(optimizer="adam", loss="mse")
                path = folder / f"{name}-{which}-{form}{suffix}"
                model.save(path, **({"save_format": "tf"} if form == "tf" else {}))
                yield f"{name}: {which} {form} in", come_in(path, model)
        if name in OUT:
            yield from ((f"{name}: {form} out", apart) for form, apart in gone_out(path, folder / f"{name} out"))


def come_in(path: Path, model: Any) -> float:
    found = imported(path, RANDOM)
    inputs = examples(found.topology, RANDOM)
    # By numpy or Keras 2, from what pages get; the model is what was never saved.
    predict = predictor(Trained(found.topology, found.specs, found.weights))
    return building.apart(building.predicted(model, inputs), predict(inputs))


def gone_out(path: Path, folder: Path) -> Iterator[tuple[str, float]]:
    found = imported(path, RANDOM)
    save(folder, found, force=False)
    trained = Trained(found.topology, found.specs, found.weights)
    inputs = examples(found.topology, RANDOM)
    wanted = predictor(trained)(inputs)
    for form, name in WRITTEN.items():
        out = folder / name
        export(trained, out, form, force=False, random=RANDOM)
        if form in ("keras", "h5"):  # as an owner does who has never heard of this project
            there = building.predicted(kerases().keras.models.load_model(out), inputs)
        elif form == "saved_model":
            there = building.predicted(kerases().tf_keras.models.load_model(out), inputs)
        else:
            there = wanted
        again = imported(out, RANDOM)
        same = arrays_of(again.specs, again.weights)
        changed = [n for n, one in arrays_of(found.specs, found.weights).items() if not np.array_equal(one, same[n])]
        yield form, building.apart(wanted, there) if not changed else float("inf")


def refused(folder: Path) -> dict[str, str]:
    """What is said of models that pages cannot train, by what they are."""
    k, old = kerases().keras, kerases().tf_keras
    la, start = k.layers, k.Input((4, 2), name="start")
    models = {
        "lambda": k.Sequential([start, la.Lambda(lambda x: x + 1, name="mine")]),
        "old lambda": old.Sequential([old.layers.InputLayer((2,)), old.layers.Lambda(lambda x: x + 1, name="mine")]),
        "operation": k.Model(start, start + 1.0),
        "gru": k.Sequential([start, la.GRU(2, name="memory")]),
        "dilated": k.Sequential([start, la.Conv1D(2, 2, dilation_rate=2, name="wide")]),
        "half": k.Sequential([start, la.Dense(2, dtype="mixed_float16", name="half")]),
        "states": k.Model(start, la.LSTM(2, return_state=True, name="memory")(start)),
        "frozen": k.Sequential([start, la.BatchNormalization(trainable=False, name="norm")]),
        "attention": k.Model(start, la.MultiHeadAttention(1, 2, name="attention")(start, start)),
        "shapeless": k.Sequential([la.Dense(2, name="first")]),
    }
    return {name: what_is_said(model, folder, name) for name, model in models.items()}


def what_is_said(model: Any, folder: Path, name: str) -> str:
    path = folder / (f"{name}.h5" if name == "old lambda" else f"{name}.keras")
    model.save(path)
    try:
        imported(path, RANDOM)
    except WebnnError as error:
        return error.message
    return "nothing"


def golden(path: Path) -> None:
    """Models, what goes in and what Keras gives, for `pytest` and `vitest` to read."""
    entries = {}
    for name, builder in zoo.LAYERS.items():
        entries[name] = entry(made(builder, "keras"))
    for name, builder in zoo.WHOLE.items():
        for which in SAVED:
            entries[f"{name} of {which}"] = entry(made(builder, which))
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(one)}" for name, one in entries.items())
    path.write_text(f"{{\n{lines}\n}}\n")


def entry(model: Any) -> dict[str, Any]:
    topology = settled(to_tfjs(json.loads(model.to_json())))
    inputs, weights = examples(topology, RANDOM), building.weights_in(model)
    return {
        "topology": topology,
        "weights": [{"name": name, "shape": one.shape} for name, one in weights.items()],
        "values": packed(vector_of(weights)),
        "inputs": [tensor(one) for one in inputs],
        "outputs": [tensor(one) for one in building.predicted(model, inputs)],
    }


def tensor(array: Array) -> dict[str, Any]:
    return {"shape": array.shape, "dtype": str(array.dtype), "values": packed(array)}


def packed(array: Array) -> str:
    return base64.b64encode(array.tobytes()).decode()


def unpacked(one: dict[str, Any]) -> Array:
    return np.frombuffer(base64.b64decode(one["values"]), one["dtype"]).reshape(one["shape"])


def from_golden(path: Path) -> Iterator[tuple[str, float]]:
    """How far both Kerases are from the golden file."""
    for name, one in json.loads(path.read_text()).items():
        specs = [TensorSpec(weight["name"], tuple(weight["shape"]), "float32") for weight in one["weights"]]
        weights = arrays_of(specs, np.frombuffer(base64.b64decode(one["values"]), np.float32))
        inputs, wanted = ([unpacked(tensor) for tensor in one[part]] for part in ("inputs", "outputs"))
        for keras in (2, 3):
            model = building.built(one["topology"], weights, keras)
            yield f"{name} in Keras {keras}", building.apart(wanted, building.predicted(model, inputs))


def main(path: str, golden_path: str) -> None:
    kerases().tf.config.threading.set_intra_op_parallelism_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "ways": dict(in_and_out(Path(folder))),
            "refused": refused(Path(folder)),
            "golden": dict(from_golden(Path(golden_path))),
        }
    Path(path).write_text(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1] == "--golden":
        golden(Path(sys.argv[2]))
    else:
        main(*sys.argv[1:])
