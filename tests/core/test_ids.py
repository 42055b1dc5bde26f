"""Ids sort by the time they were made."""

from hypothesis import given
from hypothesis import strategies as st

from webnn.core.ids import RANDOM_BYTES, make_id

times = st.integers(0, 2**48 - 1)
randoms = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES)


def test_an_id_is_twelve_digits_of_time_and_twenty_of_chance() -> None:
    assert make_id(0x18BCFE56800, bytes(range(10))) == "018bcfe56800" + "00010203040506070809"


@given(times, times, randoms, randoms)
def test_a_later_id_sorts_after_an_earlier_one(one: int, other: int, first: bytes, second: bytes) -> None:
    ids = make_id(one, first), make_id(other, second)
    assert all(len(found) == 32 for found in ids)
    if one != other:
        assert (ids[0] < ids[1]) == (one < other)
