"""What errors hold on to."""

import gc
import weakref

from webnn.errors import Unavailable, emptied


class Model:
    """Something large."""


def fails(seen: list[weakref.ref[Model]], error: Exception, cause: Exception | None = None) -> None:
    model = Model()
    seen.append(weakref.ref(model))
    raise error from cause


def caught(seen: list[weakref.ref[Model]], error: Exception, cause: Exception | None = None) -> Exception:
    try:
        fails(seen, error, cause)
    except Unavailable as found:
        return found
    raise AssertionError


def test_an_emptied_error_keeps_no_model_alive_nor_do_its_cause_and_its_context() -> None:
    seen: list[weakref.ref[Model]] = []
    cause = caught(seen, Unavailable("the first"))
    try:
        fails(seen, Unavailable("what was being handled"))
    except Unavailable:
        error = caught(seen, Unavailable("the last"), cause)
    assert error.__context__ is not None
    gc.collect()
    assert [ref() is not None for ref in seen] == [True, True, True]
    assert emptied(error) is error
    gc.collect()
    assert [ref() for ref in seen] == [None, None, None]


def test_errors_that_cause_each_other_are_emptied_too() -> None:
    one, other = Unavailable("one"), Unavailable("other")
    one.__cause__, other.__cause__ = other, one
    assert emptied(one) is one
