"""What a stage's parts are, asked of the services themselves: no part is believed to be as the template says."""

import json
from pathlib import Path
from typing import Any

import pytest

from webnn.stack import StackClients, StackOutputs

CHALICE = Path(__file__).parents[2] / ".chalice" / "config.json"


def test_names_are_the_agreed_ones(standing: StackOutputs, aws: Any) -> None:
    account = aws("sts").get_caller_identity()["Account"]
    assert standing.table == "webnn-looked"
    assert standing.bucket == f"webnn-looked-data-{account}"
    assert standing.site == f"webnn-looked-site-{account}"
    assert standing.queue_url.endswith("/webnn-looked-doorbell")
    assert standing.dead_queue_url.endswith("/webnn-looked-dead")


def test_the_table_has_its_keys_and_local_indexes(clients: StackClients, standing: StackOutputs) -> None:
    table = clients.dynamodb.describe_table(TableName=standing.table)["Table"]
    assert keys(table) == ["run", "item"]
    assert {index["IndexName"]: (keys(index), index["Projection"]) for index in table["LocalSecondaryIndexes"]} == {
        "pending": (["run", "pending"], {"ProjectionType": "ALL"}),
        "seen": (["run", "seen_at"], {"ProjectionType": "KEYS_ONLY"}),
    }
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_rows_can_be_brought_back_from_any_second(clients: StackClients, standing: StackOutputs) -> None:
    backups = clients.dynamodb.describe_continuous_backups(TableName=standing.table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


@pytest.mark.parametrize(("bucket", "by_policy"), [("bucket", True), ("site", False)])
def test_nothing_becomes_public_by_accident(
    clients: StackClients, standing: StackOutputs, bucket: str, by_policy: bool
) -> None:
    found = clients.s3.get_public_access_block(Bucket=getattr(standing, bucket))["PublicAccessBlockConfiguration"]
    assert found == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": by_policy,
        "RestrictPublicBuckets": by_policy,
    }


@pytest.mark.parametrize("bucket", ["bucket", "site"])
def test_objects_are_encrypted_and_owned_by_the_bucket(
    clients: StackClients, standing: StackOutputs, bucket: str
) -> None:
    name = getattr(standing, bucket)
    (rule,) = clients.s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (owner,) = clients.s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert owner == {"ObjectOwnership": "BucketOwnerEnforced"}


def test_pages_of_any_origin_may_ask_the_data_bucket(clients: StackClients, standing: StackOutputs) -> None:
    (rule,) = clients.s3.get_bucket_cors(Bucket=standing.bucket)["CORSRules"]
    assert rule == {
        "AllowedOrigins": ["*"],
        "AllowedMethods": ["GET", "HEAD", "POST"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }


def test_uploads_that_nobody_finished_are_cleared(clients: StackClients, standing: StackOutputs) -> None:
    (rule,) = clients.s3.get_bucket_lifecycle_configuration(Bucket=standing.bucket)["Rules"]
    assert rule["Status"] == "Enabled"
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Expiration" not in rule, "an age rule cannot tell an orphan from the head"


def test_only_uploads_of_updates_ring(clients: StackClients, standing: StackOutputs) -> None:
    found = clients.s3.get_bucket_notification_configuration(Bucket=standing.bucket)
    (ring,) = found["QueueConfigurations"]
    assert ring["QueueArn"] == standing.queue_arn
    assert ring["Events"] == ["s3:ObjectCreated:*"]
    (rule,) = ring["Filter"]["Key"]["FilterRules"]
    assert (rule["Name"].lower(), rule["Value"]) == ("prefix", "updates/")
    assert not found.get("LambdaFunctionConfigurations")


def test_only_the_data_bucket_may_ring(aws: Any, standing: StackOutputs) -> None:
    (statement,) = json.loads(attributes(aws, standing.queue_url)["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"]["ArnEquals"] == {"aws:SourceArn": f"arn:aws:s3:::{standing.bucket}"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": standing.bucket.rpartition("-")[2]}


def test_the_doorbell_waits_for_the_merge_and_gives_up_in_the_end(aws: Any, standing: StackOutputs) -> None:
    merge = json.loads(CHALICE.read_text())["stages"]["prod"]["lambda_functions"]["merge"]
    found = attributes(aws, standing.queue_url)
    assert int(found["VisibilityTimeout"]) >= 6 * merge["lambda_timeout"]
    dead = attributes(aws, standing.dead_queue_url)
    policy = json.loads(found["RedrivePolicy"])
    assert (policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])) == (dead["QueueArn"], 5)
    assert int(dead["MessageRetentionPeriod"]) == 14 * 24 * 3600


def keys(described: Any) -> list[str]:
    return [key["AttributeName"] for key in described["KeySchema"]]


def attributes(aws: Any, queue_url: str) -> dict[str, str]:
    return aws("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
