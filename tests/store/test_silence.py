"""Errors that PynamoDB has no answer of the service for."""

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import CancellationReason, GetError, TransactWriteError, UpdateError, VerboseClientError

from webnn.errors import Conflict, Unavailable
from webnn.store.answers import answers


@pytest.mark.parametrize("kind", [GetError, UpdateError, TransactWriteError])
def test_a_timeout_is_no_answer(kind: type[GetError]) -> None:
    cause = ReadTimeoutError(endpoint_url="http://127.0.0.1:1")
    with pytest.raises(Unavailable), answers("read the head"):
        raise kind("Failed", cause)


def cancelled(*reasons: str) -> TransactWriteError:
    answer = {"Error": {"Code": "TransactionCanceledException", "Message": "cancelled"}}
    found = [CancellationReason(code=reason) for reason in reasons]
    return TransactWriteError("Failed", VerboseClientError(answer, "TransactWriteItems", cancellation_reasons=found))


@pytest.mark.parametrize(
    ("reasons", "means"),
    [
        (("ConditionalCheckFailed", "ThrottlingError"), Conflict),
        (("TransactionConflict",), Conflict),
        (("ThrottlingError",), Unavailable),
        (("ItemCollectionSizeLimitExceeded",), TransactWriteError),
        (("ValidationError",), TransactWriteError),
    ],
)
def test_what_can_never_succeed_is_not_taken_for_an_outage(reasons: tuple[str, ...], means: type[Exception]) -> None:
    with pytest.raises(means), answers("commit"):
        raise cancelled(*reasons)
