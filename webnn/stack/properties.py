"""Looks whether a stage's parts have what matters, and sets what they lack.

On AWS the template has already set all of it, and nothing happens here. The CloudFormation of an engine may leave
properties out without a word: MiniStack 1.5.33 does so with the lifecycle rules and the point-in-time recovery,
LocalStack 4.9.2 with these and with the site bucket's block on public access. The values are the template's; a test
holds the two against each other.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from webnn.stack.calls import Progress, code_of
from webnn.stack.outputs import StackClients, StackOutputs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import LifecycleRuleTypeDef, PublicAccessBlockConfigurationTypeDef

LIFECYCLE: "LifecycleRuleTypeDef" = {
    "ID": "abort-incomplete-uploads",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}
CLOSED: "PublicAccessBlockConfigurationTypeDef" = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": True,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": True,
}
# Public by policy alone, never by access lists.
PAGES: "PublicAccessBlockConfigurationTypeDef" = {
    "BlockPublicAcls": True,
    "BlockPublicPolicy": False,
    "IgnorePublicAcls": True,
    "RestrictPublicBuckets": False,
}


def ensure_properties(clients: StackClients, outputs: StackOutputs, on_progress: Progress) -> None:
    """Sets what the engine's CloudFormation left out."""
    _ensure_recovery(clients.dynamodb, outputs.table, on_progress)
    _ensure_lifecycle(clients.s3, outputs.bucket, on_progress)
    _ensure_public_access(clients.s3, outputs.bucket, CLOSED, on_progress)
    _ensure_public_access(clients.s3, outputs.site, PAGES, on_progress)


def _ensure_recovery(dynamodb: "DynamoDBClient", table: str, on_progress: Progress) -> None:
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    if backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED":
        return
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    on_progress(f"{table}: point-in-time recovery set")


def _ensure_lifecycle(s3: "S3Client", bucket: str, on_progress: Progress) -> None:
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if code_of(error) != "NoSuchLifecycleConfiguration":
            raise
        rules = []
    if any(rule.get("ID") == LIFECYCLE["ID"] for rule in rules):
        return
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [*rules, LIFECYCLE]})
    on_progress(f"{bucket}: lifecycle rule set")


def _ensure_public_access(
    s3: "S3Client", bucket: str, wanted: "PublicAccessBlockConfigurationTypeDef", on_progress: Progress
) -> None:
    try:
        found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if code_of(error) != "NoSuchPublicAccessBlockConfiguration":
            raise
        found = {}
    if found == wanted:
        return
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted)
    on_progress(f"{bucket}: public access block set")
