"""`Queue` on SQS. The only module that knows SQS's error codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
)

from webnn.errors import Invalid, Missing, Unavailable, WebnnError
from webnn.store.queues import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS's own wait of a receive: long enough that it asks all of its servers, not some.
WAIT_SECONDS = 2
HIDDEN_SECONDS = 120

NOT_SET_UP = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
ABSENT = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
VISIBLE = {"AWS.SimpleQueueService.MessageNotInflight", "MessageNotInflight"}
THROTTLED = {"Throttling", "ThrottlingException", "RequestThrottled", "KMS.ThrottlingException", "KmsThrottled"}
# 120 000 messages are in somebody's hand.
FULL = {"OverLimit", "AWS.SimpleQueueService.OverLimit"}


class SqsQueue:
    """A queue of a stage."""

    def __init__(self, sqs: "SQSClient", name: str) -> None:
        """Takes a client and the queue's name. Raises Missing, as every method does, if there is no such queue."""
        self._sqs = sqs
        self._name = name
        with self._answered("find"):
            self._url = sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def waiting(self) -> int:
        """See `Queue.waiting`."""
        with self._answered("count the messages of"):
            answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def receive(self, most: int) -> list[Message]:
        """See `Queue.receive`."""
        with self._answered("receive from"):
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=WAIT_SECONDS,
                VisibilityTimeout=HIDDEN_SECONDS,
            )
        return [Message(m["MessageId"], m["Body"], m["ReceiptHandle"]) for m in answer.get("Messages", [])]

    def send(self, body: str) -> None:
        """See `Queue.send`."""
        with self._answered("send to"):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=body)

    def delete(self, message: Message) -> None:
        """See `Queue.delete`."""
        with self._answered("delete from"):
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def release(self, message: Message) -> None:
        """See `Queue.release`."""
        with self._answered("give a message back to"):
            try:
                self._sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=0
                )
            except ClientError as error:
                if _code(error) not in VISIBLE:
                    raise

    @contextmanager
    def _answered(self, what: str) -> Iterator[None]:
        """Turns the AWS client's errors of the block into ours."""
        try:
            yield
        except ClientError as error:
            raise self._meaning(error, what) from error
        except NOT_SET_UP as error:
            raise Invalid(f"cannot {what} {self._name}: {error}") from error
        except BotoCoreError as error:
            raise Unavailable(f"cannot {what} {self._name}: {error}") from error

    def _meaning(self, error: ClientError, what: str) -> WebnnError:
        code = _code(error)
        if code in ABSENT:
            return Missing(f"there is no queue {self._name}: create its stack first", queue=self._name)
        text = f"cannot {what} {self._name}: {error.response['Error'].get('Message') or code}"
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or code in THROTTLED | FULL:
            return Unavailable(text, code=code)
        return Invalid(text, code=code)


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]
