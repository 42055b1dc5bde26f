"""What is found out of a stage, and which command mends it: asked of every engine."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from queues import MemoryQueue

from webnn.errors import Missing, Unavailable
from webnn.finding import Finding
from webnn.settings import Environment
from webnn.stack import StackClients, StackOutputs
from webnn.stack.health import Looking, stage
from webnn.store.queues import Queue

FREE = "aws cloudformation"
REMAKE = "webnn deploy --stage looked"
ANSWERS = {"index.html": b"<html>", "config.json": b'{"api": "http://api"}', "runs": b'{"runs": []}'}


def answers(url: str) -> bytes:
    return ANSWERS[url.rpartition("/")[2]]


@pytest.fixture
def looking(aws: Callable[[str], Any], clients: StackClients, standing: StackOutputs, engine: Any) -> Looking:
    told = engine.environment()
    where = Environment("looked", told["AWS_DEFAULT_REGION"], told["AWS_ENDPOINT_URL"])
    now = time.time_ns() // 1_000_000
    return Looking(where, clients, aws("sts"), MemoryQueue, answers, lambda: now, REMAKE)


def found(looking: Looking) -> dict[str, Finding]:
    return {one.what: one for one in stage(looking)}


def wrong(looking: Looking) -> list[tuple[str, str, str | None]]:
    return [(one.what, one.state, one.mend) for one in stage(looking) if one.state != "ok"]


def test_a_stage_that_is_well_is_found_well_and_left_as_it_was(looking: Looking, standing: StackOutputs) -> None:
    for _ in range(2):
        assert wrong(looking) == []
    whats = ["credentials", "clock", "stack", "stack's outputs", "parameters", "dead letters", "table", "data bucket"]
    assert [what for what in found(looking) if what != "clock"] == [*whats[:1], *whats[2:], "page and API"]
    assert looking.clients.s3.list_objects_v2(Bucket=standing.bucket, Prefix="doctor/")["KeyCount"] == 0


def test_of_a_stage_that_is_not_there_that_is_said_and_nothing_else(looking: Looking) -> None:
    absent = replace(looking, where=Environment("absent", "us-east-1", looking.where.endpoint_url), remake="make it")
    assert wrong(absent) == [("stack", "fail", "make it")]
    assert list(found(absent))[-1] == "stack"


def test_dead_letters_are_told_with_what_puts_them_back(looking: Looking) -> None:
    dead = replace(looking, dead=lambda: MemoryQueue("a", "b"))
    assert wrong(dead) == [("dead letters", "warn", "webnn redrive --stage looked")]


def test_a_queue_that_is_gone_fails(looking: Looking) -> None:
    def gone() -> Queue:
        raise Missing("there is no queue webnn-looked-dead: create its stack first")

    assert wrong(replace(looking, dead=gone)) == [("dead letters", "fail", REMAKE)]


def test_a_parameter_that_is_gone_fails(looking: Looking) -> None:
    path = "/webnn/looked/queue-url"
    value = looking.clients.ssm.get_parameter(Name=path)["Parameter"]["Value"]
    looking.clients.ssm.delete_parameter(Name=path)
    try:
        assert wrong(looking) == [("parameters", "fail", REMAKE)]
        assert "queue-url" in found(looking)["parameters"].said
    finally:
        looking.clients.ssm.put_parameter(Name=path, Value=value, Type="String")


@pytest.mark.parametrize("away", ["index.html", "config.json", "runs"])
def test_a_page_or_an_api_that_does_not_answer_fails(looking: Looking, away: str) -> None:
    def get(url: str) -> bytes:
        if url.endswith(away):
            raise Unavailable(f"{url} answers with 403")
        return answers(url)

    assert wrong(replace(looking, get=get)) == [("page and API", "fail", REMAKE)]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_an_api_that_answers_with_something_else_fails(looking: Looking, body: bytes) -> None:
    silly = replace(looking, get=lambda url: body if url.endswith("runs") else answers(url))
    assert wrong(silly) == [("page and API", "fail", REMAKE)]


@pytest.mark.parametrize(("call", "what"), [("put_object", "data bucket"), ("delete_object", "data bucket")])
def test_a_bucket_that_may_not_be_written_to_fails(looking: Looking, call: str, what: str) -> None:
    class Refusing:
        meta = looking.clients.s3.meta

        def __getattr__(self, name: str) -> Any:
            def refuse(**_: Any) -> None:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

            return refuse if name == call else getattr(looking.clients.s3, name)

    limited: Any = replace(looking.clients, s3=Refusing())
    assert wrong(replace(looking, clients=limited)) == [(what, "fail", REMAKE)]


class Sts:
    """Answers, or refuses, with a date."""

    def __init__(self, date: str | None, error: Exception | None = None) -> None:
        self._date = date
        self._error = error

    def get_caller_identity(self) -> dict[str, Any]:
        if self._error:
            raise self._error
        return {"Arn": "arn:x", "ResponseMetadata": {"HTTPHeaders": {"date": self._date} if self._date else {}}}


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, "ok"), (59, "ok"), (61, "warn"), (-61, "warn"), (271, "fail"), (-271, "fail")]
)
def test_a_clock_that_is_off_is_told(looking: Looking, seconds: int, state: str) -> None:
    at = 1_700_000_000_000 + 1000 * seconds
    off = replace(looking, sts=Sts("Tue, 14 Nov 2023 22:13:20 GMT"), clock=lambda: at)
    assert found(off)["clock"].state == state
    assert ("stack" in found(off)) == (state != "fail")


def test_an_engine_that_tells_no_time_is_believed(looking: Looking) -> None:
    assert "clock" not in found(replace(looking, sts=Sts(None)))


def test_credentials_that_are_refused_end_the_look_and_the_clock_is_told_all_the_same(looking: Looking) -> None:
    response: Any = {
        "Error": {"Code": "SignatureDoesNotMatch", "Message": "Signature expired"},
        "ResponseMetadata": {"HTTPHeaders": {"date": "Tue, 14 Nov 2023 22:13:20 GMT"}},
    }
    refused = replace(looking, sts=Sts(None, ClientError(response, "GetCallerIdentity")), clock=lambda: 0)
    assert wrong(refused) == [
        ("credentials", "fail", REMAKE),
        ("clock", "fail", "sudo timedatectl set-ntp true"),
    ]


def test_without_an_answer_that_is_said_once(looking: Looking) -> None:
    aws_itself = Environment("looked", "us-east-1", None)
    away = replace(looking, where=aws_itself, sts=Sts(None, EndpointConnectionError(endpoint_url="http://x")))
    assert wrong(away) == [("credentials", "fail", "aws configure")]


@pytest.mark.parametrize(
    ("status", "state", "mend"),
    [
        ("UPDATE_COMPLETE", "ok", None),
        ("UPDATE_IN_PROGRESS", "warn", "aws cloudformation describe-stack-events --stack-name webnn-looked"),
        ("UPDATE_ROLLBACK_FAILED", "fail", f"{FREE} continue-update-rollback --stack-name webnn-looked && {REMAKE}"),
        ("ROLLBACK_COMPLETE", "fail", f"{FREE} delete-stack --stack-name webnn-looked && {REMAKE}"),
    ],
)
def test_a_stack_that_is_stuck_is_told_with_what_frees_it(
    looking: Looking, status: str, state: str, mend: str | None
) -> None:
    class Stuck:
        def describe_stacks(self, **words: Any) -> Any:
            (found,) = looking.clients.cloudformation.describe_stacks(**words)["Stacks"]
            return {"Stacks": [{**found, "StackStatus": status}]}

    stuck: Any = replace(looking.clients, cloudformation=Stuck())
    one = found(replace(looking, clients=stuck))["stack"]
    assert (one.state, one.mend) == (state, mend)
