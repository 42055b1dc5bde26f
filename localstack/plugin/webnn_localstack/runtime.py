"""The process that a function runs in: `python -I -B runtime.py DESCRIPTOR`, with the function's own environment.

Standard library only, and this file alone: a function must find the packages of its zip and what Lambda provides, and
nothing else. The descriptor is a connection. The first message on it says how loading the handler went; then each
event is answered by one message. What the function prints goes to its log.
"""

import importlib
import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

Handler = Callable[[Any, "Context"], Any]


class Context:
    """What Lambda tells a handler about the invocation, under Lambda's names."""

    identity = None
    client_context = None

    def __init__(self, request: str, arn: str, end: float) -> None:
        """Takes the request's id, the function's ARN, and when time is up (by `time.time`)."""
        self.aws_request_id = request
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._end = end

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is stopped."""
        return max(0, int((self._end - time.time()) * 1000))


def main(connection: Connection) -> None:
    """Loads the handler and answers events until the other side is gone."""
    threading.Thread(target=_end_with_starter, args=(_keep_standard_input(),), daemon=True).start()
    logging.basicConfig(format="[%(levelname)s]\t%(asctime)s\t%(message)s", level=logging.WARNING)
    handler, failure = _loaded(os.environ["_HANDLER"])
    _send(connection, {"failure": failure})
    while handler is not None:
        _send(connection, _answer(handler, json.loads(connection.recv_bytes())))


def _keep_standard_input() -> int:
    """Its end tells that the starter is gone. The function gets an empty one, as on Lambda."""
    kept = os.dup(0)
    with open(os.devnull) as empty:
        os.dup2(empty.fileno(), 0)
    return kept


def _end_with_starter(descriptor: int) -> None:
    os.read(descriptor, 1)
    os._exit(0)


def _loaded(name: str) -> tuple[Handler | None, dict[str, Any] | None]:
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    module, _, attribute = name.rpartition(".")
    try:
        handler: Handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    except BaseException as error:  # whatever a function's code does while it loads is an answer
        return None, _told(error, _kind_of_failure(error))
    return handler, None


def _kind_of_failure(error: BaseException) -> str:
    kinds = (
        (ImportError, "Runtime.ImportModuleError"),
        (AttributeError, "Runtime.HandlerNotFound"),
        (SyntaxError, "Runtime.UserCodeSyntaxError"),
        (SystemExit, "Runtime.ExitError"),
    )
    return next((told for kind, told in kinds if isinstance(error, kind)), type(error).__name__)


def _answer(handler: Handler, request: dict[str, Any]) -> dict[str, Any]:
    os.environ["_X_AMZN_TRACE_ID"] = request["trace"]
    context = Context(request["id"], request["arn"], request["end"])
    try:
        result = handler(json.loads(request["payload"] or "{}"), context)
    except Exception as error:
        traceback.print_exc()
        return {"failure": {**_told(error, type(error).__name__), "requestId": request["id"]}}
    return _as_json(result)


def _as_json(result: Any) -> dict[str, Any]:
    try:
        return {"payload": json.dumps(result)}
    except (TypeError, ValueError) as error:
        told = {"errorType": "Runtime.MarshalError", "errorMessage": f"Unable to marshal response: {error}"}
        return {"failure": told}


def _told(error: BaseException, kind: str) -> dict[str, Any]:
    # The first frame is this file's.
    frames = error.__traceback__.tb_next if error.__traceback__ else None
    return {"errorMessage": str(error), "errorType": kind, "stackTrace": traceback.format_tb(frames)}


def _send(connection: Connection, message: dict[str, Any]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send_bytes(json.dumps(message).encode())


if __name__ == "__main__":
    try:
        main(Connection(int(sys.argv[1])))
    except EOFError:
        sys.exit(0)  # the function is not needed any more
