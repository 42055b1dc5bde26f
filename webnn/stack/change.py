"""Brings a stage's stack to what the template says: one command, the same for the first time and for every other.

Running it again changes nothing; after an interruption it finishes the work. CloudFormation does the changing, then
`properties` looks whether the parts really have what matters, since not every engine's CloudFormation sets it all.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from webnn.errors import Conflict, Invalid, Unavailable
from webnn.stack.calls import Progress, answered, code_of, silent
from webnn.stack.events import event_ids, failed_checks, failure, news, status_of
from webnn.stack.outputs import StackClients, StackOutputs, find_stack, read_outputs, stack_name
from webnn.stack.properties import ensure_properties

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ssm import SSMClient

SECRET_BYTES = 32
DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}
CHANGEABLE = DONE | {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}
# CloudFormation itself then refuses an update that would replace what holds the owner's data.
KEEP_DATA = {
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["Update:Replace", "Update:Delete"],
            "Resource": ["LogicalResourceId/Table", "LogicalResourceId/DataBucket"],
        },
    ]
}


def create_or_update(
    clients: StackClients,
    stage: str,
    template: str,
    token_secret: str,
    polls: Iterable[object],
    on_progress: Progress = silent,
) -> StackOutputs:
    """Makes the stage be as the template says, and returns its parts' names.

    Args:
        clients: Of the engine or the account that the stage is to live in.
        stage: Its name.
        template: The text of `infra/stack.yaml`.
        token_secret: At least 32 random bytes in hexadecimal; used only where the stage has no secret yet.
        polls: Yields once before each look at the work and paces the looks; when it ends, so does the patience.
        on_progress: Told each thing that happens, in a line.

    Raises:
        Invalid: The template is faulty, or what it asks for was refused; `details["reasons"]` says why.
        Conflict: An earlier change left the stack where only deleting helps.
        Unavailable: The engine did not answer, or the polls ended first. Running it again is safe.
    """
    _check_secret(token_secret)
    name, polls = stack_name(stage), iter(polls)
    with answered(f"bring stack {name} up to date"):
        _await_rest(clients.cloudformation, name, polls, on_progress)
        before = event_ids(clients.cloudformation, name)
        stack_id = _submit(clients.cloudformation, stage, template)
        if stack_id is None:
            on_progress(f"{name} is up to date")
        else:
            _follow(clients.cloudformation, stack_id, before, polls, on_progress)
        outputs = read_outputs(clients.cloudformation, stage)
        ensure_properties(clients, outputs, on_progress)
        _keep_or_put_secret(clients.ssm, stage, token_secret, on_progress)
    return outputs


def _check_secret(token_secret: str) -> None:
    try:
        strong = len(bytes.fromhex(token_secret)) >= SECRET_BYTES
    except ValueError:
        strong = False
    if not strong:
        raise Invalid(f"the token secret must be at least {SECRET_BYTES} bytes in hexadecimal")


def _await_rest(
    cloudformation: "CloudFormationClient", name: str, polls: Iterable[object], on_progress: Progress
) -> None:
    """Lets a change that is under way come to its end, as that of a deployment which was interrupted does."""
    found = find_stack(cloudformation, name)
    if found is None or not found["StackStatus"].endswith("_IN_PROGRESS"):
        return
    seen = event_ids(cloudformation, name)
    on_progress(f"a change of {name} is under way ({found['StackStatus']}): waiting for its end")
    for _ in polls:
        if not status_of(cloudformation, name).endswith("_IN_PROGRESS"):
            return
        for event in news(cloudformation, found["StackId"], seen):
            on_progress(f"{event['LogicalResourceId']} {event['ResourceStatus']}")
    raise Unavailable(f"another change of {name} is still under way: wait for its end, then run this again")


def _submit(cloudformation: "CloudFormationClient", stage: str, template: str) -> str | None:
    """Starts what has to be done and returns the stack's id; None if there is nothing to do."""
    name = stack_name(stage)
    found = find_stack(cloudformation, name)
    if found is None:
        return cloudformation.create_stack(
            StackName=name,
            TemplateBody=template,
            Parameters=[{"ParameterKey": "Stage", "ParameterValue": stage}],
            StackPolicyBody=json.dumps(KEEP_DATA),
            # A creation that failed takes itself away, so that the next try starts from nothing.
            OnFailure="DELETE",
        )["StackId"]
    status = found["StackStatus"]
    if status.endswith("_IN_PROGRESS"):
        raise Conflict(f"another change of {name} has begun ({status}): run this again", status=status)
    if status not in CHANGEABLE:
        raise Conflict(
            f"{name} is {status}: delete the stack by hand (it keeps the data), then see infra/README.md", status=status
        )
    return _submit_update(cloudformation, stage, template)


def _submit_update(cloudformation: "CloudFormationClient", stage: str, template: str) -> str | None:
    try:
        return cloudformation.update_stack(
            StackName=stack_name(stage),
            TemplateBody=template,
            Parameters=[{"ParameterKey": "Stage", "ParameterValue": stage}],
            StackPolicyBody=json.dumps(KEEP_DATA),
        )["StackId"]
    except ClientError as error:
        if code_of(error) == "ValidationError" and "No updates are to be performed" in str(error):
            return None
        raise


def _follow(
    cloudformation: "CloudFormationClient",
    stack_id: str,
    before: set[str],
    polls: Iterable[object],
    on_progress: Progress,
) -> None:
    """Reports the stack's events until it rests. Raises Invalid if it does not rest where it should."""
    seen, reasons = set(before), []
    for _ in polls:
        # The status first: an event between the two reads is then reported, not lost.
        status = status_of(cloudformation, stack_id)
        for event in news(cloudformation, stack_id, seen):
            on_progress(f"{event['LogicalResourceId']} {event['ResourceStatus']}")
            reasons.extend(failure(event))
        if status in DONE:
            return
        if not status.endswith("_IN_PROGRESS"):
            reasons.extend(failed_checks(cloudformation, stack_id))
            raise Invalid(f"{stack_id} ended {status}: {'; '.join(reasons)}", status=status, reasons=reasons)
    raise Unavailable(f"{stack_id} is still changing: wait for its end, then run this again")


def _keep_or_put_secret(ssm: "SSMClient", stage: str, token_secret: str, on_progress: Progress) -> None:
    try:
        ssm.put_parameter(
            Name=f"/webnn/{stage}/token-secret",
            Description="Signs the tokens of clients. Deleting it makes every client join again.",
            Value=token_secret,
            Type="SecureString",
            Overwrite=False,
        )
    except ClientError as error:
        if code_of(error) != "ParameterAlreadyExists":
            raise
    else:
        on_progress("token secret made")
