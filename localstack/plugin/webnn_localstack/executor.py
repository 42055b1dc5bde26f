"""LocalStack's runtime executor over subprocesses.

LocalStack makes an executor for each concurrent execution of a function, keeps it warm, and gives it one event at a
time. What a function may see is decided here: the variables that Lambda sets, the function's own, and no others.
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from webnn_localstack.function import Answer, FunctionFailed, FunctionProcess
from webnn_localstack.settings import FUNCTION_PYTHON, LOOPBACK

LOG = logging.getLogger(__name__)
RUNTIME = "python3.11"
# What LocalStack tells its own containers. A function that could read it could tell this engine from AWS.
NOT_LAMBDAS = ("LOCALSTACK_", "EDGE_PORT")


class SubprocessExecutor(RuntimeExecutor):
    """One execution environment. After a crash or a timeout, the next event finds a new process, as on Lambda."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 - LocalStack's name
        """Takes what LocalStack calls this environment, and the function."""
        super().__init__(id, function_version)
        self._environment: dict[str, str] = {}
        self._process: FunctionProcess | None = None
        self._stopped = False

    def start(self, env_vars: dict[str, str]) -> None:
        """Starts the process and loads the handler.

        Raises:
            StatusErrorException: The function cannot be loaded; LocalStack hands the payload to the caller.
        """
        self._environment = function_environment(env_vars)
        _refuse_what_cannot_run(self.function_version)
        try:
            self._process = self._loaded()
        except FunctionFailed as error:
            raise StatusErrorException("the function cannot be loaded", payload=error.payload.encode()) from error

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Answers one event."""
        request = payload["invoke-id"]
        event = {
            "id": request,
            "arn": payload["invoked-function-arn"],
            "trace": payload["trace-id"],
            "payload": payload["payload"],
        }
        try:
            process = self._running()
        except FunctionFailed as error:
            return InvocationResult(
                request, error.payload.encode(), is_error=True, logs=_framed(request, error.payload)
            )
        answer = _within_limits(process.answer(event, float(self.function_version.config.timeout)))
        return InvocationResult(request, answer.payload.encode(), answer.is_error, _framed(request, answer.log))

    def stop(self) -> None:
        """Ends the process, also in the middle of an event."""
        self._stopped = True
        if self._process is not None:
            self._process.stop()

    def get_logs(self) -> str:
        """All that the present process has printed."""
        return self._process.log() if self._process is not None and not self._stopped else ""

    def get_address(self) -> str:
        """Where the function runs: here."""
        return LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        """Where the function reaches LocalStack: here."""
        return LOOPBACK

    def get_runtime_endpoint(self) -> str:
        """Where a container would report to; a process has its connection, so nothing is ever sent there."""
        return f"http://{LOOPBACK}:{config.GATEWAY_LISTEN[0].port}/"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpacks the zip."""
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing to do: LocalStack removes the code itself."""

    def _running(self) -> FunctionProcess:
        if self._process is not None and self._process.alive:
            return self._process
        if self._process is not None:
            self._process.stop()
        self._process = self._loaded()
        return self._process

    def _loaded(self) -> FunctionProcess:
        code = Path(self.function_version.config.code.get_unzipped_code_location())
        process = FunctionProcess(os.environ[FUNCTION_PYTHON], code, self._environment)
        try:
            process.load()
        except FunctionFailed:
            LOG.warning("%s cannot be loaded:\n%s", self.function_version.qualified_arn, process.log())
            process.stop()
            raise
        return process


def function_environment(told: Mapping[str, object]) -> dict[str, str]:
    """The variables of a function, from those that LocalStack would give a container."""
    own = {name: str(value) for name, value in told.items() if not name.startswith(NOT_LAMBDAS)}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **own, "AWS_EXECUTION_ENV": f"AWS_Lambda_{RUNTIME}"}


def _refuse_what_cannot_run(function_version: FunctionVersion) -> None:
    runtime, layers = function_version.config.runtime, function_version.config.layers
    if runtime == RUNTIME and not layers:
        return
    what = f"only zips for {RUNTIME} without layers run in subprocesses, not {runtime or 'images'}"
    payload = json.dumps({"errorType": "Runtime.InvalidRuntime", "errorMessage": what})
    raise StatusErrorException(what, payload=payload.encode())


def _within_limits(answer: Answer) -> Answer:
    most = int(config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES)
    if len(answer.payload) <= most:
        return answer
    what = f"Response payload size exceeded maximum allowed payload size ({most} bytes)."
    payload = json.dumps({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": what})
    return replace(answer, payload=payload, is_error=True)


def _framed(request: str, log: str) -> str:
    return f"START RequestId: {request} Version: $LATEST\n{log}\nEND RequestId: {request}\n"
