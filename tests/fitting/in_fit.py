"""What `webnn.fit` makes of models and data. Runs in an environment of its own: see the Makefile.

python in_fit.py FOUND.json
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from samples import World, a_world

import webnn
from webnn.contributing.learning import Training
from webnn.core.wire import Array
from webnn.errors import WebnnError
from webnn.fitting import fit as fitting
from webnn.fitting.compiled import compiled
from webnn.fitting.reaching import Reached
from webnn.keras.building import weights_in
from webnn.keras.tensorflow import kerases
from webnn.keras.weights import vector_of
from webnn.simulate.learner import Practice
from webnn.trained import validation

RANDOM = np.random.default_rng(2018)
CLASSES = "sparse_categorical_crossentropy"


@contextmanager
def in_memory(world: World, told: list[str]) -> Iterator[None]:
    """Runs of `fit` are on stores in memory."""

    @contextmanager
    def reached(stage: str, _tell: Callable[[str], None]) -> Iterator[Reached]:
        told.append(f"up {stage}")
        yield Reached("https://pages.test/index.html", world.services, None)
        told.append(f"down {stage}")

    before, fitting.reached = fitting.reached, reached  # type: ignore[assignment]  # as good as one
    try:
        yield
    finally:
        fitting.reached = before


def small(k: Any, **options: Any) -> Any:
    start = k.Input((4,), name="x") if k.__name__ == "keras" else k.layers.InputLayer((4,), name="x")
    model = k.Sequential([start, k.layers.Dense(3, activation="softmax", name="last")], name="Small_one")
    model.compile(**{"optimizer": "adam", "loss": CLASSES, **options})
    return model


def data(count: int = 60) -> tuple[Array, Array]:
    y = RANDOM.integers(0, 3, count)
    return RANDOM.normal(y[:, None], 0.2, (count, 4)), y


def said(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except WebnnError as error:
        return f"{type(error).__name__}: {error.message}"


def compiled_with() -> dict[str, Any]:
    """What is made of what models are compiled with, in either Keras."""
    found = {}
    for k in (kerases().keras, kerases().tf_keras):
        o, lo = k.optimizers, k.losses
        cases = {
            "adam": {}, "sgd": {"optimizer": o.SGD(0.25)}, "momentum": {"optimizer": o.SGD(0.5, momentum=0.9)},
            "function": {"loss": lo.sparse_categorical_crossentropy}, "object": {"loss": lo.MeanSquaredError()},
            "rmsprop": {"optimizer": "rmsprop"}, "amsgrad": {"optimizer": o.Adam(amsgrad=True)},
            "clipped": {"optimizer": o.SGD(0.1, clipnorm=1.0)}, "heavy": {"optimizer": o.SGD(0.1, momentum=0.5)},
            "falling": {"optimizer": o.SGD(o.schedules.ExponentialDecay(0.1, 10, 0.5))}, "hinge": {"loss": "hinge"},
            "logits": {"loss": lo.SparseCategoricalCrossentropy(from_logits=True)},
            "smooth": {"loss": lo.BinaryCrossentropy(label_smoothing=0.1)},
            "sums": {"loss": lo.MeanSquaredError(reduction="sum")}, "weighted": {"loss_weights": [2.0]},
        }  # fmt: skip
        for name, options in cases.items():
            model = small(k, **options)
            how = said(lambda model=model: compiled(model))
            found[f"{k.__name__} {name}"] = (
                how if isinstance(how, str) else [how.optimizer, how.learning_rate, how.loss]
            )
        bare = k.Sequential([k.layers.Dense(1)])
        frozen = small(k)
        frozen.trainable = False
        found[f"{k.__name__} frozen"] = said(lambda frozen=frozen: compiled(frozen))
        found[f"{k.__name__} bare"] = said(lambda bare=bare: compiled(bare))
        model = small(k, optimizer="rmsprop")
        instead = compiled(model, "muon")
        found[f"{k.__name__} instead"] = [instead.optimizer, instead.learning_rate, instead.loss]
    return found


def trained(world: World, which: str) -> dict[str, Any]:
    """A run, what it says of itself, and the model that comes out of it."""
    told: list[str] = []
    model = small(getattr(kerases(), which))
    first = [np.array(one) for one in model.get_weights()]
    x, y = data()
    with in_memory(world, told):
        run = webnn.fit(
            model, x, y, validation_data=data(30), until=0.9, rule="delta", local_steps=2, wait=False, show=False
        )
        world.name, training = run.name, world.services.runs.describe(run.name).spec.training
        described = world.services.runs.describe(run.name)
        delta = np.arange(15, dtype=np.float32)
        world.contribute(delta, local_steps=2)
        world.drain()
        out = run.model()
        moved = np.concatenate([np.ravel(b - a) for a, b in zip(first, out.get_weights(), strict=True)])
        status = run.status()
        run.pause()
        paused = str(run.status().status)
        run.start()
        run.stop()
        finished = run.wait(0)
        run.close()
        again = run.model("best")
    untouched = all(np.array_equal(a, b) for a, b in zip(first, model.get_weights(), strict=True))
    return {
        "name": run.name, "link": run.link, "told": told, "version": status.version, "statuses": [paused, finished],
        "training": [training.optimizer, training.rate, training.local_steps],
        "end": described.spec.end.accuracy, "rule": described.spec.merge.name,
        "moved": float(np.abs(moved - delta).max()), "untouched": untouched, "same": type(out) is type(model),
        "compiled": float(out.evaluate(x, y, verbose=0)) > 0,
        "kept": np.array_equal(again.get_weights()[0], out.get_weights()[0]),
        "after": said(lambda: run.model(0)), "closed": said(run.pause), "history": run.history(),
        "pictured": "<svg" in run._repr_html_() and "finished" in run._repr_html_(),
    }  # fmt: skip


def stored(world: World) -> dict[str, Any]:
    """How data of many kinds are stored, without loss; or what is said of them."""
    x, y = data()
    tf = kerases().tf
    dataset = tf.data.Dataset.from_tensor_slices((x.astype(np.float32), y)).batch(7)
    bytes_ = RANDOM.integers(0, 256, (60, 4)).astype(np.uint8)
    one_hot = np.eye(3)[y]

    class Batches(kerases().keras.utils.PyDataset):  # type: ignore[misc]  # of a package without types
        def __len__(self) -> int:
            return 6

        def __getitem__(self, at: int) -> Any:
            return x[10 * at : 10 * at + 10], y[10 * at : 10 * at + 10]

    cases: dict[str, Any] = {
        "floats": (x, y), "lists": (x.tolist(), y.tolist()), "bytes": (bytes_, y), "images": (bytes_ / 255, y),
        "halves": (x.astype(np.float16), y), "dataset": (dataset, None), "batches": (Batches(), None),
        "generator": ((pair for pair in zip(x, y, strict=True)), None),
        "function": (lambda: ((x[i : i + 9], y[i : i + 9]) for i in range(0, 54, 9)), None),
        "dict": ({"x": x}, {"last": y}), "wrong shape": (x[:, :3], y), "wrong name": ({"z": x}, y),
        "no such class": (x, y + 1), "one hot": (x, one_hot), "nothing": (x, None), "text": (x.astype(str), y),
        "not a number": (np.where(x > 2, np.nan, x), y),
    }  # fmt: skip
    found: dict[str, Any] = {}
    with in_memory(world, []):
        for name, (inputs, targets) in cases.items():
            model = small(kerases().keras)

            def made(inputs: Any = inputs, targets: Any = targets, model: Any = model, name: str = name) -> Any:
                called = f"data-{name.replace(' ', '-')}"
                alike = (inputs, targets) if name in ("images", "halves") else (x, y)
                run = webnn.fit(model, inputs, targets, validation_data=alike, name=called, wait=False, show=False)
                spec = world.services.runs.describe(run.name).spec
                packed = [
                    one.quantization and [one.quantization.dtype, one.quantization.scale] for one in spec.data.example
                ]
                return {"examples": spec.data.train_examples, "packed": packed}

            found[name] = said(made)
    return found


def sides(world: World) -> Any:
    """Two inputs of different kinds and two outputs, given as a list and a dict."""
    k = kerases().keras
    word, size = k.Input((3,), name="word", dtype="int32"), k.Input((2,), name="size")
    both = k.layers.Concatenate()([k.layers.Flatten()(k.layers.Embedding(50, 2)(word)), size])
    ends = [k.layers.Dense(3, activation="softmax", name=name)(both) for name in ("kind", "again")]
    model = k.Model([word, size], ends)
    model.compile(optimizer="sgd", loss=[CLASSES, CLASSES])
    y = RANDOM.integers(0, 3, 40)
    words, sizes = RANDOM.integers(0, 50, (40, 3)), RANDOM.normal(size=(40, 2))
    with in_memory(world, []):
        run = webnn.fit(model, [words, sizes], {"kind": y, "again": y}, validation_data=([words, sizes], [y, y]),
                        name="sides", wait=False, show=False)  # fmt: skip
    spec = world.services.runs.describe(run.name).spec
    stepped = a_step(model, spec, [words, sizes], y)
    same = np.abs(run.model().predict([words, sizes], verbose=0)[0] - model.predict([words, sizes], verbose=0)[0]).max()
    return {
        "tensors": [[one.name, list(one.shape), one.stored_dtype] for one in spec.data.example],
        "apart": float(same),
        "stepped": stepped,
    }


def a_step(model: Any, spec: Any, inputs: list[Array], y: Array) -> float:
    """How far a step of `webnn.Client`'s is from the one that Keras takes."""
    training, start = Training(spec, None), vector_of(weights_in(model))
    ours = training.step(start, training.shaped([*inputs, y, y]), Practice("sgd", 0.01), 0).weights
    again = kerases().keras.models.clone_model(model)
    again.set_weights(model.get_weights())
    again.compile(optimizer=kerases().keras.optimizers.SGD(0.01), loss=[CLASSES, CLASSES])
    again.train_on_batch(inputs, [y, y])
    return float(np.abs(vector_of(weights_in(again)) - ours).max() / np.abs(start - ours).max())


