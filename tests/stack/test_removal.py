"""Taking a stage down: with its data, and without."""

from collections.abc import Iterable

import pytest
from botocore.exceptions import ClientError

from webnn.errors import Missing
from webnn.stack import StackClients, StackOutputs, create_or_update, delete, read_outputs

SECRET = "5a" * 32


@pytest.fixture
def used(clients: StackClients, template: str, polls: Iterable[object], request: pytest.FixtureRequest) -> StackOutputs:
    """A stage with something in every part."""
    made = create_or_update(clients, request.param, template, SECRET, polls)
    clients.s3.put_object(Bucket=made.bucket, Key="shards/a.bin", Body=b"data")
    clients.s3.put_object(Bucket=made.site, Key="index.html", Body=b"page")
    clients.dynamodb.put_item(TableName=made.table, Item={"run": {"S": "r"}, "item": {"S": "head"}})
    return made


@pytest.mark.parametrize("used", ["erased"], indirect=True)
def test_nothing_is_left_of_a_stage_that_goes_with_its_data(
    clients: StackClients, used: StackOutputs, polls: Iterable[object]
) -> None:
    delete(clients, "erased", polls, keep_data=False)
    with pytest.raises(Missing):
        read_outputs(clients.cloudformation, "erased")
    assert not {used.bucket, used.site} & buckets(clients)
    assert used.table not in clients.dynamodb.list_tables()["TableNames"]
    assert not clients.ssm.get_parameters_by_path(Path="/webnn/erased/")["Parameters"]


@pytest.mark.parametrize("used", ["resting"], indirect=True)
def test_a_stage_that_keeps_its_data_loses_its_pages_and_comes_back_whole(
    clients: StackClients, used: StackOutputs, template: str, polls: Iterable[object]
) -> None:
    for _ in range(2):
        delete(clients, "resting", polls, keep_data=True)
    assert clients.s3.list_objects_v2(Bucket=used.site)["KeyCount"] == 0
    assert clients.s3.get_object(Bucket=used.bucket, Key="shards/a.bin")["Body"].read() == b"data"
    told: list[str] = []
    assert create_or_update(clients, "resting", template, SECRET, polls, told.append) == used
    assert told == ["webnn-resting is up to date"]
    assert clients.dynamodb.scan(TableName=used.table)["Count"] == 1


@pytest.mark.parametrize("used", ["again"], indirect=True)
def test_deleting_what_is_gone_is_fine_and_the_name_is_free_again(
    clients: StackClients, used: StackOutputs, template: str, polls: Iterable[object]
) -> None:
    for _ in range(2):
        delete(clients, "again", polls, keep_data=False)
    assert create_or_update(clients, "again", template, SECRET, polls) == used
    with pytest.raises(ClientError):
        clients.s3.get_object(Bucket=used.bucket, Key="shards/a.bin")


def test_a_stage_whose_name_begins_alike_is_left_alone(
    clients: StackClients, template: str, polls: Iterable[object]
) -> None:
    for name in ("alike", "alikeness"):
        create_or_update(clients, name, template, SECRET, polls)
    delete(clients, "alike", polls, keep_data=False)
    assert read_outputs(clients.cloudformation, "alikeness").bucket in buckets(clients)


def buckets(clients: StackClients) -> set[str]:
    return {bucket["Name"] for bucket in clients.s3.list_buckets()["Buckets"]}
