"""What the commit takes for granted of DynamoDB, on the embedded engine: all or nothing, and no lost writes."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

TABLE = "facts"
THREADS, ROUNDS = 16, 12
# The head, the ledger entry and 95 updates.
LARGEST_COMMIT = 97


@pytest.fixture(scope="module")
def dynamodb(aws: Any) -> Any:
    client = aws("dynamodb")
    key = {"AttributeName": "run", "KeyType": "HASH"}
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "run", "AttributeType": "S"},
            {"AttributeName": "item", "AttributeType": "S"},
            {"AttributeName": "pending", "AttributeType": "S"},
        ],
        KeySchema=[key, {"AttributeName": "item", "KeyType": "RANGE"}],
        LocalSecondaryIndexes=[
            {
                "IndexName": "pending",
                "KeySchema": [key, {"AttributeName": "pending", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    return client


def put(run: str, item: str, **rest: dict[str, str]) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": {"run": {"S": run}, "item": {"S": item}, **rest}}}


def move(run: str, item: str, base: int) -> dict[str, Any]:
    """From exactly this version to the next."""
    return {
        "Update": {
            "TableName": TABLE,
            "Key": {"run": {"S": run}, "item": {"S": item}},
            "UpdateExpression": "SET version = :new",
            "ConditionExpression": "version = :base",
            "ExpressionAttributeValues": {":base": {"N": str(base)}, ":new": {"N": str(base + 1)}},
        }
    }


def version(dynamodb: Any, run: str, item: str) -> int:
    key = {"run": {"S": run}, "item": {"S": item}}
    return int(dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"]["version"]["N"])


def reasons(error: ClientError) -> list[str]:
    return [reason["Code"] for reason in error.response["CancellationReasons"]]


def test_a_local_index_is_sparse_and_read_consistently(dynamodb: Any) -> None:
    for name, rest in (("a", {"pending": {"S": "2"}}), ("b", {}), ("c", {"pending": {"S": "1"}})):
        dynamodb.put_item(**put("sparse", name, **rest)["Put"])
    assert waiting(dynamodb, "sparse") == ["c", "a"]
    dynamodb.update_item(
        TableName=TABLE, Key={"run": {"S": "sparse"}, "item": {"S": "c"}}, UpdateExpression="REMOVE pending"
    )
    assert waiting(dynamodb, "sparse") == ["a"]


def test_the_largest_commit_lands_whole(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[put("large", f"update#{n:03d}") for n in range(LARGEST_COMMIT)])
    assert count(dynamodb, "large") == LARGEST_COMMIT


def test_one_refusal_writes_nothing_and_names_itself(dynamodb: Any) -> None:
    dynamodb.put_item(**put("refused", "head", version={"N": "7"})["Put"])
    items = [put("refused", f"update#{n:03d}") for n in range(LARGEST_COMMIT - 1)]
    with pytest.raises(ClientError) as refusal:
        dynamodb.transact_write_items(TransactItems=[*items, move("refused", "head", base=6)])
    assert refusal.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert reasons(refusal.value) == ["None"] * (LARGEST_COMMIT - 1) + ["ConditionalCheckFailed"]
    assert count(dynamodb, "refused") == 1


def test_a_repeat_with_the_same_token_writes_once(dynamodb: Any) -> None:
    add = {
        "Update": {
            "TableName": TABLE,
            "Key": {"run": {"S": "token"}, "item": {"S": "counter"}},
            "UpdateExpression": "ADD version :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }
    for _ in range(3):
        dynamodb.transact_write_items(TransactItems=[add], ClientRequestToken="attempt-1")
    assert version(dynamodb, "token", "counter") == 1
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        dynamodb.transact_write_items(TransactItems=[add, put("token", "more")], ClientRequestToken="attempt-1")


def test_a_hundred_and_one_items_are_too_many(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=[put("many", f"update#{n:03d}") for n in range(101)])
    assert count(dynamodb, "many") == 0


def test_racing_commits_lose_nothing_and_tear_nothing(dynamodb: Any) -> None:
    """Two rows that only ever move together: what won is what both say, and every refusal is one of the two."""
    for item in ("head", "twin"):
        dynamodb.put_item(**put("race", item, version={"N": "0"})["Put"])

    def race(_: int) -> list[str]:
        outcomes = []
        for _ in range(ROUNDS):
            base = version(dynamodb, "race", "head")
            outcomes.append(attempt(dynamodb, [move("race", "head", base), move("race", "twin", base)]))
        return outcomes

    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = Counter(outcome for found in pool.map(race, range(THREADS)) for outcome in found)
    assert sum(outcomes.values()) == THREADS * ROUNDS
    assert outcomes["won"] == version(dynamodb, "race", "head") == version(dynamodb, "race", "twin") > 0
    assert outcomes["won"] < THREADS * ROUNDS, "nobody raced"
    assert set(outcomes) <= {"won", "ConditionalCheckFailed", "TransactionConflict"}


def attempt(dynamodb: Any, items: list[dict[str, Any]]) -> str:
    try:
        dynamodb.transact_write_items(TransactItems=items)
    except ClientError as error:
        return next(reason for reason in reasons(error) if reason != "None")
    return "won"


def waiting(dynamodb: Any, run: str) -> list[str]:
    answer = dynamodb.query(
        TableName=TABLE,
        IndexName="pending",
        ConsistentRead=True,
        KeyConditionExpression="run = :run",
        ExpressionAttributeValues={":run": {"S": run}},
    )
    return [item["item"]["S"] for item in answer["Items"]]


def count(dynamodb: Any, run: str) -> int:
    return dynamodb.query(
        TableName=TABLE,
        ConsistentRead=True,
        Select="COUNT",
        KeyConditionExpression="run = :run",
        ExpressionAttributeValues={":run": {"S": run}},
    )["Count"]
