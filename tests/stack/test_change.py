"""Creating and updating a stage: one command, any number of times."""

from collections.abc import Iterable
from typing import Any

import pytest
from botocore.config import Config
from botocore.session import Session

from webnn.errors import Invalid, Missing, Unavailable
from webnn.settings import Environment, settings
from webnn.stack import StackClients, create_or_update, read_outputs

NOTHING_BUT_A_PARAMETER = """
Parameters: {Stage: {Type: String}}
Resources:
  One: {Type: AWS::SSM::Parameter, Properties: {Name: !Sub "/webnn/${Stage}/one", Type: String, Value: x}}
"""
SECRET, ANOTHER = "5a" * 32, "b0" * 32
ONE_MORE = """
  Another:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub "/webnn/${Stage}/another", Type: String, Value: added}

Outputs:"""


def test_the_second_time_nothing_happens(clients: StackClients, template: str, polls: Iterable[object]) -> None:
    first, second = [], []
    made = create_or_update(clients, "twice", template, SECRET, polls, first.append)
    again = create_or_update(clients, "twice", template, ANOTHER, polls, second.append)
    assert made == again == read_outputs(clients.cloudformation, "twice")
    assert "webnn-twice CREATE_COMPLETE" in first
    assert second == ["webnn-twice is up to date"]


def test_a_function_finds_all_it_needs(clients: StackClients, template: str, polls: Iterable[object]) -> None:
    made = create_or_update(clients, "found", template, SECRET, polls)
    create_or_update(clients, "found", template, ANOTHER, polls)
    found = settings(Environment("found", "us-east-1", None), clients.ssm)
    assert (found.table, found.bucket, found.site, found.queue_url) == (
        made.table,
        made.bucket,
        made.site,
        made.queue_url,
    )
    assert found.token_secret == SECRET, "the secret of the first time stays"


def test_a_changed_template_changes_the_stage_and_keeps_its_data(
    clients: StackClients, template: str, polls: Iterable[object]
) -> None:
    made = create_or_update(clients, "changed", template, SECRET, polls)
    clients.s3.put_object(Bucket=made.bucket, Key="shards/kept.bin", Body=b"kept")
    told: list[str] = []
    assert (
        create_or_update(clients, "changed", template.replace("\nOutputs:", ONE_MORE), SECRET, polls, told.append)
        == made
    )
    assert clients.ssm.get_parameter(Name="/webnn/changed/another")["Parameter"]["Value"] == "added"
    assert clients.s3.get_object(Bucket=made.bucket, Key="shards/kept.bin")["Body"].read() == b"kept"
    assert told[-1] == "webnn-changed UPDATE_COMPLETE"
    assert not [line for line in told if "CREATE_COMPLETE" in line and not line.startswith("Another")]


def test_a_secret_that_is_too_short_is_refused_before_anything_is_made(
    clients: StackClients, template: str, polls: Iterable[object]
) -> None:
    for weak in ("5a" * 31, "", "not hexadecimal at all, but long enough for it, as anybody sees"):
        with pytest.raises(Invalid, match="secret"):
            create_or_update(clients, "weak", template, weak, polls)
    with pytest.raises(Missing):
        read_outputs(clients.cloudformation, "weak")


def test_patience_ends_and_running_it_again_waits_for_what_was_begun_and_finishes(
    clients: StackClients, template: str, polls: Iterable[object]
) -> None:
    with pytest.raises(Unavailable, match="run this again"):
        create_or_update(clients, "patience", template, SECRET, [])
    made = create_or_update(clients, "patience", template, SECRET, polls)
    assert settings(Environment("patience", "us-east-1", None), clients.ssm).bucket == made.bucket


def test_an_incomplete_stage_is_missing(clients: StackClients, polls: Iterable[object]) -> None:
    with pytest.raises(Missing, match="create it first"):
        create_or_update(clients, "partial", NOTHING_BUT_A_PARAMETER, SECRET, polls)
    assert clients.ssm.get_parameter(Name="/webnn/partial/one")["Parameter"]["Value"] == "x"


def test_a_silent_engine_is_unavailable(template: str, polls: Iterable[object]) -> None:
    gone: Any = {"region_name": "us-east-1", "endpoint_url": "http://127.0.0.1:9"}
    gone |= {
        "aws_access_key_id": "x",
        "aws_secret_access_key": "x",
        "config": Config(retries={"total_max_attempts": 1}),
    }
    clients = StackClients(
        *(Session().create_client(name, **gone) for name in ("cloudformation", "dynamodb", "s3", "ssm"))
    )
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        create_or_update(clients, "gone", template, SECRET, polls)


def test_no_credentials_is_the_callers_fault(template: str, polls: Iterable[object]) -> None:
    empty = Session(dict.fromkeys(("config_file", "credentials_file"), (None, None, "/dev/null", None)))
    empty.get_component("credential_provider").providers.clear()
    told: Any = {"region_name": "us-east-1", "endpoint_url": "http://127.0.0.1:9"}
    clients = StackClients(*(empty.create_client(name, **told) for name in ("cloudformation", "dynamodb", "s3", "ssm")))
    with pytest.raises(Invalid, match="credentials"):
        create_or_update(clients, "nobody", template, SECRET, polls)
