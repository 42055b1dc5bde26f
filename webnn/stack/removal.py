"""Takes a stage down. What holds the owner's data goes only when the caller says so."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from webnn.errors import Invalid, Unavailable
from webnn.stack.calls import Progress, answered, code_of, silent
from webnn.stack.outputs import StackClients, find_stack, stack_name

if TYPE_CHECKING:
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
    """Removes the stage; what is already gone is fine, so after an interruption run it again.

    Args:
        clients: Of the engine or the account that the stage lives in.
        stage: Its name.
        polls: Yields once before each look at the work and paces the looks; when it ends, so does the patience.
        on_progress: Told each thing that goes, in a line.
        keep_data: True keeps the table, the data bucket and the token secret. False destroys them: no way back.

    Raises:
        Invalid: CloudFormation could not delete the stack.
        Conflict: Another change of the stack is under way.
        Unavailable: The engine did not answer, or the polls ended first.
    """
    with answered(f"delete stage {stage}"):
        # CloudFormation deletes no bucket that has something in it.
        for site in _buckets(clients.s3, stage, "site"):
            _empty(clients.s3, site, on_progress)
        _delete_stack(clients, stage, polls, on_progress)
        if not keep_data:
            _delete_data(clients, stage, on_progress)


def _delete_stack(clients: StackClients, stage: str, polls: Iterable[object], on_progress: Progress) -> None:
    name = stack_name(stage)
    found = find_stack(clients.cloudformation, name)
    if found is None:
        return
    clients.cloudformation.delete_stack(StackName=name)
    for _ in polls:
        # By id: a deleted stack has lost its name.
        stack = find_stack(clients.cloudformation, found.get("StackId", name))
        status = "DELETE_COMPLETE" if stack is None else stack["StackStatus"]
        if status == "DELETE_COMPLETE":
            on_progress(f"{name} deleted")
            return
        if not status.endswith("_IN_PROGRESS"):
            raise Invalid(f"{name} ended {status}", status=status)
    raise Unavailable(f"{name} is still being deleted; run this again to see its end")


def _delete_data(clients: StackClients, stage: str, on_progress: Progress) -> None:
    for bucket in _buckets(clients.s3, stage, "data"):
        _empty(clients.s3, bucket, on_progress)
        _unless_absent(partial(clients.s3.delete_bucket, Bucket=bucket))
        on_progress(f"{bucket} deleted")
    _unless_absent(partial(clients.dynamodb.delete_table, TableName=f"webnn-{stage}"))
    _unless_absent(partial(clients.ssm.delete_parameter, Name=f"/webnn/{stage}/token-secret"))
    on_progress(f"rows and secret of {stage} deleted")


def _buckets(s3: "S3Client", stage: str, kind: str) -> list[str]:
    """The stage's buckets of a kind, found by name, for they may have outlived their stack."""
    own = re.compile(rf"webnn-{re.escape(stage)}-{kind}-\d{{12}}")
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if own.fullmatch(bucket["Name"])]


def _empty(s3: "S3Client", bucket: str, on_progress: Progress) -> None:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": BATCH})
    for page in pages:
        keys: list[ObjectIdentifierTypeDef] = [{"Key": found["Key"]} for found in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
            on_progress(f"{bucket}: {len(keys)} objects deleted")


def _unless_absent(removal: Callable[[], object]) -> None:
    try:
        removal()
    except ClientError as error:
        if code_of(error) not in ABSENT:
            raise
