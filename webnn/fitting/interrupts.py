"""Ctrl-C, put off while something is done that must be done whole."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def put_off() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed since the block began, in which it breaks nothing off.

    In a thread other than the main one, which no Ctrl-C reaches, the answer is always no.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, lambda number, _frame: pressed.append(number))
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
