"""Starts LocalStack: `python -I -m webnn_localstack.launch PORT`, with this package's settings in the environment.

A line of its output is JSON, `{"port": …, "executor": …, "python": …}`. All its files are in a folder of its own, which
goes when it does.
"""

import json
import os
import platform
import shutil
import signal
import socket
import sys
import tempfile
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import NoReturn

from webnn_localstack.settings import DYNAMODB_URL, FUNCTION_PYTHON, LISTENER, LOOPBACK

# Where LocalStack does not find a plug-in, it takes its own default and says so in its log only.
NEEDED = {
    "localstack.runtime.server": {"loopback"},
    "localstack.lambda.runtime_executor": {"subprocess"},
    "localstack.aws.provider": {"dynamodb:running", "dynamodbstreams:running", "s3:private"},
}
BACKLOG = 1024


def main(port: int) -> None:
    """Runs LocalStack until a signal ends it."""
    _check()
    folder = tempfile.tempdir = tempfile.mkdtemp(prefix="webnn-localstack-")
    os.environ.pop("TMPDIR", None)  # LocalStack warns of it

    # There is no state to save, and LocalStack's own orderly end takes seven seconds. Functions end by themselves when
    # this process does.
    def end(*_: object) -> NoReturn:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)

    for which in (signal.SIGTERM, signal.SIGINT):
        signal.signal(which, end)
    listener = socket.create_server((LOOPBACK, port), backlog=BACKLOG)
    bound = listener.getsockname()[1]
    os.environ.update(_settings(Path(folder), listener.detach(), bound))
    told = {"port": bound, "executor": version("webnn-localstack"), "python": platform.python_version()}
    print(json.dumps(told), flush=True)
    _run()


def _run() -> None:
    # Only now: LocalStack reads its settings when it is imported.
    from localstack.logging.setup import setup_logging_from_config
    from localstack.runtime.current import initialize_runtime

    setup_logging_from_config()
    initialize_runtime().run()


def _check() -> None:
    absent = {name for group, names in NEEDED.items() for name in names if not entry_points(group=group, name=name)}
    absent |= {name for name in (DYNAMODB_URL, FUNCTION_PYTHON) if name not in os.environ}
    if absent:
        sys.exit(f"not installed, or not set: {', '.join(sorted(absent))}")


def _settings(folder: Path, descriptor: int, port: int) -> dict[str, str]:
    address = f"{LOOPBACK}:{port}"
    return {
        LISTENER: str(descriptor),
        "HOME": str(folder),
        "FILESYSTEM_ROOT": str(folder),
        "GATEWAY_SERVER": "loopback",
        "GATEWAY_LISTEN": address,
        # What it calls itself in the URLs that it hands out; the default is a name that only DNS can resolve.
        "LOCALSTACK_HOST": address,
        "SQS_ENDPOINT_STRATEGY": "path",
        "LAMBDA_RUNTIME_EXECUTOR": "subprocess",
        "PROVIDER_OVERRIDE_DYNAMODB": "running",
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "running",
        "PROVIDER_OVERRIDE_S3": "private",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
        "LS_LOG": "warn",
        # Nothing is told to, or fetched from, the outside; no name server is opened to it.
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
        "DOCKER_HOST": "unix:///nonexistent",
        # A container that runs the tests is not LocalStack's container.
        "OVERRIDE_IN_DOCKER": "0",
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
