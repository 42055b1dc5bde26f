"""MNIST from its four IDX files, gzipped or not, which lie in the folder `mnist` beside this file."""

import gzip
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "mnist"


def train():
    """Images [60000, 28, 28, 1] and labels [60000], as uint8: stored as the bytes they are."""
    return _images("train-images-idx3-ubyte"), _values("train-labels-idx1-ubyte", 8)


def validation():
    """Images and labels that are not trained on: what every accuracy is measured on."""
    return _images("t10k-images-idx3-ubyte"), _values("t10k-labels-idx1-ubyte", 8)


def _images(name):
    return _values(name, 16).reshape(-1, 28, 28, 1)


def _values(name, header):
    packed = FOLDER / f"{name}.gz"
    body = gzip.decompress(packed.read_bytes()) if packed.exists() else (FOLDER / name).read_bytes()
    return np.frombuffer(body, np.uint8, offset=header)