def splits(world: World) -> dict[str, Any]:
    """What is trained and what is validated on, where a part of x and y is kept for that; or what is said of it."""
    k, (x, y) = kerases().keras, data(50)
    tf = kerases().tf
    model = small(k)
    found: dict[str, Any] = {}
    with in_memory(world, []):
        for part in (0.3, 0.9):
            run = webnn.fit(model, x, y, validation_split=part, wait=False, show=False)
            spec = world.services.runs.describe(run.name).spec
            batches = list(validation(world.services.blobs, spec, 1000))
            inputs, targets = (np.concatenate([batch[side][0] for batch in batches]) for side in (0, 1))
            kerass = model.fit(x, y, validation_split=part, verbose=0).history["val_loss"][0]
            ours = model.evaluate(inputs, targets, verbose=0)
            at = spec.data.train_examples
            last = np.array_equal(inputs, x[at:].astype(np.float32)) and np.array_equal(targets, y[at:])
            found[str(part)] = [at, spec.data.validation_examples, last, abs(kerass - ours)]

        def refused(*given: Any, **options: Any) -> Any:
            return said(lambda: webnn.fit(model, *given, wait=False, show=False, **options))

        dataset = tf.data.Dataset.from_tensor_slices((x, y))
        found["both"] = refused(x, y, validation_data=(x, y), validation_split=0.2)
        found["dataset"] = refused(dataset, validation_split=0.2)
        found["generator"] = refused((pair for pair in zip(x, y, strict=True)), validation_split=0.2)
        found["function"] = refused(lambda: dataset, validation_split=0.2)
        found["neither"] = refused(x, y)
        found["classes"] = refused(x, np.where(np.arange(50) < 45, y, 7), validation_split=0.2)
    return found


