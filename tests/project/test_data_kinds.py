"""Whatever kind of data a module gives, the same examples arrive; what cannot be trained on is told of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import a_dense, a_folder, a_model, told, two_sided

from webnn.core.tensors import TensorSpec
from webnn.core.wire import Array, decode_tensors
from webnn.cutting import joined_of, rows_of
from webnn.errors import Invalid, Missing
from webnn.project.data_module import DataModule
from webnn.project.folder import read
from webnn.project.stream import pieces_of
from webnn.publish import encoded

TWO_SIDED = """
[data.inputs.right]
[data.inputs.left]
[data.targets.again]
dtype = "int32"
[data.targets.kind]
dtype = "int32"
"""
HEAD = """
import numpy as np
X = np.arange(40, dtype=np.float32).reshape(10, 4)
Y = np.arange(10) % 3

def validation():
    return X, Y
"""
KINDS = {
    "arrays": "return X, Y",
    "arrays that are mapped from a file": "np.save('x.npy', X); return np.load('x.npy', mmap_mode='r'), Y",
    "labels with an axis of their own": "return X, Y[:, None]",
    "mappings": "return {'x': X}, {'class': Y}",
    "a generator of examples": "return zip(X, Y)",
    "a generator of batches": "yield X[:4], Y[:4]\n    yield X[4:5], Y[4:5]\n    yield X[5:], Y[5:]",
    "a generator of mappings": "yield {'x': X}, {'class': Y}",
    "a list of examples": "return list(zip(X, Y))",
    "a list of lists": "return [(x.tolist(), int(y)) for x, y in zip(X, Y)]",
    "a dataset of examples": "return Dataset(zip(X, Y))",
    "a dataset of batches": "return Dataset([(X[:7], Y[:7]), (X[7:], Y[7:])])",
}
DATASET = """
class Dataset:  # as TensorFlow's: what has as_numpy_iterator
    def __init__(self, elements):
        self.elements = elements

    def as_numpy_iterator(self):
        return iter(self.elements)
"""


def arrived(folder: Path, part: str = "train") -> Mapping[str, Array]:
    """What a client would train on, all shards together."""
    project = read(folder)
    pieces = list(getattr(pieces_of(DataModule(folder), project.document, project.data), part))
    example = project.document.example
    found = []
    for piece in pieces:
        count = rows_of(piece)
        batch = [TensorSpec(one.name, (count, *one.shape), one.dtype, one.quantization) for one in example.tensors]
        found.append(decode_tensors(batch, encoded(example, piece)))
    return joined_of(found)


def in_order(found: Mapping[str, Array], by: str) -> dict[str, Any]:
    order = np.argsort(found[by].reshape(len(found[by]), -1)[:, 0])
    return {name: array[order].tolist() for name, array in found.items()}


@pytest.mark.parametrize("body", KINDS.values(), ids=KINDS.keys())
def test_the_same_examples_arrive_from_every_kind(body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = a_folder(tmp_path, data=f"{HEAD}{DATASET}\ndef train():\n    {body}\n")
    assert told(folder) == []
    x = np.arange(40).reshape(10, 4)
    assert in_order(arrived(folder), "x") == {"x": x.tolist(), "class": (np.arange(10) % 3).tolist()}
    assert arrived(folder, "validation")["x"].tolist() == x.tolist()  # in its order


@pytest.mark.parametrize("body", ["return X, Y", "return zip(X, Y)"])
def test_training_data_is_shuffled_the_same_way_for_the_same_seed(body: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, data=f"{HEAD}\ndef train():\n    {body}\n")
    first, again = arrived(folder)["x"].tolist(), arrived(folder)["x"].tolist()
    assert first == again != sorted(first)
    toml = (folder / "webnn.toml").read_text()
    (folder / "webnn.toml").write_text(f"[data]\nseed = 5\n{toml}")
    assert arrived(folder)["x"].tolist() != first


@pytest.mark.parametrize("body", ["return X, Y", "return zip(X, Y)", "while True:\n        yield X, Y"])
def test_no_more_examples_are_taken_than_wanted(body: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, data=f"{HEAD}\ndef train():\n    {body}\n")
    toml = (folder / "webnn.toml").read_text()
    (folder / "webnn.toml").write_text(f"[data]\ntrain_examples = 7\nvalidation_examples = 3\n{toml}")
    assert told(folder) == []
    assert sorted(arrived(folder)["x"][:, 0].tolist()) == [0, 4, 8, 12, 16, 20, 24]
    assert len(arrived(folder, "validation")["x"]) == 3


@pytest.mark.parametrize(
    "body",
    [
        "return (L, R), (K, A)",
        "return {'right': R, 'left': L}, {'again': A, 'kind': K}",
        "return zip(zip(L, R), zip(K, A))",
        "yield (L, R[:, 0]), {'kind': K, 'again': A[:, None]}",
    ],
)
def test_several_inputs_and_targets_arrive_in_the_models_order(body: str, tmp_path: Path) -> None:
    data = f"""
