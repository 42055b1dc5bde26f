"""DynamoDB's answers in our words: the only module that knows its codes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pynamodb.exceptions import DoesNotExist, PynamoDBException, TransactWriteError

from webnn.errors import Conflict, Corrupt, Missing, Unavailable

# The two refusals: a condition does not hold; another transaction holds the item at this moment.
REFUSED = {"ConditionalCheckFailed", "TransactionConflict"}
REFUSED_EXCEPTIONS = {f"{reason}Exception" for reason in REFUSED}
# Whatever is wrong, it is ours, and stays so: a wrong name or right, a token that ran out.
OUR_FAULT = {
    "ValidationException",
    "ResourceNotFoundException",
    "AccessDeniedException",
    "ExpiredTokenException",
    "UnrecognizedClientException",
}
# As reasons of a transaction; the first is a run of 10 GB of rows (docs/limits.md).
HOPELESS = {"ItemCollectionSizeLimitExceeded", "ValidationError"}


@contextmanager
def unless(landed: Callable[[], bool]) -> Iterator[None]:
    """Forgives a refusal of what is there: the client repeats a request whose answer was lost, and is then refused."""
    try:
        yield
    except Conflict:
        if not landed():
            raise


@contextmanager
def answers(what: str, advice: str = "") -> Iterator[None]:
    """Turns errors into ours: refused is Conflict, absent Missing, no answer Unavailable, an unreadable row Corrupt.

    `advice` is for whoever asked for what is absent.
    """
    try:
        yield
    except (TypeError, ValueError) as error:  # what PynamoDB says of attributes of another type than it writes
        raise Corrupt(f"a row cannot be read: {what}: {error}") from error
    except DoesNotExist as error:
        raise Missing(what, advice=advice) from error
    except TransactWriteError as error:
        reasons = {reason.code for reason in error.cancellation_reasons if reason is not None}
        if reasons & REFUSED:
            raise Conflict(what) from error
        if reasons & HOPELESS:
            raise
        _unanswered(what, error)
    except PynamoDBException as error:
        if _code(error) in REFUSED_EXCEPTIONS:
            raise Conflict(what) from error
        _unanswered(what, error)


def _unanswered(what: str, error: PynamoDBException) -> None:
    code = _code(error)
    if code in OUR_FAULT:
        raise error
    said = f"DynamoDB answered {code}" if code else "DynamoDB did not answer"
    raise Unavailable(f"{said}; else this would mean: {what}") from error


def _code(error: PynamoDBException) -> str | None:
    """The service's word for the error; None if it said nothing, when PynamoDB's own property fails."""
    answer: dict[str, dict[str, str]] = getattr(error.cause, "response", None) or {}
    return answer.get("Error", {}).get("Code")
