"""`data.py`: loading it and calling its functions, with the line of it that failed."""

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from webnn.errors import Invalid
from webnn.keras.silence import import_unremarked
from webnn.project.problem import Problem

DATA = "data.py"
NAME = "webnn_project_data"
FUNCTIONS = ("train", "validation")


class DataModule:
    """An owner's module with `train()` and `validation()`, or those of them that are asked for."""

    def __init__(self, folder: Path, functions: Sequence[str] = FUNCTIONS) -> None:
        """Loads it, on its own: other modules of the folder can be imported by it, and nothing by its name.

        Raises:
            Invalid: It is not there, fails, or lacks a function; `details` have file and line.
        """
        self._folder = folder.resolve()
        self._path = self._folder / DATA
        self._asked = functions
        if not self._path.is_file():
            raise Invalid(f"there is no {DATA}", file=DATA, line=None)
        self._module = self._loaded()
        for name in functions:
            if not callable(getattr(self._module, name, None)):
                raise Invalid(f"there is no function {name}()", file=DATA, line=None)

    def _loaded(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(NAME, self._path)
        assert spec is not None and spec.loader is not None  # noqa: S101, PT018  # a .py file has a loader
        module = importlib.util.module_from_spec(spec)
        with self._running():
            import_unremarked(self._path.read_bytes())
            sys.modules[NAME] = module  # dataclasses and pickle look there
            spec.loader.exec_module(module)
        return module

    def part(self, name: str) -> Any:
        """What `train` or `validation` returns. Raises Invalid as loading does."""
        function: Callable[[], Any] = getattr(self._module, name)
        with self._running():
            return function()

    def unasked(self) -> list[tuple[str, int | None]]:
        """The functions that give data and are not asked for, each with its line, where it is a line of this module."""
        there = [(name, getattr(self._module, name, None)) for name in FUNCTIONS if name not in self._asked]
        return [(name, self._line_of(found)) for name, found in there if callable(found)]

    def called(self, name: str) -> str:
        """The function, as it is written."""
        return f"{name}()"

    def iterated(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items; what fails on the way is Invalid, as above."""
        with self._running():
            iterator = iter(items)
        while True:
            with self._running():
                try:
                    item = next(iterator)
                except StopIteration:
                    return
            yield item

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Its folder is where it imports from; its errors are the owner's to mend, an exit among them.

        What it prints goes to standard error: a command's own output may be read by a program.
        """
        sys.path.insert(0, str(self._folder))
        try:
            with redirect_stdout(sys.stderr):
                yield
        except (Exception, SystemExit) as error:
            raise Invalid(f"{type(error).__name__}: {error}", file=DATA, line=self._line(error)) from error
        finally:
            if str(self._folder) in sys.path:
                sys.path.remove(str(self._folder))

    def _line_of(self, function: object) -> int | None:
        code = getattr(function, "__code__", None)
        return code.co_firstlineno if isinstance(code, CodeType) and code.co_filename == str(self._path) else None

    def _line(self, error: BaseException) -> int | None:
        if isinstance(error, SyntaxError) and error.filename == str(self._path):
            return error.lineno
        frames = traceback.extract_tb(error.__traceback__)
        return next((frame.lineno for frame in reversed(frames) if frame.filename == str(self._path)), None)


def problem_of(error: Invalid) -> Problem:
    """An error about the data, as one of the problems."""
    return Problem(error.details.get("file") or DATA, error.details.get("line"), error.message)
