"""An engine of a race's own: LocalStack before a DynamoDB Local whose rows are in files, so that it can be killed."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from localstack.engine import localstack_before
from localstack.install import DYNAMODB, LOCALSTACK_PYTHON, ROOT
from localstack.java import find_libjvm
from localstack.processes import announcement, assert_tree_on_loopback, tree
from localstack.tables import Tables
from webnn.local.engine import LOOPBACK, Engine
from webnn.local.processes import Child, child

SCRIPT = Path(__file__).with_name("dynamodb_on_disk.py")
START_SECONDS = 60.0


class Rows:
    """DynamoDB Local with its rows in a folder."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._running = ExitStack()
        self._port = 0
        self._child: Child | None = None
        self.version = ""

    @property
    def tables(self) -> Tables:
        return Tables(f"http://{LOOPBACK}:{self._port}", f"DynamoDB Local {self.version}, on disk")

    def start(self) -> None:
        libjvm, data, port = str(find_libjvm()), str(self._data), str(self._port)
        command = [str(LOCALSTACK_PYTHON), "-I", str(SCRIPT), str(DYNAMODB), libjvm, data, port]
        environment = {
            "PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir(), "DDB_LOCAL_TELEMETRY": "0"
        }  # fmt: skip
        self._child = self._running.enter_context(child("DynamoDB Local", command, environment, ROOT))
        told = announcement(self._child, START_SECONDS)
        self._port, self.version = told["port"], told["version"]
        assert_tree_on_loopback(self._child.process.pid, self._port)

    def restart(self) -> None:
        """Kills it, in the middle of whatever it does, and starts another on the same files and port."""
        assert self._child is not None
        _leash, *served_by = tree(self._child.process.pid)
        for pid in served_by:
            os.kill(pid, signal.SIGKILL)
        self._child.process.wait()
        self.close()
        self.start()

    def close(self) -> None:
        self._running.close()


@contextmanager
def restartable_engine(folder: Path) -> Iterator[tuple[Engine, Rows]]:
    """Runs the engine for as long as the block lasts."""
    rows = Rows(folder)
    try:
        rows.start()
        with localstack_before(rows.tables) as engine:
            yield engine, rows
    finally:
        rows.close()
