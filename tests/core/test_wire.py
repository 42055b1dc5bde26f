"""Bytes to arrays and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from webnn.core.tensors import Packing, TensorSpec
from webnn.core.wire import (
    Quantization,
    decode_tensors,
    decode_vector,
    encode_tensors,
    encode_vector,
    sha256,
    update_bytes,
)
from webnn.errors import Invalid

MODEL = [TensorSpec("kernel", (2, 2), "float32"), TensorSpec("bias", (2,), "float32")]
MIXED = [
    TensorSpec("image", (3, 2), "float32", Packing("uint8", 0.0, 0.5)),
    TensorSpec("half", (3,), "float32", Packing("float16")),
    TensorSpec("label", (3,), "int32"),
    TensorSpec("flag", (3, 1), "bool"),
]
EXAMPLES = {
    "image": np.float32([[0, 0.5], [1, 1.5], [127, 127.5]]),
    "half": np.float32([1, -2, 0.5]),
    "label": np.int32([7, -1, 2**31 - 1]),
    "flag": np.array([[True], [False], [True]]),
}

any_float32 = st.floats(width=32, allow_nan=True, allow_infinity=True)


@given(arrays(np.float32, 6, elements=any_float32))
def test_a_vector_comes_back_bit_for_bit(vector: np.ndarray) -> None:
    assert decode_vector(MODEL, encode_vector(vector)).tobytes() == vector.tobytes()


@given(arrays(np.float16, 6, elements=st.floats(width=16, allow_nan=False)))
def test_every_half_is_widened_exactly(halves: np.ndarray) -> None:
    widened = decode_vector(MODEL, halves.astype("<f2").tobytes(), "float16")
    assert widened.tolist() == halves.tolist()


@given(
    st.sampled_from(["uint8", "uint16"]),
    st.lists(st.integers(0, 255), min_size=6, max_size=6),
    st.floats(-4, 4, width=32),
    st.floats(2**-10, 4, width=32),
)
def test_quantised_values_are_q_times_scale_plus_min_of_their_own_tensor(
    encoding: str, stored: list[int], minimum: float, scale: float
) -> None:
    body = np.array(stored, {"uint8": "u1", "uint16": "<u2"}[encoding]).tobytes()
    quantization = [Quantization(minimum, scale), Quantization(0.0, 1.0)]

    vector = decode_vector(MODEL, body, encoding, quantization)

    np.testing.assert_allclose(vector[:4], [q * scale + minimum for q in stored[:4]], rtol=1e-6, atol=1e-5)
    assert vector[4:].tolist() == stored[4:]


def test_tensors_stand_in_the_order_of_their_specs_without_padding() -> None:
    body = encode_tensors(MIXED, EXAMPLES)
    assert body[:6] == bytes([0, 1, 2, 3, 254, 255])
    assert len(body) == 6 + 3 * 2 + 3 * 4 + 3


def test_tensors_come_back_as_they_were() -> None:
    found = decode_tensors(MIXED, encode_tensors(MIXED, EXAMPLES))
    for name, array in EXAMPLES.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@given(arrays(np.uint8, (3, 2)))
def test_bytes_that_are_quantised_already_are_taken_as_they_are(image: np.ndarray) -> None:
    assert encode_tensors(MIXED[:1], {"image": image}) == image.tobytes()


def test_what_lies_outside_the_range_of_the_quantisation_is_clipped() -> None:
    image = np.float32([[-3, 0], [200, 1e9], [0.25, 0.75]])
    assert list(encode_tensors(MIXED[:1], {"image": image})) == [0, 0, 255, 255, 0, 2]


def test_integers_that_were_quantised_are_rounded_not_cut() -> None:
    spec = TensorSpec("label", (3,), "int32", Packing("uint8", 0.0, 0.3))
    # 0.3 * 9 is 2.7 and a little more in float32; cutting would make 2 of it.
    assert decode_tensors([spec], bytes([0, 9, 10]))["label"].tolist() == [0, 3, 3]


@pytest.mark.parametrize(("encoding", "due"), [("float32", 24), ("float16", 12), ("uint16", 12), ("uint8", 6)])
@pytest.mark.parametrize("off_by", [-1, 1, -4, 100])
def test_a_body_cut_short_or_padded_is_invalid_and_says_what_was_due(encoding: str, due: int, off_by: int) -> None:
    assert update_bytes(MODEL, encoding) == due
    with pytest.raises(Invalid) as refusal:
        decode_vector(MODEL, bytes(due + off_by), encoding, [Quantization(0, 1)] * 2)
    assert refusal.value.details == {"bytes": due + off_by, "expected": due}


@pytest.mark.parametrize("off_by", [-27, -1, 1])
def test_a_shard_cut_short_or_padded_is_invalid(off_by: int) -> None:
    with pytest.raises(Invalid) as refusal:
        decode_tensors(MIXED, bytes(27 + off_by))
    assert refusal.value.details == {"bytes": 27 + off_by, "expected": 27}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_quantised_weights_want_one_entry_per_tensor(count: int) -> None:
    with pytest.raises(Invalid, match=f"{count} quantizations for 2 tensors"):
        decode_vector(MODEL, bytes(6), "uint8", [Quantization(0, 1)] * count)


def test_an_array_that_is_absent_is_invalid() -> None:
    with pytest.raises(Invalid, match="label"):
        encode_tensors(MIXED, {name: EXAMPLES[name] for name in ("image", "half", "flag")})


def test_an_array_of_another_shape_is_invalid_even_if_it_has_as_many_elements() -> None:
    with pytest.raises(Invalid, match="image"):
        encode_tensors(MIXED, EXAMPLES | {"image": np.zeros((2, 3), np.float32)})


def test_a_big_endian_array_is_written_little_endian() -> None:
    assert encode_vector(np.array([1.0], ">f4")) == b"\0\0\x80\x3f"


def test_a_decoded_checkpoint_cannot_be_written_to() -> None:
    assert not decode_vector(MODEL, bytes(24)).flags.writeable


def test_a_hash_is_lower_case_hexadecimal() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
