"""What managing a stage needs, and what it leaves behind."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from webnn.errors import Missing
from webnn.stack.calls import answered, code_of

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True, slots=True)
class StackClients:
    """The AWS clients that managing a stage takes, all of one account and region."""

    cloudformation: "CloudFormationClient"
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    ssm: "SSMClient"


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """The names of a stage's parts.

    Attributes:
        bucket: The data bucket.
        site: The site bucket.
        queue_arn: Of the doorbell; so is `queue_url`.
    """

    stage: str
    table: str
    bucket: str
    site: str
    queue_url: str
    queue_arn: str
    dead_queue_url: str


def stack_name(stage: str) -> str:
    """What CloudFormation knows the stage by."""
    return f"webnn-{stage}"


def read_outputs(cloudformation: "CloudFormationClient", stage: str) -> StackOutputs:
    """The parts of a stage that exists.

    Raises:
        Missing: There is no such stage, or its creation is not complete.
    """
    stack = find_stack(cloudformation, stack_name(stage))
    found = {} if stack is None else {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    if "Table" not in found:
        raise Missing(f"stage {stage!r} has no complete stack: create it first", stage=stage)
    return StackOutputs(
        stage=stage,
        table=found["Table"],
        bucket=found["DataBucket"],
        site=found["SiteBucket"],
        queue_url=found["QueueUrl"],
        queue_arn=found["QueueArn"],
        dead_queue_url=found["DeadQueueUrl"],
    )


def find_stack(cloudformation: "CloudFormationClient", name: str) -> "StackTypeDef | None":
    """The stack of this name or id, None if there is none."""
    with answered(f"look for stack {name}"):
        try:
            return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            # Absence comes as a fault of the request, told from the others by its text.
            if code_of(error) == "ValidationError" and "does not exist" in error.response["Error"]["Message"]:
                return None
            raise


def stage_buckets(s3: "S3Client", stage: str, kind: str) -> list[str]:
    """The stage's buckets of a kind, `data` or `site`, found by name, for they may have outlived their stack."""
    own = re.compile(rf"webnn-{re.escape(stage)}-{kind}-\d{{12}}")
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if own.fullmatch(bucket["Name"])]
