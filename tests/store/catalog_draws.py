"""What the state machine draws: values as clients and owners may send them, up to their extremes."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from samples import START

from webnn.core.optimizers import Adam
from webnn.core.recipe import Recipe
from webnn.core.records import Status, Update, Without
from webnn.core.rules import Average, Delta
from webnn.core.staleness import Hinge
from webnn.core.wire import Quantization

# Few, so that ids meet; far apart, so that ids sort otherwise than they are drawn.
NUMBERS = st.sampled_from([1, 2, 3, 9, 10, 11, 0xA0, 2**127, 2**128 - 1])
WHOLE = st.sampled_from([0, 1, 2, 2**53 + 1, 999_999_999_999]) | st.integers(0, 2**62)
REAL = st.sampled_from([0.0, -0.0, 1.0, 0.1 + 0.2, 5e-324, 1.7976931348623157e308]) | st.floats(allow_nan=False)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.sampled_from(["", "bad", "#~", "long " * 1000, "\0", "\U0001f642é"]) | st.text(max_size=20)
STATUSES = st.sampled_from(Status)
LIMITS = st.integers(1, 5) | st.just(1000)
AFTER = st.sampled_from([-1, 0, 1, 8, 9, 10, 99, 10**11]) | st.integers(-1, 120)


def members(**drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these members; the others keep what `samples` gives them."""
    return st.fixed_dictionaries({}, optional=drawn)


ANNOUNCED = members(
    base_version=WHOLE,
    generation=WHOLE,
    examples=WHOLE,
    bytes=WHOLE,
    encoding=st.sampled_from(["float16", "uint8", "uint16"]),
    created_at=WHOLE,
    expires_at=WHOLE,
    quantization=st.lists(st.builds(Quantization, REAL, REAL), max_size=3).map(tuple),
    loss=st.none() | REAL | st.just(float("nan")),
    accuracy=st.none() | REAL,
)
ENTERED = members(
    at=WHOLE,
    examples=WHOLE,
    update_bytes=WHOLE,
    previous=st.just("a" * 64),
    code=TEXTS,
    recipe=st.sampled_from(
        [None, Recipe(Average()), Recipe(Delta(server_rate=0.1, discounting=Hinge(slope=0.3)), (), Adam(rate=0.3))]
    ),
)
WITHOUT = st.builds(
    Without,
    st.lists(st.just("7" * 32), max_size=2).map(tuple),
    st.lists(st.just("8" * 32), max_size=2).map(tuple),
)
EVALUATED = {"loss": FINITE, "accuracy": FINITE, "examples": WHOLE, "at": WHOLE}
AGES = st.integers(0, 3).map(lambda age: START + age)

Ending = tuple[Any, ...]
REFUSALS: st.SearchStrategy[Ending] = st.one_of(
    st.tuples(st.just("rejected"), TEXTS),
    st.tuples(st.just("discarded"), TEXTS, st.none() | WHOLE),
)
ENDINGS = st.tuples(st.just("merged"), WHOLE, REAL) | REFUSALS


def ends(version: int, updates: Sequence[Update], endings: Sequence[Ending]) -> tuple[Update, ...]:
    """The updates settled so, in turn; the first that is merged makes the version after `version`."""
    settled = []
    for update, (how, *what) in zip(updates, endings, strict=False):
        version += how == "merged"
        settled.append(update.merged(version, *what) if how == "merged" else getattr(update, how)(*what))
    return tuple(settled)
