"""Who answers for DynamoDB: AWS's DynamoDB Local, or MiniStack where that cannot be."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localstack.install import DYNAMODB, LOCALSTACK_PYTHON, ROOT, dynamodb, dynamodb_obstacle
from localstack.java import find_libjvm
from localstack.processes import announcement, assert_tree_on_loopback
from webnn.local.engine import LOOPBACK, embedded_engine
from webnn.local.processes import child

START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Tables:
    """A running DynamoDB.

    Attributes:
        url: Its endpoint.
        engine: What it really is, with its version.
    """

    url: str
    engine: str


@contextmanager
def tables() -> Iterator[Tables]:
    """Runs DynamoDB on a free port of 127.0.0.1, in memory, for as long as the block lasts.

    Raises:
        Missing: There is neither DynamoDB Local nor MiniStack.
        Unavailable: It did not come up; `details["log"]` has its last words.
        Invalid: It came up where other machines can reach it. It has been stopped.
    """
    with _dynamodb_local() if dynamodb().is_current() and not dynamodb_obstacle() else _ministack() as found:
        yield found


@contextmanager
def _dynamodb_local() -> Iterator[Tables]:
    command = [str(LOCALSTACK_PYTHON), "-I", "-m", "webnn_localstack.dynamodb_local", str(DYNAMODB), str(find_libjvm())]
    # The variable is for the case that a later version of it sends reports from where this one does not.
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir(), "DDB_LOCAL_TELEMETRY": "0"}
    with child("DynamoDB Local", command, environment, ROOT) as running:
        told = announcement(running, START_SECONDS)
        assert_tree_on_loopback(running.process.pid, told["port"])
        yield Tables(f"http://{LOOPBACK}:{told['port']}", f"DynamoDB Local {told['version']} (Java {told['java']})")


@contextmanager
def _ministack() -> Iterator[Tables]:
    # It cannot check LocalStack's signatures, which are made with keys of LocalStack's own.
    services = ("dynamodb", "dynamodbstreams")
    with embedded_engine(secrets.token_hex(20), services=services, verify=False) as engine:
        yield Tables(engine.url, f"MiniStack {engine.versions['MiniStack']} ({dynamodb_obstacle() or 'not set up'})")
