"""Child processes that end with their starter, and the last words of those that end too soon."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from webnn.errors import Unavailable

LEASH = Path(__file__).with_name("leash.py")
STOP_SECONDS = 8.0
LOG_TAIL_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Child:
    """A running command.

    Attributes:
        name: For people.
        log: What it prints, both streams.
    """

    name: str
    process: "subprocess.Popen[bytes]"
    log: IO[bytes]

    def lines_from(self, position: int) -> tuple[list[str], int]:
        """The whole lines printed since a position in the log, and the position after them."""
        read = os.pread(self.log.fileno(), 1 << 20, position)
        whole = read[: read.rfind(b"\n") + 1]
        return whole.decode(errors="replace").splitlines(), position + len(whole)

    def check(self) -> None:
        """Raises Unavailable, with its last words, if it has failed."""
        if self.process.poll():
            size = self.log.seek(0, os.SEEK_END)
            tail = os.pread(self.log.fileno(), LOG_TAIL_BYTES, max(0, size - LOG_TAIL_BYTES))
            raise Unavailable(f"{self.name} ended", code=self.process.returncode, log=tail.decode(errors="replace"))


@contextmanager
def child(name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[Child]:
    """Runs a command for as long as the block lasts; afterwards neither it nor its own children run."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-I", str(LEASH), *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the starter, which ends its children in order
        )
        try:
            yield Child(name, process, log)
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
