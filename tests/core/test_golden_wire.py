"""The wire format, held to files that the browser's tests read too."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from webnn.core.tensors import Packing, TensorSpec
from webnn.core.wire import Quantization, decode_tensors, decode_vector, encode_tensors, encode_vector

WIRE = Path(__file__).parents[1] / "golden" / "wire"
VECTORS = ["float32", "float16", "uint8", "uint16"]


def read(name: str) -> tuple[dict[str, Any], list[TensorSpec]]:
    golden = json.loads((WIRE / f"{name}.json").read_text())
    return golden, msgspec.convert(golden["specs"], list[TensorSpec])


def of_all_examples(golden: dict[str, Any], specs: list[TensorSpec]) -> list[TensorSpec]:
    return [msgspec.structs.replace(spec, shape=(golden["examples"], *spec.shape)) for spec in specs]


def bits(values: list[float]) -> bytes:
    return np.array(values, "<f4").tobytes()


def test_there_is_a_file_for_each_encoding_and_for_shards() -> None:
    assert sorted(path.stem for path in WIRE.iterdir()) == sorted([*VECTORS, "shard"])


@pytest.mark.parametrize("encoding", VECTORS)
def test_bytes_mean_these_numbers_bit_for_bit(encoding: str) -> None:
    golden, specs = read(encoding)
    quantization = [Quantization(**q) for q in golden["quantization"]]

    vector = decode_vector(specs, bytes.fromhex(golden["hex"]), golden["encoding"], quantization)

    assert vector.dtype == np.float32
    assert vector.tobytes() == bits([value for tensor in golden["values"] for value in tensor])


def test_a_checkpoint_is_written_as_these_bytes() -> None:
    golden, _ = read("float32")
    values = np.float32([value for tensor in golden["values"] for value in tensor])
    assert encode_vector(values).hex() == golden["hex"]


def test_float16_rounds_to_the_nearest_and_ties_to_even() -> None:
    golden, specs = read("float16")
    halved = [msgspec.structs.replace(spec, quantization=Packing("float16")) for spec in specs]
    source = {s.name: np.float32(v).reshape(s.shape) for s, v in zip(specs, golden["source"], strict=True)}

    assert encode_tensors(halved, source).hex() == golden["hex"]


def test_the_bytes_of_a_shard_mean_these_examples() -> None:
    golden, specs = read("shard")

    arrays = decode_tensors(of_all_examples(golden, specs), bytes.fromhex(golden["hex"]))

    for spec, values in zip(specs, golden["values"], strict=True):
        assert arrays[spec.name].dtype == np.dtype(spec.dtype)
        assert arrays[spec.name].shape == (golden["examples"], *spec.shape)
        assert arrays[spec.name].ravel().tolist() == values


def test_examples_are_written_as_the_bytes_of_the_shard() -> None:
    golden, specs = read("shard")
    batch = of_all_examples(golden, specs)
    arrays = {
        spec.name: np.array(values, spec.dtype).reshape(spec.shape)
        for spec, values in zip(batch, golden["values"], strict=True)
    }

    assert encode_tensors(batch, arrays).hex() == golden["hex"]
