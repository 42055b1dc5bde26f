"""What a refusal or a silence of a service means to whoever manages a stage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from webnn.errors import Conflict, Invalid, Unavailable, WebnnError

Progress = Callable[[str], None]

NOT_SET_UP = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, NoRegionError)
BUSY = {"AlreadyExistsException", "OperationAborted", "OperationInProgressException", "ResourceInUseException"}
THROTTLED = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown"}


def silent(_: str) -> None:
    """Progress that nobody watches."""


@contextmanager
def answered(purpose: str) -> Iterator[None]:
    """Turns the AWS client's errors of the block into ours.

    Raises:
        Unavailable: No answer, or none but "later".
        Conflict: Somebody else is changing the same thing.
        Invalid: Refused, and will be again: no credentials, no permission, a faulty request.
    """
    try:
        yield
    except ClientError as error:
        raise _meaning(error, purpose) from error
    except NOT_SET_UP as error:
        raise Invalid(f"cannot {purpose}: {error}") from error
    except BotoCoreError as error:
        raise Unavailable(f"cannot {purpose}: {error}") from error


def code_of(error: ClientError) -> str:
    """The service's own word for the refusal."""
    return str(error.response["Error"]["Code"])


def _meaning(error: ClientError, purpose: str) -> WebnnError:
    code, message = code_of(error), error.response["Error"].get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    text = f"cannot {purpose}: {message or code}"
    if status >= 500 or code in THROTTLED:
        return Unavailable(text, code=code)
    # CloudFormation has one code for all faults of a request; only the text tells this one from the others.
    if code in BUSY or "_IN_PROGRESS state" in message:
        return Conflict(text, code=code)
    return Invalid(text, code=code)
