"""One execution environment of a function: a warm process with a clean environment, and its log."""

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

RUNTIME = Path(__file__).with_name("runtime.py")
# Three times what Lambda allows for loading: a busy machine that runs tests is no Lambda.
LOAD_SECONDS = 30.0
# How long a process that has hung up may take to end.
END_SECONDS = 1.0

Message = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What became of an invocation.

    Attributes:
        payload: JSON, as the function or Lambda would say it.
        is_error: Whether it tells of an error.
        log: What was printed meanwhile.
    """

    payload: str
    is_error: bool
    log: str


class FunctionFailed(Exception):
    """The function could not be loaded; `payload` is what Lambda would answer."""

    def __init__(self, payload: str) -> None:
        """Takes the answer, as JSON."""
        super().__init__(payload)
        self.payload = payload


class FunctionProcess:
    """A process that has a handler loaded and answers events, one at a time."""

    def __init__(self, python: str, code: Path, environment: Mapping[str, str]) -> None:
        """Starts the process.

        Args:
            python: The interpreter, in an environment that holds what Lambda provides.
            code: The unpacked zip.
            environment: All the variables that the process gets to see, but for its own folders.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="function-")
        self._log = tempfile.TemporaryFile()
        self._connection, theirs = Pipe()
        told = {**environment, "HOME": self._folder.name, "TMPDIR": self._folder.name, "LAMBDA_TASK_ROOT": str(code)}
        with theirs:
            self._process = _started(python, code, told, theirs, self._log)

    @property
    def alive(self) -> bool:
        """Whether it can answer another event."""
        return self._process.poll() is None

    def load(self) -> None:
        """Waits until the handler is loaded.

        Raises:
            FunctionFailed: It cannot be, or took too long.
        """
        message = self._outcome(lambda: self._received(LOAD_SECONDS), "", LOAD_SECONDS)
        if message["failure"] is not None:
            raise FunctionFailed(json.dumps(message["failure"]))

    def answer(self, request: Mapping[str, str], seconds: float) -> Answer:
        """Hands over an event and waits for the answer; a process that takes longer than it may is killed."""
        before = self._log_size()
        message = self._outcome(lambda: self._exchanged(request, seconds), request["id"], seconds)
        is_error = "failure" in message
        payload = json.dumps(message["failure"]) if is_error else message["payload"]
        return Answer(payload, is_error, self.log(before))

    def log(self, start: int = 0) -> str:
        """What the function has printed, from a position on."""
        return os.pread(self._log.fileno(), self._log_size() - start, start).decode(errors="replace")

    def stop(self) -> None:
        """Ends the process, whatever it does, and removes its files."""
        self._process.kill()
        self._process.communicate()
        self._connection.close()
        self._log.close()
        self._folder.cleanup()

    def _log_size(self) -> int:
        return os.fstat(self._log.fileno()).st_size

    def _outcome(self, exchange: Callable[[], Message], request: str, seconds: float) -> Message:
        try:
            return exchange()
        except TimeoutError:
            self._process.kill()
            return _failure("Sandbox.Timedout", request, f"Task timed out after {seconds:.2f} seconds")
        except (EOFError, OSError):
            return _failure("Runtime.ExitError", request, f"Runtime exited with error: {self._end()}")

    def _exchanged(self, request: Mapping[str, str], seconds: float) -> Message:
        self._connection.send_bytes(json.dumps({**request, "end": time.time() + seconds}).encode())
        return self._received(seconds)

    def _received(self, seconds: float) -> Message:
        if not self._connection.poll(seconds):
            raise TimeoutError
        message: Message = json.loads(self._connection.recv_bytes())
        return message

    def _end(self) -> str:
        try:
            status = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        return f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def _started(
    python: str, code: Path, environment: Mapping[str, str], connection: Connection, log: IO[bytes]
) -> "subprocess.Popen[bytes]":
    descriptor = connection.fileno()
    return subprocess.Popen(
        [python, "-I", "-B", "-u", str(RUNTIME), str(descriptor)],
        env=dict(environment),
        cwd=code,
        pass_fds=[descriptor],
        stdin=subprocess.PIPE,  # never written to: its end is the end of this process
        stdout=log,
        stderr=log,
    )


def _failure(kind: str, request: str, what: str) -> Message:
    prefix = f"RequestId: {request} " if request else ""
    return {"failure": {"errorType": kind, "errorMessage": f"{prefix}Error: {what}"}}