def numbers(world: World) -> list[str]:
    """A model of numbers is to end at an accuracy; then by versions."""
    k = kerases().keras
    model = k.Sequential([k.Input((4,), name="x"), k.layers.Dense(1, name="last")], name="numbers")
    model.compile("adam", "mse")
    x, _ = data()

    def taken(until: Any) -> str:
        both = (x, x[:, :1])
        return str(webnn.fit(model, *both, validation_data=both, until=until, wait=False, show=False).name)

    with in_memory(world, []):
        ends = (0.9, {"versions": 5, "accuracy": 0.9}, {"versions": 5})
        return [said(lambda until=until: taken(until)) for until in ends]


def names(world: World) -> list[str]:
    """One after another, then the same call again."""
    x, y = data()
    model, found = small(kerases().keras), []
    with in_memory(world, []):
        for name in (None, None, "mine", "mine"):
            run = webnn.fit(model, x, y, validation_data=(x, y), name=name, wait=False, show=False)
            found.append(run.name)
        other = small(kerases().keras)
        found.append(said(lambda: webnn.fit(other, x, y, validation_data=(x, y), name="mine", wait=False, show=False)))
        odd = said(lambda: webnn.fit(model, x, y, validation_data=(x, y), until=5, show=False))
    return [*found, odd]


def main(path: Path) -> None:
    found = {
        "compiled": compiled_with(),
        "keras": trained(a_world(), "keras"),
        "tf_keras": trained(a_world(), "tf_keras"),
        "stored": stored(a_world()),
        "sides": sides(a_world()),
        "names": names(a_world()),
        "numbers": numbers(a_world()),
        "splits": splits(a_world()),
    }
    path.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
