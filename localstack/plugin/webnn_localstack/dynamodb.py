"""DynamoDB, answered by a server that runs already.

LocalStack's provider stays in front of it, as it stands before the server that LocalStack would download: it knows
accounts, regions and what DynamoDB Local lacks (point-in-time recovery, tags, time to live). Rows, conditions and
transactions are the server's.
"""

import os
from urllib.parse import urlsplit

from localstack.aws.forwarder import HttpFallbackDispatcher
from localstack.services.dynamodb.server import DynamodbServer
from localstack.services.dynamodb.v2.provider import DynamoDBProvider
from localstack.services.dynamodbstreams.v2.provider import DynamoDBStreamsProvider
from localstack.services.plugins import Service

from webnn_localstack.settings import DYNAMODB_URL


class RunningServer(DynamodbServer):
    """Stands where LocalStack has the server that it downloads and starts by itself."""

    def start_dynamodb(self) -> bool:
        """It runs already."""
        return True

    def stop_dynamodb(self) -> None:
        """Only asked for when LocalStack's state is reset.

        Raises:
            NotImplementedError: Always. The rows would stay, and a reset that forgets half is worse than none.
        """
        raise NotImplementedError("DynamoDB is not LocalStack's to reset here: start the engine anew")


class RunningDynamoDB(DynamoDBProvider):
    """LocalStack's provider before a running server."""

    @staticmethod
    def _new_dynamodb_server() -> RunningServer:
        return _server()


class RunningStreams(DynamoDBStreamsProvider):
    """The same for streams."""

    def __init__(self) -> None:
        """Sets what the base class would set, but with the running server."""
        self.server = _server()
        self.shard_to_region = {}


def dynamodb_service() -> Service:
    """The service; what its provider does not know goes to the server as it is."""
    provider = RunningDynamoDB()
    return Service.for_provider(
        provider, dispatch_table_factory=lambda found: HttpFallbackDispatcher(found, provider.get_forward_url)
    )


def dynamodbstreams_service() -> Service:
    """The service of the tables' streams."""
    return Service.for_provider(RunningStreams())


def _server() -> RunningServer:
    address = urlsplit(os.environ[DYNAMODB_URL])
    return RunningServer(address.port, str(address.hostname))
