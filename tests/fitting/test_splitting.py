"""What is kept of x and y to validate on; `tests/fitting/test_fit.py` holds it to Keras's own `fit`."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webnn.errors import Invalid
from webnn.fitting.fit import fit
from webnn.fitting.splitting import split

TEN = np.arange(10)


@given(st.integers(2, 300), st.floats(0.001, 0.999))
def test_every_example_is_in_one_part_and_in_its_order(count: int, part: float) -> None:
    x, y = np.arange(count), -np.arange(count)
    try:
        train, validation = split(x, y, part)
    except Invalid:
        assert min(count * part, count * (1 - part)) < 1 + 1e-9
        return
    for place, whole in enumerate((x, y)):
        assert np.array_equal(np.concatenate([train[place], validation[place]]), whole)
    assert len(train[0]) == len(train[1])
    assert len(validation[0]) == pytest.approx(count * part, abs=1 + 1e-9)


@pytest.mark.parametrize(
    ("x", "inputs", "first", "last"),
    [
        ([TEN, 2 * TEN], 2, [[0, 1], [0, 2]], [[8, 9], [16, 18]]),
        ((TEN, 2 * TEN), 2, [[0, 1], [0, 2]], [[8, 9], [16, 18]]),
        ({"left": TEN, "right": 2 * TEN}, 2, {"left": [0, 1], "right": [0, 2]}, {"left": [8, 9], "right": [16, 18]}),
        (TEN.tolist(), 1, [0, 1], [8, 9]),
        ([[one, one] for one in range(10)], 1, [[0, 0], [1, 1]], [[8, 8], [9, 9]]),
    ],
    ids=["a list of two inputs", "a tuple of them", "a dict of them", "plain numbers", "rows of plain numbers"],
)
def test_several_arrays_are_cut_at_the_same_place(x: Any, inputs: int, first: Any, last: Any) -> None:
    (train, _), (validation, _) = split(x, TEN, 0.2, inputs)
    assert plain(train, slice(2)) == first
    assert plain(validation, slice(None)) == last


def plain(found: Any, part: slice) -> Any:
    """As lists; of each array so much."""
    if isinstance(found, dict):
        return {name: plain(one, part) for name, one in found.items()}
    if isinstance(found, list) and isinstance(found[0], np.ndarray):
        return [plain(one, part) for one in found]
    return np.asarray(found[part]).tolist()


@pytest.mark.parametrize(
    ("x", "y", "part", "words"),
    [
        (TEN, TEN, 1.5, "validation_split=1.5: give what part of the examples"),
        (TEN, TEN, -0.2, "validation_split=-0.2: give what part"),
        (TEN, TEN, 1, "validation_split=1: give what part"),
        (TEN, TEN[:9], 0.2, "x and y have different numbers of examples: 9, 10"),
        (TEN, TEN, 0.99, "validation_split=0.99 of 10 examples leaves none on one side"),
        (TEN[:1], TEN[:1], 0.2, "validation_split=0.2 of 1 examples leaves none on one side"),
        (TEN, None, 0.2, "validation_split cuts arrays, and y is missing"),
        (iter(TEN), TEN, 0.2, "validation_split cuts arrays, and x is a "),
        (np.float32(1), TEN, 0.2, "validation_split cuts arrays, and x is a float32"),
        (np.array(1.0), TEN, 0.2, "validation_split cuts arrays, and x is a single number"),
    ],
)
def test_what_cannot_be_cut_is_refused_with_words(x: Any, y: Any, part: float, words: str) -> None:
    with pytest.raises(Invalid) as told:
        split(x, y, part)
    assert str(told.value).startswith(words)


def test_epochs_are_refused_with_what_to_say_instead() -> None:
    with pytest.raises(Invalid, match=r"epochs=3: clients come and go, .* until=0\.98"):
        fit(None, TEN, epochs=3)
