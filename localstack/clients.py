"""What tests speak to a running engine with."""

import io
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from webnn.local.engine import REGION, Engine

# One attempt, for a test must see the first answer; and a connection for each of a test's threads.
CONFIG = Config(retries={"total_max_attempts": 1}, max_pool_connections=32)
# Presigned URLs work on every engine only with this signature and with the bucket in the path.
S3_CONFIG = CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "path"}))

Clients = Callable[[str], Any]


def clients(engine: Engine) -> Clients:
    """Makes clients of an engine, one for each service."""
    session = get_session()

    @cache
    def client(service: str) -> Any:
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=engine.url,
            aws_access_key_id=engine.key.id,
            aws_secret_access_key=engine.key.secret,
            config=S3_CONFIG if service == "s3" else CONFIG,
        )

    return client


def zipped(name: str, code: str) -> bytes:
    """A function's zip that holds one file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, code)
    return content.getvalue()
