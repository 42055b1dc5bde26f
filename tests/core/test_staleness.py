"""What staleness leaves of an update's influence."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webnn.core.staleness import AnyDiscount, Constant, Cutoff, Hinge, Polynomial

numbers = st.floats(0, 1e6)
integers = st.integers(0, 10**12)
discounts = st.one_of(
    st.just(Constant()),
    st.builds(Polynomial, numbers),
    st.builds(Hinge, numbers, integers),
    st.builds(Cutoff, integers),
)


@given(discounts, integers)
def test_a_discount_is_a_share_of_the_whole(discount: AnyDiscount, staleness: int) -> None:
    assert 0.0 <= discount(staleness) <= 1.0


@given(discounts)
def test_a_fresh_update_counts_in_full(discount: AnyDiscount) -> None:
    assert discount(0) == 1.0


@given(discounts, integers, integers)
def test_a_staler_update_never_counts_for_more(discount: AnyDiscount, one: int, other: int) -> None:
    assert discount(max(one, other)) <= discount(min(one, other))


@pytest.mark.parametrize(
    ("discount", "staleness", "expected"),
    [
        (Constant(), 10**9, 1.0),
        (Polynomial(0.5), 3, 0.5),
        (Polynomial(0.5), 99, 0.1),
        (Polynomial(1.0), 3, 0.25),
        (Polynomial(0.0), 3, 1.0),
        (Hinge(10.0, 4), 4, 1.0),
        (Hinge(10.0, 4), 5, 1 / 11),
        (Hinge(10.0, 4), 14, 1 / 101),
        (Cutoff(100), 100, 1.0),
        (Cutoff(100), 101, 0.0),
        (Cutoff(0), 1, 0.0),
    ],
)
def test_worked_values(discount: AnyDiscount, staleness: int, expected: float) -> None:
    assert discount(staleness) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    "document",
    [
        {"name": "polynomial", "exponent": -0.1},
        {"name": "polynomial", "exponent": 1e7},
        {"name": "polynomial", "alpha": 1},
        {"name": "hinge", "slope": -1},
        {"name": "hinge", "grace": 1.5},
        {"name": "cutoff", "limit": -1},
        {"name": "exponential"},
        {"exponent": 1},
    ],
)
def test_parameters_out_of_range_and_unknown_names_do_not_parse(document: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, AnyDiscount)
