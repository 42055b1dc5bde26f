"""The composition root: the only module that makes AWS clients, clocks and random sources."""

import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from pynamodb.connection import Connection

from webnn.clients import Coordinator
from webnn.commit import Committer
from webnn.core.ids import RANDOM_BYTES, make_id
from webnn.evaluations import Evaluations
from webnn.runs import Runs
from webnn.settings import Environment, Settings, environment, settings
from webnn.specs import Specs
from webnn.store.dynamodb import DynamoCatalog
from webnn.store.ports import Blobs, Catalog
from webnn.store.rows import bind
from webnn.store.s3 import S3Blobs
from webnn.sweep import Sweeper
from webnn.tokens import Tokens
from webnn.updates import Updates

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Presigned URLs work on every engine only with this signature and with the bucket in the path.
S3_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 5},
)


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, on the stores of one stage."""

    blobs: Blobs
    catalog: Catalog
    clients: Coordinator
    updates: Updates
    evaluations: Evaluations
    runs: Runs
    committer: Committer
    sweeper: Sweeper
    tokens: Tokens
    ring: Callable[[bytes], None]


def now() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """An id that never repeats and sorts by time."""
    return make_id(now(), secrets.token_bytes(RANDOM_BYTES))


def deadline(seconds: float) -> Callable[[], bool]:
    """Says, from `seconds` on, that time is up."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def s3_client(where: Environment) -> "S3Client":
    """A client whose presigned URLs work on every engine."""
    return boto3.client("s3", region_name=where.region, endpoint_url=where.endpoint_url, config=S3_CONFIG)


def client(where: Environment, service: str) -> Any:
    """A boto3 client of any other service."""
    return boto3.client(service, region_name=where.region, endpoint_url=where.endpoint_url)  # type: ignore[call-overload]


def assemble(
    catalog: Catalog,
    blobs: Blobs,
    token_secret: str,
    ring: Callable[[bytes], None],
    *,
    clock: Callable[[], int] = now,
    ids: Callable[[], str] = new_id,
) -> Services:
    """The use cases on any stores."""
    specs = Specs(catalog, blobs)
    committer = Committer(catalog, blobs, specs, clock=clock, new_id=ids)
    return Services(
        blobs=blobs,
        catalog=catalog,
        clients=Coordinator(catalog, specs, clock=clock, new_id=ids),
        updates=Updates(catalog, blobs, specs, clock=clock, new_id=ids),
        evaluations=Evaluations(catalog, specs, clock=clock),
        runs=Runs(catalog, blobs, specs, clock=clock, new_id=ids),
        committer=committer,
        sweeper=Sweeper(catalog, committer, clock=clock),
        tokens=Tokens(token_secret, clock),
        ring=ring,
    )


def stores(found: Settings) -> tuple[DynamoCatalog, S3Blobs]:
    """The stage's catalog and blobs."""
    where = found.environment
    connection = Connection(region=where.region, host=where.endpoint_url)
    catalog = DynamoCatalog(bind(found.table, where.region, where.endpoint_url), connection)
    return catalog, S3Blobs(s3_client(where), found.bucket)


def services_of(found: Settings) -> Services:
    """The use cases on a stage."""
    sqs = client(found.environment, "sqs")

    def ring(message: bytes) -> None:
        sqs.send_message(QueueUrl=found.queue_url, MessageBody=message.decode())

    catalog, blobs = stores(found)
    return assemble(catalog, blobs, found.token_secret, ring)


@cache
def services() -> Services:
    """The use cases on the stage that the environment names; made once in a function's life."""
    where = environment(os.environ)
    return services_of(settings(where, client(where, "ssm")))
