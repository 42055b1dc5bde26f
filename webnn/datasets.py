"""The data sets of the examples, as arrays: digits that scikit-learn ships, and IDX folders such as MNIST."""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webnn.core.wire import Array
from webnn.errors import Invalid, Missing

IDX_DTYPES: dict[int, np.dtype[Any]] = {
    8: np.dtype("u1"),
    9: np.dtype("i1"),
    11: np.dtype(">i2"),
    12: np.dtype(">i4"),
    13: np.dtype(">f4"),
}
VALIDATION_DIGITS = 360


@dataclass(frozen=True, slots=True)
class Split:
    """Inputs [n, ...] and targets [n, ...] that belong together."""

    inputs: Array
    targets: Array

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets) or not len(self.inputs):
            raise Invalid(f"{len(self.inputs)} inputs for {len(self.targets)} targets")


@dataclass(frozen=True, slots=True)
class Dataset:
    """What to train on, and the whole of what accuracy is measured on."""

    train: Split
    validation: Split


def digits(order: np.random.Generator) -> Dataset:
    """1,797 digits of 8 by 8 pixels, uint8 0-16: 1,437 to train on, 360 to validate on, drawn by `order`.

    Raises:
        Missing: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415  # a second to import; only the demo needs it
    except ImportError as error:
        raise Missing("the digits come with scikit-learn: pip install 'webnn[local]'") from error
    loaded = load_digits()
    shuffled = order.permutation(len(loaded.images))
    images = loaded.images[shuffled].astype(np.uint8)
    labels = loaded.target[shuffled].astype(np.uint8)
    return Dataset(
        Split(images[VALIDATION_DIGITS:], labels[VALIDATION_DIGITS:]),
        Split(images[:VALIDATION_DIGITS], labels[:VALIDATION_DIGITS]),
    )


def mnist(folder: Path, order: np.random.Generator) -> Dataset:
    """MNIST from its four IDX files, gzipped or not: 60,000 and 10,000 images [28, 28, 1] uint8.

    Raises:
        Missing: A file is not there.
        Invalid: A file is not IDX.
    """
    images, labels = _pair(folder, "train")
    shuffled = order.permutation(len(images))
    return Dataset(Split(images[shuffled], labels[shuffled]), Split(*_pair(folder, "t10k")))


def _pair(folder: Path, name: str) -> tuple[Array, Array]:
    images = read_idx(_file(folder, f"{name}-images-idx3-ubyte"))
    return images[..., np.newaxis], read_idx(_file(folder, f"{name}-labels-idx1-ubyte"))


def _file(folder: Path, name: str) -> Path:
    found = [path for path in (folder / f"{name}.gz", folder / name) if path.is_file()]
    if not found:
        raise Missing(f"{folder} has neither {name}.gz nor {name}", folder=str(folder))
    return found[0]


def read_idx(path: Path) -> NDArray[np.generic]:
    """The array in an IDX file: magic (0, 0, type, dimensions), big-endian lengths, elements in C order.

    Raises:
        Invalid: It is not IDX, cut short, or cannot be read.
    """
    body = _content(path)
    dtype = IDX_DTYPES.get(body[2]) if len(body) >= 4 else None
    if dtype is None or body[:2] != b"\0\0":
        raise Invalid(f"{path} is not an IDX file")
    dimensions = body[3]
    header = 4 + 4 * dimensions
    shape = np.frombuffer(body[4:header], ">i4") if len(body) >= header else np.array([-1])
    if (shape < 0).any() or len(body) != header + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize:
        raise Invalid(f"{path} is cut short or too long")
    return np.frombuffer(body, dtype, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    try:
        body = path.read_bytes()
        return gzip.decompress(body) if path.suffix == ".gz" else body
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Invalid(f"{path} is not a whole gzip file: {error}") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
