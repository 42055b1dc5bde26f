"""Whether a stage is there, complete, and does what it should."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from webnn.errors import WebnnError
from webnn.finding import Finding, fail, ok, warn
from webnn.settings import Environment, Settings, settings
from webnn.stack.calls import answered
from webnn.stack.change import CHANGEABLE
from webnn.stack.outputs import StackClients, find_stack, read_outputs, stack_name
from webnn.stack.site import CONFIG, PAGE, site_url
from webnn.store.queues import Queue

# Signatures are refused from five minutes on.
SKEW_WARNS, SKEW_FAILS = 60_000, 270_000
PROBE_KEY = "doctor/probe"


@dataclass(frozen=True, slots=True)
class Looking:
    """What looking at a stage takes.

    Attributes:
        sts: A client of AWS's security token service.
        dead: Opens the queue of dead letters. Raises Missing.
        get: What is at an address, after status 200. Raises Unavailable.
        clock: Milliseconds since 1970.
        remake: The command that makes the stage, or makes it again.
    """

    where: Environment
    clients: StackClients
    sts: Any
    dead: Callable[[], Queue]
    get: Callable[[str], bytes]
    clock: Callable[[], int]
    remake: str


def stage(looking: Looking) -> Iterator[Finding]:
    """Looks at the stage, from the ground up; what stands on something that is not there is left out."""
    known = list(_credentials(looking))
    yield from known
    if any(found.state == "fail" for found in known):
        return
    found = _tried("stack", looking.remake, lambda: _stack(looking))
    yield found
    if found.state == "fail":
        return
    yield _tried("stack's outputs", looking.remake, lambda: _outputs(looking))
    held: list[Settings] = []
    yield _tried("parameters", looking.remake, lambda: _parameters(looking, held))
    yield _tried("dead letters", looking.remake, lambda: _dead_letters(looking))
    for named in held:
        yield _tried("table", looking.remake, lambda: _table(looking, named))  # noqa: B023  # called at once
        yield _tried("data bucket", looking.remake, lambda: _bucket(looking, named.bucket))  # noqa: B023
        yield _tried("page and API", looking.remake, lambda: _api(looking, named.site))  # noqa: B023


def _tried(what: str, mend: str, look: Callable[[], Finding]) -> Finding:
    try:
        with answered(f"look at the {what}"):
            return look()
    except WebnnError as error:
        return fail(what, error.message, mend)


def _credentials(looking: Looking) -> Iterator[Finding]:
    """Whose they are; and how far this machine's clock is off, which an answer tells, a refusal too."""
    mend = "aws configure" if looking.where.endpoint_url is None else looking.remake
    try:
        answer: dict[str, Any] = dict(looking.sts.get_caller_identity())
        yield ok("credentials", f"{answer['Arn']} in {looking.where.region}")
    except ClientError as error:
        answer = dict(error.response)
        yield fail("credentials", f"refused: {error.response['Error'].get('Message') or error}", mend)
    except BotoCoreError as error:
        yield fail("credentials", str(error), mend)
        return
    yield from _clock(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date"), looking.clock())


def _clock(date: str | None, now: int) -> Iterator[Finding]:
    if date is None:
        return  # an engine that does not say
    skew = abs(parsedate_to_datetime(date).timestamp() * 1000 - now)
    said = f"{skew / 1000:.0f} s from that of the stage"
    if skew < SKEW_WARNS:
        yield ok("clock", said)
    else:
        wrong = warn if skew < SKEW_FAILS else fail
        yield wrong("clock", f"{said}; signatures are refused from 300 s on", "sudo timedatectl set-ntp true")


def _stack(looking: Looking) -> Finding:
    name = stack_name(looking.where.stage)
    found = find_stack(looking.clients.cloudformation, name)
    if found is None:
        return fail("stack", f"there is no stack {name}", looking.remake)
    status = found["StackStatus"]
    if status in CHANGEABLE:
        return ok("stack", f"{name} is {status}")
    if status.endswith("_IN_PROGRESS"):
        return warn("stack", f"{name} is {status}", f"aws cloudformation describe-stack-events --stack-name {name}")
    verb = "continue-update-rollback" if status == "UPDATE_ROLLBACK_FAILED" else "delete-stack"
    mend = f"aws cloudformation {verb} --stack-name {name} && {looking.remake}"
    return fail("stack", f"{name} is {status}; its data is kept, see infra/README.md", mend)


def _outputs(looking: Looking) -> Finding:
    found = read_outputs(looking.clients.cloudformation, looking.where.stage)
    return ok("stack's outputs", f"table {found.table}, buckets {found.bucket} and {found.site}")


def _parameters(looking: Looking, held: list[Settings]) -> Finding:
    held.append(settings(looking.where, looking.clients.ssm))
    return ok("parameters", f"all there, under /webnn/{looking.where.stage}/")


def _dead_letters(looking: Looking) -> Finding:
    waiting = looking.dead().waiting()
    if not waiting:
        return ok("dead letters", "none")
    said = f"{waiting} rings failed five times: the merge function's log says why"
    return warn("dead letters", said, f"webnn redrive --stage {looking.where.stage}")


def _table(looking: Looking, named: Settings) -> Finding:
    status = looking.clients.dynamodb.describe_table(TableName=named.table)["Table"]["TableStatus"]
    return ok("table", f"{named.table} is {status}")


def _bucket(looking: Looking, bucket: str) -> Finding:
    """That what can be written can be read and deleted again, under a key that rings no bell."""
    s3, probe = looking.clients.s3, str(looking.clock()).encode()
    s3.put_object(Bucket=bucket, Key=PROBE_KEY, Body=probe)
    s3.get_object(Bucket=bucket, Key=PROBE_KEY)["Body"].read()
    s3.delete_object(Bucket=bucket, Key=PROBE_KEY)
    return ok("data bucket", f"{bucket} takes, gives and deletes")


def _api(looking: Looking, site: str) -> Finding:
    """Asked as a page asks: the site says where it is."""
    page = site_url(looking.clients.s3, site)
    looking.get(page)
    config = _object(looking.get(page.removesuffix(PAGE) + CONFIG))
    api = str(config.get("api", ""))
    if "runs" not in _object(looking.get(f"{api}/runs")):
        return fail("page and API", f"{api}/runs does not answer as it should", looking.remake)
    return ok("page and API", f"{page} and {api} answer")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
