"""What CloudFormation tells of its work, as it goes and when it fails."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from webnn.stack.outputs import find_stack

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef


def status_of(cloudformation: "CloudFormationClient", stack: str) -> str:
    """The status of a stack that was there a moment ago, by id, or by name while it exists."""
    found = find_stack(cloudformation, stack)
    return "DELETE_COMPLETE" if found is None else found["StackStatus"]


def event_ids(cloudformation: "CloudFormationClient", name: str) -> set[str]:
    """The ids of the events so far; none if there is no such stack."""
    if find_stack(cloudformation, name) is None:
        return set()
    return {event["EventId"] for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]}


def news(cloudformation: "CloudFormationClient", stack_id: str, seen: set[str]) -> "list[StackEventTypeDef]":
    """The events that are not in `seen`, oldest first; `seen` knows them afterwards."""
    # One page is the newest hundred events; the whole stack makes fewer than that between two looks.
    page = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
    fresh = [event for event in reversed(page) if event["EventId"] not in seen]
    seen.update(event["EventId"] for event in fresh)
    return fresh


def failure(event: "StackEventTypeDef") -> list[str]:
    """What went wrong, if the event tells of a failure."""
    if not event.get("ResourceStatus", "").endswith("_FAILED"):
        return []
    return [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"]


def failed_checks(cloudformation: "CloudFormationClient", stack_id: str) -> list[str]:
    """What CloudFormation found wrong before it touched anything.

    It tells that nowhere else. An engine that makes no such checks does not know the question.
    """
    try:
        told = cloudformation.describe_events(StackName=stack_id, Filters={"FailedEvents": True})["OperationEvents"]
    except ClientError:
        return []
    return [
        f"{event.get('LogicalResourceId', stack_id)}: {event['ValidationStatusReason']}"
        for event in told
        if "ValidationStatusReason" in event
    ]
