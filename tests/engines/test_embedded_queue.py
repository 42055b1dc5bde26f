"""What the code takes for granted of the doorbell, on the embedded engine: who may ring, what a ring says."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

WAIT_SECONDS = 5


@pytest.fixture
def rung(aws: Any, request: pytest.FixtureRequest) -> tuple[Any, str, str]:
    """S3, a bucket whose `updates/` ring, and the queue that they ring."""
    name = request.node.name.replace("_", "-")[-40:].strip("-")
    s3, sqs = aws("s3"), aws("sqs")
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    admit(sqs, queue, f"arn:aws:s3:::{name}")
    s3.create_bucket(Bucket=name)
    connect(s3, name, arn_of(sqs, queue))
    return s3, name, queue


def test_a_queue_that_does_not_admit_the_bucket_cannot_be_connected(aws: Any) -> None:
    s3, sqs = aws("s3"), aws("sqs")
    queue = sqs.create_queue(QueueName="shut")["QueueUrl"]
    s3.create_bucket(Bucket="stranger")
    with pytest.raises(ClientError, match="Unable to validate the following destination"):
        connect(s3, "stranger", arn_of(sqs, queue))
    admit(sqs, queue, "arn:aws:s3:::somebody-else")
    with pytest.raises(ClientError, match="Unable to validate the following destination"):
        connect(s3, "stranger", arn_of(sqs, queue))


def test_an_upload_rings_with_its_key_and_size(aws: Any, rung: tuple[Any, str, str]) -> None:
    s3, bucket, queue = rung
    drain(aws("sqs"), queue)
    s3.put_object(Bucket=bucket, Key="updates/run a/u+1.bin", Body=b"12345")
    (record,) = json.loads(receive(aws("sqs"), queue)[0]["Body"])["Records"]
    assert record["s3"]["bucket"]["name"] == bucket
    assert record["s3"]["object"]["size"] == 5
    # Keys come as in a form: a space is a plus.
    assert record["s3"]["object"]["key"] == "updates/run+a/u%2B1.bin"
    assert record["eventName"] == "ObjectCreated:Put"


def test_setting_it_up_sends_a_test_event(aws: Any, rung: tuple[Any, str, str]) -> None:
    _, bucket, queue = rung
    message = json.loads(receive(aws("sqs"), queue)[0]["Body"])
    assert (message["Event"], message["Bucket"]) == ("s3:TestEvent", bucket)


def test_other_keys_ring_nothing(aws: Any, rung: tuple[Any, str, str]) -> None:
    s3, bucket, queue = rung
    drain(aws("sqs"), queue)
    s3.put_object(Bucket=bucket, Key="checkpoints/run/1.bin", Body=b"x")
    s3.put_object(Bucket=bucket, Key="updates/run/after.bin", Body=b"x")
    (record,) = json.loads(receive(aws("sqs"), queue)[0]["Body"])["Records"]
    assert record["s3"]["object"]["key"] == "updates/run/after.bin"
    assert not receive(aws("sqs"), queue, seconds=1)


def test_a_message_that_fails_goes_to_the_dead_after_its_last_try(aws: Any) -> None:
    sqs = aws("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 2})
    queue = sqs.create_queue(QueueName="failing", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})[
        "QueueUrl"
    ]
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    for _ in range(2):
        assert receive(sqs, queue)[0]["Body"] == "poison"
    assert not receive(sqs, queue, seconds=1)
    assert receive(sqs, dead)[0]["Body"] == "poison"


def arn_of(sqs: Any, queue: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def admit(sqs: Any, queue: str, bucket_arn: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn_of(sqs, queue),
        "Condition": {"ArnEquals": {"aws:SourceArn": bucket_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})


def connect(s3: Any, bucket: str, queue_arn: str) -> None:
    rules = {"FilterRules": [{"Name": "prefix", "Value": "updates/"}]}
    wish = {"QueueArn": queue_arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": rules}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [wish]})


def receive(sqs: Any, queue: str, seconds: int = WAIT_SECONDS) -> list[dict[str, Any]]:
    answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=seconds, MaxNumberOfMessages=10)
    return answer.get("Messages", [])


def drain(sqs: Any, queue: str) -> None:
    """Takes the test event away, so that what comes next is the test's own."""
    for message in receive(sqs, queue):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
