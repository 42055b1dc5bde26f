"""Takes a stage down. What holds the owner's data goes only when the caller says so.

Kept data keeps its stack: CloudFormation would leave table and bucket behind well enough, but then no later stack of
that name could be made around them without work by hand. A stack that nobody uses costs what its bytes cost.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from webnn.errors import Invalid, Unavailable
from webnn.stack.calls import Progress, answered, code_of, silent
from webnn.stack.events import status_of
from webnn.stack.outputs import StackClients, find_stack, stack_name, stage_buckets

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

# As many as one DeleteObjects takes.
BATCH = 1000
ABSENT = {"NoSuchBucket", "ResourceNotFoundException", "ParameterNotFound"}


def delete(
    clients: StackClients,
    stage: str,
    polls: Iterable[object],
    on_progress: Progress = silent,
    *,
    keep_data: bool,
) -> None:
    """Takes the site down, and the rest too; what is already gone is fine, so after an interruption run it again.

    Args:
        clients: Of the engine or the account that the stage lives in.
        stage: Its name.
        polls: Yields once before each look at the work and paces the looks; when it ends, so does the patience.
        on_progress: Told each thing that goes, in a line.
        keep_data: True takes only the site's pages away: no visitor comes, and `create_or_update` brings all back.
            False destroys everything, and there is no way back.

    Raises:
        Invalid: CloudFormation could not delete the stack.
        Conflict: Another change of the stack is under way.
        Unavailable: The engine did not answer, or the polls ended first.
    """
    with answered(f"delete stage {stage}"):
        # CloudFormation deletes no bucket that has something in it.
        for site in stage_buckets(clients.s3, stage, "site"):
            _empty(clients.s3, site, on_progress)
        if keep_data:
            return
        looks = iter(polls)
        _delete_stack(clients, stage, looks, on_progress)
        _delete_data(clients, stage, looks, on_progress)


def _delete_stack(clients: StackClients, stage: str, polls: Iterator[object], on_progress: Progress) -> None:
    name = stack_name(stage)
    found = find_stack(clients.cloudformation, name)
    if found is None:
        return
    clients.cloudformation.delete_stack(StackName=name)
    for _ in polls:
        # By id: a deleted stack has lost its name.
        status = status_of(clients.cloudformation, found.get("StackId", name))
        if status == "DELETE_COMPLETE":
            on_progress(f"{name} deleted")
            return
        if not status.endswith("_IN_PROGRESS"):
            raise Invalid(f"{name} ended {status}", status=status)
    raise Unavailable(f"{name} is still being deleted; run this again to see its end")


def _delete_data(clients: StackClients, stage: str, polls: Iterator[object], on_progress: Progress) -> None:
    """Deletes what CloudFormation was told to leave, and has left on engines that heed that."""
    for bucket in stage_buckets(clients.s3, stage, "data"):
        _empty(clients.s3, bucket, on_progress)
        _unless_absent(partial(clients.s3.delete_bucket, Bucket=bucket))
        on_progress(f"{bucket} deleted")
    _delete_table(clients.dynamodb, f"webnn-{stage}", polls)
    _unless_absent(partial(clients.ssm.delete_parameter, Name=f"/webnn/{stage}/token-secret"))
    on_progress(f"rows and secret of {stage} deleted")


def _delete_table(dynamodb: "DynamoDBClient", table: str, polls: Iterator[object]) -> None:
    _unless_absent(partial(dynamodb.delete_table, TableName=table))
    for _ in polls:
        # Its name is taken until it is gone.
        if not _unless_absent(partial(dynamodb.describe_table, TableName=table)):
            return
    raise Unavailable(f"{table} is still being deleted; run this again to see its end")


def _empty(s3: "S3Client", bucket: str, on_progress: Progress) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": BATCH})
    for page in pages:
        keys: list[ObjectIdentifierTypeDef] = [{"Key": found["Key"]} for found in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            on_progress(f"{bucket}: {len(keys)} objects deleted")


def _unless_absent(call: Callable[[], object]) -> bool:
    """Makes the call and says whether what it is about was there."""
    try:
        call()
    except ClientError as error:
        if code_of(error) not in ABSENT:
            raise
        return False
    return True
