import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from webnn.datasets import mnist, read_idx
from webnn.errors import Invalid, Missing

IDX = struct.pack(">HBBii", 0, 8, 2, 2, 3) + bytes(range(6))


def a_file(folder: Path, body: bytes, name: str = "images") -> Path:
    path = folder / name
    path.write_bytes(body)
    return path


@pytest.mark.parametrize(("name", "body"), [("images", IDX), ("images.gz", gzip.compress(IDX))])
def test_an_idx_file_is_read_gzipped_or_not(tmp_path: Path, name: str, body: bytes) -> None:
    np.testing.assert_array_equal(read_idx(a_file(tmp_path, body, name)), [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("images", b"", "not an IDX file"),
        ("images", b"hello, world", "not an IDX file"),
        ("images", IDX[:-1], "cut short"),
        ("images", IDX + b"\0", "too long"),
        ("images", IDX[:5], "cut short"),
        ("images", struct.pack(">HBBii", 0, 8, 2, -2, -3) + bytes(6), "cut short"),
        ("images.gz", b"hello", "not a whole gzip file"),
        ("images.gz", gzip.compress(IDX)[:-9], "not a whole gzip file"),
        ("images.gz", gzip.compress(IDX)[:12] + b"\xff" * 20, "not a whole gzip file"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path: Path, name: str, body: bytes, says: str) -> None:
    path = a_file(tmp_path, body, name)
    with pytest.raises(Invalid, match=says) as caught:
        read_idx(path)
    assert str(path) in caught.value.message


def test_a_folder_where_a_file_should_be_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        read_idx(tmp_path)


def test_a_folder_without_the_files_says_which_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="train-images-idx3-ubyte"):
        mnist(tmp_path, np.random.default_rng(0))
