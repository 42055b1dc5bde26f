"""A stage's stack on an engine; what is asked of it is asked of every engine."""

from collections.abc import Iterable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from botocore.session import get_session

from webnn.aws import S3_CONFIG
from webnn.stack import StackClients, StackOutputs, create_or_update

TEMPLATE = Path(__file__).parents[2] / "infra" / "stack.yaml"
SECRET = "5a" * 32


@pytest.fixture(scope="session", params=["embedded", pytest.param("localstack", marks=pytest.mark.localstack)])
def engine(request: pytest.FixtureRequest) -> Any:
    """Each engine in turn, bare."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def aws(engine: Any) -> Any:
    """Makes clients of the engine from what it tells every program to use."""
    told, session = engine.environment(), get_session()

    def client(service: str) -> Any:
        return session.create_client(
            service,
            region_name=told["AWS_DEFAULT_REGION"],
            endpoint_url=told["AWS_ENDPOINT_URL"],
            aws_access_key_id=told["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=told["AWS_SECRET_ACCESS_KEY"],
            config=S3_CONFIG if service == "s3" else None,
        )

    return client


@pytest.fixture(scope="session")
def clients(aws: Any) -> StackClients:
    return StackClients(cloudformation=aws("cloudformation"), dynamodb=aws("dynamodb"), s3=aws("s3"), ssm=aws("ssm"))


@pytest.fixture(scope="session")
def template() -> str:
    return TEMPLATE.read_text()


@pytest.fixture
def polls() -> Iterable[object]:
    """Half a minute of looks."""
    pacer = Event()
    return (pacer.wait(0.1) for _ in range(300))


@pytest.fixture(scope="session")
def standing(clients: StackClients, template: str) -> StackOutputs:
    """One stage for all tests that only look."""
    pacer = Event()
    return create_or_update(clients, "looked", template, SECRET, (pacer.wait(0.1) for _ in range(300)))
