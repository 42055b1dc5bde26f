"""The entry points. Imports are in the functions, since LocalStack looks at every plug-in and uses few."""

from typing import Any

from localstack.runtime.server.core import RuntimeServer, RuntimeServerPlugin
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import Service, aws_provider


class LoopbackServerPlugin(RuntimeServerPlugin):
    """`GATEWAY_SERVER=loopback`: serves a socket that is bound already."""

    name = "loopback"

    def load(self, *_args: Any, **_kwargs: Any) -> RuntimeServer:
        """Gives the server."""
        from webnn_localstack.gateway import LoopbackServer

        return LoopbackServer()


class SubprocessExecutorPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=subprocess`: runs each execution environment of a function as a process."""

    name = "subprocess"

    def load(self, *_args: Any, **_kwargs: Any) -> type:
        """Gives the executor's class."""
        from webnn_localstack.executor import SubprocessExecutor

        return SubprocessExecutor


@aws_provider(api="dynamodb", name="running")
def dynamodb() -> Service:
    """`PROVIDER_OVERRIDE_DYNAMODB=running`: LocalStack's own provider before a server that runs already."""
    from webnn_localstack.dynamodb import dynamodb_service

    return dynamodb_service()


@aws_provider(api="dynamodbstreams", name="running")
def dynamodbstreams() -> Service:
    """`PROVIDER_OVERRIDE_DYNAMODBSTREAMS=running`: the same for the tables' streams."""
    from webnn_localstack.dynamodb import dynamodbstreams_service

    return dynamodbstreams_service()


@aws_provider(api="s3", name="private")
def s3() -> Service:
    """`PROVIDER_OVERRIDE_S3=private`: LocalStack's own provider, its files among this LocalStack's own."""
    from localstack.services.s3.provider import S3Provider
    from localstack.services.s3.storage.ephemeral import EphemeralS3ObjectStore

    # As shipped they go to a fixed folder of /tmp, which every other LocalStack shares and nobody clears away.
    return Service.for_provider(S3Provider(EphemeralS3ObjectStore()))
