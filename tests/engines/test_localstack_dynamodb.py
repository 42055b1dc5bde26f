"""What the commit takes for granted of DynamoDB, asked of AWS's own engine through LocalStack."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localstack.clients import Clients
from webnn.local.engine import Engine

pytestmark = pytest.mark.localstack

TABLE = "localstack-facts"
THREADS, ATTEMPTS = 16, 12
# The head, the ledger entry and 95 updates.
LARGEST_COMMIT = 97
HASH = {"AttributeName": "run", "KeyType": "HASH"}
INDEXES = (("pending", "S", "ALL"), ("seen", "N", "KEYS_ONLY"))


@pytest.fixture(scope="module")
def dynamodb(localstack_clients: Clients) -> Any:
    client = localstack_clients("dynamodb")
    attributes = [("run", "S"), ("item", "S"), *((name, kind) for name, kind, _ in INDEXES)]
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in attributes],
        KeySchema=[HASH, {"AttributeName": "item", "KeyType": "RANGE"}],
        LocalSecondaryIndexes=[
            {
                "IndexName": name,
                "KeySchema": [HASH, {"AttributeName": name, "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": projection},
            }
            for name, _, projection in INDEXES
        ],
    )
    return client


def key(run: str, item: str) -> dict[str, Any]:
    return {"run": {"S": run}, "item": {"S": item}}


def put(run: str, item: str, **rest: dict[str, str]) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {**key(run, item), **rest}}}


def move(run: str, item: str, base: int) -> dict[str, Any]:
    """From exactly this version to the next."""
    return {
        "Update": {
            "TableName": TABLE,
            "Key": key(run, item),
            "UpdateExpression": "SET version = :new",
            "ConditionExpression": "version = :base",
            "ExpressionAttributeValues": {":base": {"N": str(base)}, ":new": {"N": str(base + 1)}},
        }
    }


def add(run: str, item: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": key(run, item),
            "UpdateExpression": "ADD version :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def version(dynamodb: Any, run: str, item: str) -> int:
    return int(dynamodb.get_item(TableName=TABLE, Key=key(run, item), ConsistentRead=True)["Item"]["version"]["N"])


def items(dynamodb: Any, run: str, **how: Any) -> list[str]:
    answer = dynamodb.query(
        TableName=TABLE,
        ConsistentRead=True,
        KeyConditionExpression="run = :run",
        ExpressionAttributeValues={":run": {"S": run}},
        **how,
    )
    return [item["item"]["S"] for item in answer["Items"]]


def reasons(error: ClientError) -> list[str]:
    return [reason["Code"] for reason in error.response["CancellationReasons"]]


def test_the_engine_that_answers_is_named(localstack: Engine, dynamodb: Any) -> None:
    """DynamoDB Local has no tags for its tables; MiniStack has no limits to describe."""
    assert localstack.versions["dynamodb"].startswith(("DynamoDB Local 2.", "MiniStack 1."))
    arn = dynamodb.describe_table(TableName=TABLE)["Table"]["TableArn"]
    assert arn == f"arn:aws:dynamodb:us-east-1:000000000000:table/{TABLE}"


@pytest.mark.parametrize(("name", "projection"), [(name, projection) for name, _, projection in INDEXES])
def test_a_local_index_is_sparse_ordered_and_read_consistently(dynamodb: Any, name: str, projection: str) -> None:
    kind = "S" if name == "pending" else "N"
    run = f"sparse-{name}"
    for item, rest in (("a", {name: {kind: "20"}}), ("b", {}), ("c", {name: {kind: "10"}})):
        dynamodb.put_item(**put(run, item, size={"N": "1"}, **rest)["Put"])
    assert items(dynamodb, run, IndexName=name) == ["c", "a"]
    dynamodb.update_item(TableName=TABLE, Key=key(run, "c"), UpdateExpression=f"REMOVE {name}")
    assert items(dynamodb, run, IndexName=name) == ["a"]
    (found,) = dynamodb.query(
        TableName=TABLE,
        IndexName=name,
        KeyConditionExpression="run = :run",
        ExpressionAttributeValues={":run": {"S": run}},
    )["Items"]
    assert ("size" in found) == (projection == "ALL")


def test_the_largest_commit_lands_whole(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[put("large", f"update#{n:03d}") for n in range(LARGEST_COMMIT)])
    assert len(items(dynamodb, "large")) == LARGEST_COMMIT


def test_one_refusal_writes_nothing_and_names_itself(dynamodb: Any) -> None:
    dynamodb.put_item(**put("refused", "head", version={"N": "7"})["Put"])
    others = [put("refused", f"update#{n:03d}") for n in range(LARGEST_COMMIT - 1)]
    with pytest.raises(ClientError) as refusal:
        dynamodb.transact_write_items(TransactItems=[*others, move("refused", "head", base=6)])
    assert refusal.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert reasons(refusal.value) == ["None"] * (LARGEST_COMMIT - 1) + ["ConditionalCheckFailed"]
    assert items(dynamodb, "refused") == ["head"]


def test_a_repeat_with_the_same_token_writes_once(dynamodb: Any) -> None:
    for _ in range(3):
        dynamodb.transact_write_items(TransactItems=[add("token", "counter")], ClientRequestToken="attempt-1")
    assert version(dynamodb, "token", "counter") == 1
    changed = [add("token", "counter"), put("token", "more")]
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        dynamodb.transact_write_items(TransactItems=changed, ClientRequestToken="attempt-1")
    assert items(dynamodb, "token") == ["counter"]


def test_a_hundred_and_one_items_are_too_many(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=[put("many", f"update#{n:03d}") for n in range(101)])
    assert items(dynamodb, "many") == []


def test_the_same_row_twice_in_a_transaction_is_refused(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=[put("same", "head"), add("same", "head")])
    assert items(dynamodb, "same") == []


def test_racing_commits_lose_nothing_and_tear_nothing(dynamodb: Any) -> None:
    """Two rows that only ever move together: what won is what both say, and every refusal is one of the two."""
    for item in ("head", "twin"):
        dynamodb.put_item(**put("race", item, version={"N": "0"})["Put"])

    def race(_: int) -> list[str]:
        outcomes = []
        for _ in range(ATTEMPTS):
            base = version(dynamodb, "race", "head")
            outcomes.append(attempt(dynamodb, [move("race", "head", base), move("race", "twin", base)]))
        return outcomes

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(outcome for found in pool.map(race, range(THREADS)) for outcome in found)
    assert sum(outcomes.values()) == THREADS * ATTEMPTS
    assert outcomes["won"] == version(dynamodb, "race", "head") == version(dynamodb, "race", "twin") > 0
    assert outcomes["won"] < THREADS * ATTEMPTS, "nobody raced"
    assert set(outcomes) <= {"won", "ConditionalCheckFailed", "TransactionConflict"}


def test_racing_repeats_of_one_attempt_count_once(dynamodb: Any) -> None:
    """What a client does that lost the answer, done by all threads at once."""

    def repeat(_: int) -> str:
        try:
            dynamodb.transact_write_items(TransactItems=[add("once", "counter")], ClientRequestToken="attempt-2")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "done"

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(pool.map(repeat, range(THREADS)))
    assert outcomes["done"] > 0
    assert version(dynamodb, "once", "counter") == 1, outcomes


def attempt(dynamodb: Any, changes: list[dict[str, Any]]) -> str:
    try:
        dynamodb.transact_write_items(TransactItems=changes)
    except ClientError as error:
        return next(reason for reason in reasons(error) if reason != "None")
    return "won"
