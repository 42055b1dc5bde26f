"""TensorFlow's remarks about GPUs that are not there, and Keras's about formats, kept off an owner's terminal."""

import ast
import importlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
REMARKS = ("absl", "tensorflow")  # loggers that warn of what is known and meant


@contextmanager
def unremarked() -> Iterator[None]:
    """Lets Python alone write to standard error, while TensorFlow is imported: its own code does so unasked.

    If that fails, what was written is written after all. Where standard error is no file of the system's, as in a
    notebook, all is let be.
    """
    if not _is_plain():
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    # Never closed: loggers that are made meanwhile keep it.
    sys.stderr = open(terminal, "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: SIM115
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(terminal, said.read())
            raise
        finally:
            os.dup2(terminal, 2)
    for name in REMARKS:
        logging.getLogger(name).addFilter(_is_error)  # a level would be set anew by what is loaded later


def import_unremarked(source: bytes) -> None:
    """Imports TensorFlow and Kerases that a module is about to import, so that what the module says itself is heard.

    What is not there, or cannot be imported, is left to the module, whose line it is.
    """
    for name in sorted(TENSORFLOW & _imported(source) - sys.modules.keys()):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or its first work tells of GPUs
        with suppress(Exception), unremarked():
            importlib.import_module(name)


def _imported(source: bytes) -> set[str]:
    """The packages that a source names in imports, wherever these stand; none if it is no Python."""
    with suppress(SyntaxError, ValueError):
        nodes = list(ast.walk(ast.parse(source)))
        names = [one.name for node in nodes if isinstance(node, ast.Import) for one in node.names]
        names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
        return {name.partition(".")[0] for name in names}
    return set()


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _is_plain() -> bool:
    try:
        return sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False
