"""Errors that PynamoDB has no answer of the service for."""

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import GetError, TransactWriteError, UpdateError

from webnn.errors import Unavailable
from webnn.store.answers import answers


@pytest.mark.parametrize("kind", [GetError, UpdateError, TransactWriteError])
def test_a_timeout_is_no_answer(kind: type[GetError]) -> None:
    cause = ReadTimeoutError(endpoint_url="http://127.0.0.1:1")
    with pytest.raises(Unavailable), answers("read the head"):
        raise kind("Failed", cause)
