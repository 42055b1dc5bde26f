"""Several messages about one run are one piece of work, and none of it is forgotten."""

import pytest

from webnn.doorbell import Ring

EARLY, LATE = "0" * 31 + "1", "0" * 31 + "2"


@pytest.mark.parametrize("rung", [Ring("line"), Ring("line", EARLY), Ring("line", EARLY, again=True)])
def test_the_same_twice_is_the_same(rung: Ring) -> None:
    assert rung & rung == rung


@pytest.mark.parametrize("other", [Ring("line"), Ring("line", EARLY), Ring("line", EARLY, again=True)])
def test_of_two_the_one_that_is_further_goes_on_and_the_rest_comes_again(other: Ring) -> None:
    """Else a run with many rows that are never uploaded would be begun anew with every upload, and never ended."""
    far = Ring("line", LATE)
    assert far & other == other & far == Ring("line", LATE, again=True)
