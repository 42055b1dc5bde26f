"""The AWS half of the composition root: the only module that makes clients, and stores out of them.

Apart from `webnn.wiring` because these imports take longer than all others together; see there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.session import get_session
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from webnn.errors import Invalid
from webnn.settings import Environment, Settings
from webnn.store.dynamodb import DynamoCatalog
from webnn.store.rows import bind
from webnn.store.s3 import S3Blobs
from webnn.store.s3_public import S3PublicObjects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from obstore.store import ClientConfig, S3Credential

    from webnn.stack import StackClients
    from webnn.store.sqs import SqsQueue

TRIES = 4  # after the first
# Presigned URLs work on every engine only with this signature and with the bucket in the path.
S3_CONFIG = Config(
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": TRIES + 1},
    max_pool_connections=40,  # more than are read ahead at once
)

HASTY = S3_CONFIG.merge(
    Config(
        connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}, max_pool_connections=4
    )
)


def s3_client(where: Environment) -> "S3Client":
    """A client whose presigned URLs work on every engine."""
    return cast("S3Client", client(where, "s3", S3_CONFIG))


def client(where: Environment, service: str, config: Config | None = None) -> Any:
    """A client of any AWS service.

    Made with botocore, on which boto3 stands and which PynamoDB brings along: so the functions' zip is complete.

    Raises:
        Invalid: The environment's profile, region, endpoint or configuration file is wrong.
    """
    with configured():
        return get_session().create_client(
            service, region_name=where.region, endpoint_url=where.endpoint_url, config=config
        )


@contextmanager
def configured() -> Iterator[None]:
    """Turns what botocore says of a wrong environment into Invalid."""
    try:
        yield
    except (BotoCoreError, ValueError, OSError) as error:
        raise Invalid(f"AWS's configuration in this environment is wrong: {error}") from error


def stores(found: Settings) -> tuple[DynamoCatalog, S3Blobs]:
    """The stage's catalog and blobs."""
    where = found.environment
    catalog = DynamoCatalog(bind(found.table, where.region, where.endpoint_url))
    s3 = s3_client(where)
    return catalog, S3Blobs(s3, found.bucket, _reader(s3, found.bucket))


def public_objects(found: Settings) -> S3PublicObjects:
    """Where the stage's watchers look. Nothing waits long for it, for nothing depends on it."""
    return S3PublicObjects(cast("S3Client", client(found.environment, "s3", HASTY)), found.site)


def _reader(s3: "S3Client", bucket: str) -> S3Store:
    """What reads from the bucket, where that client would and as long as it would wait.

    Raises:
        Invalid: AWS's configuration names a file of certificates that cannot be read.
    """
    options: ClientConfig = {
        "allow_http": s3.meta.endpoint_url.startswith("http:"),  # an engine on this machine
        "connect_timeout": timedelta(seconds=5),
        "read_timeout": timedelta(seconds=20),  # of silence; a large body may take longer than that
        "timeout": timedelta(minutes=15),  # a function's longest life
    }
    with configured():
        if trusted := get_session().get_config_variable("ca_bundle"):
            options["root_certificate"] = Path(trusted).read_bytes()
    return S3Store(
        bucket,
        endpoint=s3.meta.endpoint_url,
        region=s3.meta.region_name,
        virtual_hosted_style_request=False,
        credential_provider=_credentials(),
        client_options=options,
        retry_config={"max_retries": TRIES, "retry_timeout": timedelta(minutes=2)},
    )


def _credentials() -> "Callable[[], S3Credential]":
    found = get_session().get_credentials()

    def current() -> "S3Credential":
        frozen = found and found.get_frozen_credentials()  # botocore's own, which renews what runs out
        if not frozen or not frozen.access_key or not frozen.secret_key:
            raise NoCredentialsError
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.now(UTC) + timedelta(minutes=10),
        }

    return current


def refusal(error: Exception) -> str | None:
    """What AWS said, if this is its refusal of a request: of a right, a token or a name; None of any other error."""
    cause = getattr(error, "cause", None) or error  # PynamoDB's errors carry it
    if isinstance(cause, ClientError):
        said = cause.response["Error"]
        return f"{said.get('Code')}: {said.get('Message') or 'no reason given'}"
    if isinstance(cause, (BotoCoreError, PermissionDeniedError, UnauthenticatedError)):
        return str(cause).split("\n", 1)[0]
    return None


def queue(where: Environment, name: str) -> "SqsQueue":
    """A queue of the stage. Raises Missing if it is not there."""
    from webnn.store.sqs import SqsQueue  # noqa: PLC0415  # functions, which import this module, only ring

    return SqsQueue(client(where, "sqs"), name)


def stack_clients(where: Environment) -> "StackClients":
    """The clients that managing a stage takes."""
    from webnn.stack import StackClients  # noqa: PLC0415  # functions, which import this module, manage no stack

    return StackClients(
        cloudformation=client(where, "cloudformation"),
        dynamodb=client(where, "dynamodb"),
        s3=s3_client(where),
        ssm=client(where, "ssm"),
    )
