"""`webnn redrive` on every engine: the stack's own queues, the real client, the command as somebody types it."""

import itertools
import json
from typing import Any

import botocore.session
import pytest
import stages
from click.testing import CliRunner, Result
from stages import NETWORKED, Stage

from webnn import aws
from webnn.cli.main import main, webnn
from webnn.doorbell import ring
from webnn.errors import Invalid
from webnn.local.engine import REGION, Engine
from webnn.redrive import Redriver
from webnn.settings import Environment, environment
from webnn.store.queues import Queue
from webnn.store.sqs import SqsQueue

STAGE = "prod"  # no other test looks into this stage's queues
DEAD, BELL = f"webnn-{STAGE}-dead", f"webnn-{STAGE}-doorbell"
TRIES = 5  # the doorbell's `maxReceiveCount`
READABLE, POISON = ring("digits").decode(), "not JSON"
# What infra/README.md says an owner needs who does nothing else.
ENOUGH = {
    DEAD: ["GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"],
    BELL: ["GetQueueUrl", "SendMessage"],
}
_numbers = itertools.count()


@pytest.fixture(scope="module", params=NETWORKED)
def standing(request: pytest.FixtureRequest) -> Stage:
    """A stage of its own on each engine in turn."""
    engine: Engine = request.getfixturevalue(request.param)
    return stages.engine_stage(request.param, {**engine.environment(), "WEBNN_STAGE": STAGE})


@pytest.fixture
def where(standing: Stage, monkeypatch: pytest.MonkeyPatch) -> Environment:
    for name, value in standing.variables.items():
        monkeypatch.setenv(name, value)
    return environment(standing.variables)


@pytest.fixture
def sqs(where: Environment) -> Any:
    """A client, and both queues empty."""
    made = aws.client(where, "sqs")
    for name in (DEAD, BELL):
        empty(made, name)
    return made


@pytest.fixture(scope="module")
def guarded(embedded: Engine) -> Any:
    """The owner's client of the same stage on MiniStack, which holds keys to their policies."""
    stages.engine_stage("embedded", {**embedded.environment(), "WEBNN_STAGE": STAGE})
    return client(embedded, "sqs", embedded.key.id, embedded.key.secret)


@pytest.fixture
def owner(guarded: Any) -> Any:
    """It again, with one message to move in the queue and one to leave."""
    empty(guarded, DEAD)
    for body in (READABLE, POISON):
        guarded.send_message(QueueUrl=url(guarded, DEAD), MessageBody=body)
    return guarded


def test_poison_dies_and_goes_back_to_the_doorbell(sqs: Any) -> None:
    kill(sqs, READABLE, POISON)
    assert (visible(sqs, DEAD), visible(sqs, BELL)) == ([POISON, READABLE], [])

    assert told("--dry-run") == {"moved": 0, "runs": {"digits": 1}, "unreadable": 1}
    assert told() == {"moved": 1, "runs": {"digits": 1}, "unreadable": 1}
    assert (visible(sqs, DEAD), visible(sqs, BELL)) == ([POISON], [READABLE])

    assert told("--unreadable") == {"moved": 1, "runs": {}, "unreadable": 1}
    assert (visible(sqs, DEAD), visible(sqs, BELL)) == ([], [POISON, READABLE])
    assert told() == {"moved": 0, "runs": {}, "unreadable": 0}


def test_more_than_one_batch_goes_back(sqs: Any) -> None:
    bodies = sorted(ring(f"run-{number}").decode() for number in range(23))
    for body in bodies:
        sqs.send_message(QueueUrl=url(sqs, DEAD), MessageBody=body)
    assert told()["moved"] == 23
    assert (visible(sqs, DEAD), visible(sqs, BELL)) == ([], bodies)


def test_a_queue_does_what_the_port_says(sqs: Any, where: Environment) -> None:
    queue: Queue = aws.queue(where, DEAD)
    assert queue.waiting() == 0
    queue.send("ä body")
    assert queue.waiting() == 1
    (message,) = queue.receive(10)
    assert (message.body, queue.waiting(), queue.receive(1)) == ("ä body", 0, [])
    queue.release(message)
    queue.release(message)
    (again,) = queue.receive(1)
    assert again.id == message.id
    queue.delete(again)
    assert (queue.waiting(), visible(sqs, DEAD)) == (0, [])


