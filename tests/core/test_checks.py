"""What an uploaded update must be before it may touch the weights."""

import json
from typing import Any

import numpy as np
import pytest
from samples import a_spec, an_update, body_of

from webnn.core import spec as specs
from webnn.core.checks import checked_delta
from webnn.core.records import Update
from webnn.core.wire import Quantization, sha256
from webnn.errors import Invalid

SPEC = specs.parse(json.dumps(a_spec(limits={"delta_norm": 10.0})).encode())


def announced(body: bytes, **members: Any) -> Update:
    return an_update("line", 1, bytes=len(body), sha256=sha256(body), **members)


def halves(*values: float) -> bytes:
    return np.array(values, "<f2").tobytes()


def test_a_good_delta_comes_through_as_it_is() -> None:
    body = body_of([1, -2, 3])
    assert checked_delta(SPEC, announced(body), body).tolist() == [1, -2, 3]


@pytest.mark.parametrize("body", [b"", body_of([1, 2]), body_of([1, 2, 3, 4]), body_of([1, 2, 3])[:-1]])
def test_another_length_than_announced(body: bytes) -> None:
    with pytest.raises(Invalid, match=f"^{len(body)} bytes were uploaded, 12 announced$"):
        checked_delta(SPEC, announced(body_of([1, 2, 3])), body)


def test_another_length_than_the_model_has_though_announced_so() -> None:
    body = body_of([1, 2, 3, 4])
    with pytest.raises(Invalid, match="16 bytes where 12 were due"):
        checked_delta(SPEC, announced(body), body)


def test_other_bytes_than_announced() -> None:
    with pytest.raises(Invalid, match="SHA-256"):
        checked_delta(SPEC, announced(body_of([1, 2, 3])), body_of([1, 2, 4]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 2])
def test_nan_and_infinity(value: float, place: int) -> None:
    delta = [0.0, 0.0, 0.0]
    delta[place] = value
    body = body_of(delta)
    with pytest.raises(Invalid, match="NaN or infinity"):
        checked_delta(SPEC, announced(body), body)


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_infinity_in_float16(value: float) -> None:
    body = halves(0, value, 0)
    with pytest.raises(Invalid, match="NaN or infinity"):
        checked_delta(SPEC, announced(body, encoding="float16"), body)


@pytest.mark.parametrize(
    "quantization",
    [
        Quantization(0.0, 1e300),
        Quantization(1e300, 1.0),
        Quantization(-3.4e38, -3e38),
        Quantization(float("nan"), 1.0),
    ],
    ids=["scale", "minimum", "sum", "nan"],
)
def test_a_quantisation_that_leaves_the_range_of_float32(quantization: Quantization) -> None:
    body = bytes([0, 1, 255])
    update = announced(body, encoding="uint8", quantization=(quantization, Quantization(0.0, 0.0)))
    with pytest.raises(Invalid, match="NaN or infinity"):
        checked_delta(SPEC, update, body)


def test_a_delta_as_long_as_the_limit_is_let_through() -> None:
    body = body_of([6, 8, 0])
    assert checked_delta(SPEC, announced(body), body).tolist() == [6, 8, 0]


def test_a_longer_one_is_not_and_is_told_the_limit() -> None:
    body = body_of([6, 8, 1])
    with pytest.raises(Invalid, match=r"norm 10\.0499 is over the limit 10"):
        checked_delta(SPEC, announced(body), body)


def test_one_so_long_that_its_square_overflows_is_told_its_norm() -> None:
    body = body_of([3e30, 4e30, 0])
    with pytest.raises(Invalid, match=r"norm 5e\+30"):
        checked_delta(SPEC, announced(body), body)