import numpy as np
L, R = np.arange(12.0).reshape(6, 2), np.arange(6.0)[:, None] / 8
K, A = np.arange(6) % 3, 2 - np.arange(6) % 3

def train():
    {body}

validation = train
"""
    folder = a_folder(tmp_path, toml=TWO_SIDED, model=two_sided(), data=data)
    assert told(folder) == []
    assert [one.name for one in read(folder).document.example.tensors] == ["left", "right", "kind", "again"]
    assert in_order(arrived(folder), "left") == {
        "left": [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]],
        "right": [[0], [0.125], [0.25], [0.375], [0.5], [0.625]],
        "kind": [0, 1, 2, 0, 1, 2],
        "again": [2, 1, 0, 2, 1, 0],
    }


def test_images_of_bytes_are_stored_as_they_are_and_others_quantised(tmp_path: Path) -> None:
    for body in ("(X * 4).astype(np.uint8)", "X / 8"):
        folder = a_folder(tmp_path / body[:2], data=f"{HEAD}\ndef train():\n    return {body}, Y\n")
        toml = (folder / "webnn.toml").read_text()
        stored = '# store = "uint8"  # with scale and min, where 256 values are enough'
        (folder / "webnn.toml").write_text(toml.replace(stored, 'store = "uint8"\nscale = 0.03125'))
        data = (folder / "data.py").read_text()
        (folder / "data.py").write_text(data.replace("return X, Y", f"return {body}, Y"))
        assert told(folder) == []
        assert sorted(arrived(folder)["x"][:, 0].tolist()) == [i / 2 for i in range(10)]


WRONG = {
    "a function fails": ("raise ValueError('no disk')", "data.py:10: train(): ValueError: no disk"),
    "a generator fails on its way": ("yield X, Y\n    raise OSError('gone')", "data.py:11: train(): OSError: gone"),
    "nothing": ("return None", "data.py: train(): a pair (x, y) of arrays, a tf.data.Dataset or a generator"),
    "no example": ("return iter(())", "data.py: train(): there is no example"),
    "no row": ("return X[:0], Y[:0]", "data.py: train(): there is no example"),
    "more inputs than targets": ("return X, Y[:9]", "data.py: train(): there are different numbers of examples"),
    "a batch of these": ("yield X, Y[:9]", "data.py: train(): 'class' has 9 examples where others have 10"),
    "another shape": ("return X[:, :3], Y", "data.py: train(): an example of 'x' has shape [3] where [4] is wanted"),
    "another shape of a stream": ("yield X[:, :3], Y", "data.py: train(): 'x' has shape [10, 3]; an example has [4]"),
    "no pair": ("yield X", "data.py: train(): an element is a pair (x, y), not an array of shape [10, 4]"),
    "text": ("return X.astype(str), Y", "data.py: train(): x holds <U32 where numbers are wanted"),
    "another name": ("return {'image': X}, Y", "data.py: train(): x has image where x is wanted"),
    "no number": ("X2 = X.copy(); X2[7] = np.nan; return X2, Y", "data.py: train(): 'x' holds NaN or infinity"),
    "no such class": ("return X, Y + 1", "data.py: train(): 'class' holds class indices 1 to 3; they must be 0 to 2"),
    "a class below 0": ("return X, Y - 1", "data.py: train(): 'class' holds -1 to 1; uint8"),
    "half a class": ("return X, Y / 2", "data.py: train(): 'class' is int32 and holds fractions"),
    "too large": (
        "return X.astype(float) * 1e300, Y",
        "data.py: train(): 'x' holds 0 to 3.9e+301, more than float32 can",
    ),
}


@pytest.mark.parametrize(("body", "problem"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_the_data_is_told(body: str, problem: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path, data=f"{HEAD}\ndef train():\n    {body}\n")
    assert [one for one in told(folder) if one.startswith(problem)], told(folder)


def test_the_validation_data_is_looked_at_too_and_all_is_told_at_once(tmp_path: Path) -> None:
    data = (
        "import numpy as np\ndef train():\n    return 1\ndef validation():\n    return np.zeros((0, 4)), np.zeros(0)\n"
    )
    assert [one.split(":")[1].strip() for one in told(a_folder(tmp_path, data=data))] == ["train()", "validation()"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("def train(:", "data.py:1: SyntaxError"),
        ("\nimport nothing_of_this_name", "data.py:2: ModuleNotFoundError"),
        ("def train():\n    pass", "data.py: there is no function validation()"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_told_with_its_line(data: str, problem: str, tmp_path: Path) -> None:
    (found,) = told(a_folder(tmp_path, data=data))
    assert found.startswith(problem)


def test_a_module_may_import_others_of_its_folder_and_leaves_no_trace_in_the_path(tmp_path: Path) -> None:
    import sys  # noqa: PLC0415

    folder = a_folder(tmp_path, data="from my_source_of_data import train, validation\n")
    (folder / "my_source_of_data.py").write_text(f"{HEAD}\ntrain = validation\n")
    assert told(folder) == []
    assert str(folder) not in sys.path


def test_bytes_that_could_not_hold_the_values_are_told(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, data=f"{HEAD}\ntrain = validation\n")
    toml = (folder / "webnn.toml").read_text()
    stored = '# store = "uint8"  # with scale and min, where 256 values are enough'
    (folder / "webnn.toml").write_text(toml.replace(stored, 'store = "uint8"\nscale = 0.1'))
    assert told(folder)[0].startswith(
        "data.py: train(): 'x' holds 0 to 39; uint8 with min 0 and scale 0.1 holds 0 to 25.5"
    )


@pytest.mark.parametrize(("loss", "fits"), [("categoricalCrossentropy", False), ("meanSquaredError", True)])
def test_targets_are_such_as_the_loss_takes(loss: str, fits: bool, tmp_path: Path) -> None:
    toml = f"[data.inputs.x]\n[data.targets.y]\n[training]\nloss = '{loss}'"
    model = a_model([a_dense("out", 2, 4)], [("out/kernel", [4, 2]), ("out/bias", [2])])
    data = f"{HEAD.replace('X, Y', 'X, X[:, :2]')}\ntrain = validation\n"
    assert (told(a_folder(tmp_path, toml=toml, model=model, data=data)) == []) == fits


def test_what_changed_since_it_was_checked_is_refused_on_its_way(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, data=f"{HEAD}\ndef train():\n    yield X, Y\n    yield X * np.nan, Y\n")
    project = read(folder)
    with pytest.raises(Invalid, match=r"train\(\): 'x' holds NaN"):
        list(pieces_of(DataModule(folder), project.document, project.data).train)


def test_a_folder_without_files_says_which_are_wanting(tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"neither model.json nor webnn.toml nor data.py: `webnn new NAME` makes"):
        read(tmp_path)
    (tmp_path / "webnn.toml").touch()
    assert told(tmp_path)[:2] == [f"{name}: the file is not there" for name in ("model.json", "data.py")]
