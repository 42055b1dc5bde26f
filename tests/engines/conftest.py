"""The embedded engine itself, for the tests of what it does: the facts that the code stands on."""

from collections.abc import Callable
from typing import Any

import botocore.session
import pytest

from webnn.aws import S3_CONFIG
from webnn.local.engine import REGION, Engine

Aws = Callable[[str], Any]


@pytest.fixture(scope="session")
def aws(embedded: Engine) -> Aws:
    session = botocore.session.get_session()

    def client(service: str) -> Any:
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=embedded.url,
            aws_access_key_id=embedded.key.id,
            aws_secret_access_key=embedded.key.secret,
            config=S3_CONFIG if service == "s3" else None,
        )

    return client