def test_a_stage_without_a_stack_is_one_line(
    where: Environment, standing: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = "localstack" if standing.name == "embedded" else "dev"
    assert (
        refusal(absent, monkeypatch, capsys) == f"Error: there is no queue webnn-{absent}-dead: create its stack first"
    )


def test_silence_is_one_line(
    where: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert refusal(STAGE, monkeypatch, capsys).startswith(f"Error: cannot find {DEAD}: Could not connect to ")


def test_the_permissions_that_the_docs_name_are_enough(owner: Any, embedded: Engine) -> None:
    assert moved(limited(embedded, ENOUGH)) == 1
    assert visible(owner, DEAD) == [POISON]


@pytest.mark.parametrize(("queue", "action"), [(name, action) for name in ENOUGH for action in ENOUGH[name]])
def test_none_of_them_is_too_many(owner: Any, embedded: Engine, queue: str, action: str) -> None:
    sqs = limited(embedded, {**ENOUGH, queue: [one for one in ENOUGH[queue] if one != action]})
    if action == "ChangeMessageVisibility":
        assert moved(sqs) == 1
        assert visible(owner, DEAD) == [], "what cannot be given back is hidden for two minutes"
        return
    with pytest.raises(Invalid, match=r"AccessDenied|not authorized"):
        moved(sqs)


def told(*options: str) -> dict[str, Any]:
    done: Result = CliRunner().invoke(webnn, ["redrive", "--stage", STAGE, "--json", *options], catch_exceptions=False)
    (line,) = done.stdout.splitlines()
    return json.loads(line)


def refusal(stage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The line that somebody gets to see who cannot be served."""
    monkeypatch.setattr("sys.argv", ["webnn", "redrive", "--stage", stage])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    return line


def kill(sqs: Any, *bodies: str) -> None:
    """Rings with these, and has them fail until they are dead."""
    for body in bodies:
        sqs.send_message(QueueUrl=url(sqs, BELL), MessageBody=body)
    for _ in range(TRIES):
        assert visible(sqs, BELL) == sorted(bodies)
    assert visible(sqs, BELL) == []


def visible(sqs: Any, name: str) -> list[str]:
    """What can be received, each once, and can be received again at once."""
    found: dict[str, dict[str, Any]] = {}
    while messages := received(sqs, name):
        found.update((message["MessageId"], message) for message in messages)
    for message in found.values():
        sqs.change_message_visibility(
            QueueUrl=url(sqs, name), ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return sorted(message["Body"] for message in found.values())


def empty(sqs: Any, name: str) -> None:
    while messages := received(sqs, name):
        for message in messages:
            sqs.delete_message(QueueUrl=url(sqs, name), ReceiptHandle=message["ReceiptHandle"])


def received(sqs: Any, name: str) -> list[dict[str, Any]]:
    return sqs.receive_message(QueueUrl=url(sqs, name), MaxNumberOfMessages=10).get("Messages", [])


def url(sqs: Any, name: str) -> str:
    return sqs.get_queue_url(QueueName=name)["QueueUrl"]


def moved(sqs: Any) -> int:
    *_, last = Redriver(SqsQueue(sqs, DEAD), SqsQueue(sqs, BELL)).redrive()
    return last.moved


def limited(engine: Engine, allowed: dict[str, list[str]]) -> Any:
    """A client that may do this on these queues, and nothing else."""
    iam, user = client(engine, "iam", engine.key.id, engine.key.secret), f"redriver-{next(_numbers)}"
    statements = [
        {"Effect": "Allow", "Action": [f"sqs:{action}" for action in actions], "Resource": f"arn:aws:sqs:*:*:{queue}"}
        for queue, actions in allowed.items()
    ]
    iam.create_user(UserName=user)
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=user, PolicyName="only", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return client(engine, "sqs", key["AccessKeyId"], key["SecretAccessKey"])


def client(engine: Engine, service: str, key: str, secret: str) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=engine.url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
