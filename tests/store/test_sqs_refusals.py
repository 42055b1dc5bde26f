"""What SQS's refusals mean to the rest, none of which an engine can be made to give."""

import botocore.session
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from webnn.errors import Invalid, Missing, Unavailable, WebnnError
from webnn.store.queues import Message
from webnn.store.sqs import SqsQueue

MESSAGE = Message("id", "body", "receipt")


@pytest.fixture
def stubbed() -> tuple[SqsQueue, Stubber]:
    sqs = botocore.session.get_session().create_client(
        "sqs", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    stubber = Stubber(sqs)
    stubber.add_response("get_queue_url", {"QueueUrl": "http://127.0.0.1:9/1/q"})
    stubber.activate()
    return SqsQueue(sqs, "q"), stubber


@pytest.mark.parametrize(
    ("code", "status", "means"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", 400, Missing),
        ("QueueDoesNotExist", 400, Missing),
        ("RequestThrottled", 400, Unavailable),
        ("OverLimit", 403, Unavailable),
        ("InternalFailure", 500, Unavailable),
        ("AccessDenied", 403, Invalid),
    ],
)
def test_a_refusal_is_named_by_what_to_do(
    stubbed: tuple[SqsQueue, Stubber], code: str, status: int, means: type[WebnnError]
) -> None:
    queue, stubber = stubbed
    stubber.add_client_error("receive_message", code, http_status_code=status)
    with pytest.raises(means) as caught:
        queue.receive(10)
    assert type(caught.value) is means


def test_giving_back_what_is_back_already_is_done(stubbed: tuple[SqsQueue, Stubber]) -> None:
    queue, stubber = stubbed
    stubber.add_client_error("change_message_visibility", "AWS.SimpleQueueService.MessageNotInflight")
    queue.release(MESSAGE)
    stubber.assert_no_pending_responses()


def test_a_timeout_is_no_answer(stubbed: tuple[SqsQueue, Stubber], monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(**_: object) -> None:
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1:9")

    queue, _ = stubbed
    monkeypatch.setattr(queue._sqs, "send_message", silent)
    with pytest.raises(Unavailable, match="cannot send to q"):
        queue.send("body")
