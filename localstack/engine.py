"""The tests' engine without Docker: `.venv/bin/python localstack/engine.py`, or `localstack_engine` in a test.

LocalStack in host mode answers, but for two services: functions run in subprocesses, and DynamoDB is a server beside
it. `versions` names what really answers. State is in memory and in a temporary folder, and ends with the engine.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parents[1])  # run as a script

from localstack.install import FUNCTION_PYTHON, LOCALSTACK_PYTHON, ROOT, check_installed
from localstack.processes import announcement, assert_tree_on_loopback
from localstack.tables import Tables, tables
from webnn.errors import Missing, Unavailable, WebnnError
from webnn.local.engine import LOOPBACK, Engine, Key
from webnn.local.processes import Child, child

# An endpoint that somebody else started, such as `compose.yaml`'s.
URL_VARIABLE = "WEBNN_LOCALSTACK_URL"
# LocalStack takes any key; with this pair it can check what the pair has signed.
KEY = Key("test", "test")
START_SECONDS, LOOK_SECONDS = 90.0, 0.1
CANNOT = 3


@contextmanager
def localstack_engine(port: int = 0) -> Iterator[Engine]:
    """Runs the engine on 127.0.0.1 for as long as the block lasts, or uses the one that WEBNN_LOCALSTACK_URL names.

    Args:
        port: 0 for any free one.

    Raises:
        Missing: It is not set up here; the message says what to do, or why nothing can be done.
        Unavailable: It did not come up; `details["log"]` has its last words.
        Invalid: A part of it came up where other machines can reach it. It has been stopped.
    """
    running = os.environ.get(URL_VARIABLE)
    if running:
        yield Engine(running, {"localstack": f"{_health(running)['version']} at {running}"}, KEY, 0)
        return
    check_installed()
    with tables() as rows, localstack_before(rows, port) as engine:
        yield engine


@contextmanager
def localstack_before(rows: Tables, port: int = 0) -> Iterator[Engine]:
    """Runs LocalStack before a DynamoDB that runs already, and may be restarted. Raises as `localstack_engine` does."""
    command = [str(LOCALSTACK_PYTHON), "-I", "-m", "webnn_localstack.launch", str(port)]
    with child("LocalStack", command, _environment(rows), ROOT) as process:
        told = announcement(process, START_SECONDS)
        url = f"http://{LOOPBACK}:{told['port']}"
        version = _await_health(process, url)["version"]
        assert_tree_on_loopback(process.process.pid, told["port"])
        yield Engine(url, _versions(version, told, rows), KEY, process.process.pid)


def _environment(rows: Tables) -> dict[str, str]:
    """All that LocalStack gets to see of variables; what it makes of them is the plug-in's."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TMPDIR": tempfile.gettempdir(),
        "WEBNN_DYNAMODB_URL": rows.url,
        "WEBNN_FUNCTION_PYTHON": str(FUNCTION_PYTHON),
    }


def _versions(localstack: str, told: Mapping[str, Any], rows: Tables) -> dict[str, str]:
    return {
        "localstack": f"{localstack} host mode",
        "s3": f"LocalStack {localstack}",
        "dynamodb": rows.engine,
        "lambda": f"subprocess executor {told['executor']} (Python {told['python']})",
    }


def _await_health(process: Child, url: str) -> dict[str, Any]:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        process.check()
        try:
            return _health(url)
        except Unavailable:
            time.sleep(LOOK_SECONDS)
    raise Unavailable("LocalStack did not come up", log="\n".join(process.lines_from(0)[0]))


def _health(url: str) -> dict[str, Any]:
    # Never through a proxy that the environment names: it could not reach this machine's loopback.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/_localstack/health", timeout=5.0) as answer:
            found: dict[str, Any] = json.load(answer)
    except (urllib.error.URLError, OSError) as error:
        raise Unavailable("LocalStack does not answer", url=url) from error
    return found


def main() -> int:
    """Runs the engine until standard input ends or a signal says so; gives the exit code."""
    parser = argparse.ArgumentParser(description="Run LocalStack on this machine, without Docker.")
    parser.add_argument("--port", type=int, default=0, help="where on 127.0.0.1 (default: any free port)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON: url, versions")
    options = parser.parse_args()
    over = _told_to_stop()
    try:
        with localstack_engine(options.port) as engine:
            _tell(engine, options.json)
            over.wait()
    except WebnnError as error:
        print(f"{error.message}\n{error.details.get('log', '')}".strip(), file=sys.stderr)
        return CANNOT if isinstance(error, Missing) else 1
    return 0


def _told_to_stop() -> threading.Event:
    over = threading.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, lambda *_: over.set())
    threading.Thread(target=_when_input_ends, args=(over,), daemon=True).start()
    return over


def _when_input_ends(over: threading.Event) -> None:
    while os.read(0, 1024):
        pass
    over.set()


def _tell(engine: Engine, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"url": engine.url, "versions": dict(engine.versions)}), flush=True)
        return
    for service, what in engine.versions.items():
        print(f"{service}: {what}")
    for name, value in engine.environment().items():
        print(f"export {name}={value}")
    print("Ctrl-C or Ctrl-D ends it.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
