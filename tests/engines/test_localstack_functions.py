"""Functions in subprocesses, as LocalStack runs them: what they see, how they fail, and who calls them."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from localstack.clients import Clients, zipped

pytestmark = pytest.mark.localstack

ROLE = "arn:aws:iam::000000000000:role/facts"
# Lambda's own names for what it tells every function; nothing else may be there.
RESERVED = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_TIMEOUT",
    "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "HOME",
    "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "LANG", "PATH", "TMPDIR", "TZ",
}  # fmt: skip
PACKAGES = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}
CODE = '''
import os, pkgutil, sys, time
import boto3

LOADED = time.time()
print("loading")


def handler(event, context):
    print("asked for", event.get("do"), flush=True)
    return globals()[event["do"]](event, context)


def look(event, context):
    paths = [path for path in sys.path if path.endswith("site-packages")]
    return {
        "environment": dict(os.environ),
        "packages": sorted(m.name for m in pkgutil.iter_modules(paths)),
        "user": sys.flags.no_user_site,
        "folder": os.getcwd(),
        "input": sys.stdin.read(),
    }


def who(event, context):
    return {"pid": os.getpid(), "loaded": LOADED, "request": context.aws_request_id, "name": context.function_name}


def left(event, context):
    return context.get_remaining_time_in_millis()


def fail(event, context):
    raise ValueError("not like this")


def leave(event, context):
    os._exit(7)


def sleep(event, context):
    time.sleep(event["seconds"])
    return who(event, context)


def much(event, context):
    return "x" * 7_000_000


def unspeakable(event, context):
    return object()


def call(event, context):
    return boto3.client("sts").get_caller_identity()["Arn"]


def keep(event, context):
    """What was sent, where a test can see it."""
    if "do" not in event:
        name = "tick" if event.get("source") == "aws.events" else event["Records"][0]["body"]
        boto3.client("ssm").put_parameter(Name=f"/kept/{name}", Type="String", Value="yes", Overwrite=True)
'''

Deploy = Callable[..., str]
Invoke = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def deploy(localstack_clients: Clients) -> Deploy:
    """Makes a function and waits until it can be called."""
    aws_lambda, iam = localstack_clients("lambda"), localstack_clients("iam")
    iam.create_role(RoleName="facts", AssumeRolePolicyDocument="{}")

    def made(
        name: str, code: str = CODE, handler: str = "facts.handler", timeout: int = 10, runtime: str = "python3.11"
    ) -> str:
        aws_lambda.create_function(
            FunctionName=name,
            Runtime=runtime,
            Handler=handler,
            Role=ROLE,
            Code={"ZipFile": zipped("facts.py", code)},
            Timeout=timeout,
            Environment={"Variables": {"WEBNN_STAGE": "facts"}},
        )
        aws_lambda.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    return made


@pytest.fixture(scope="module")
def invoke(localstack_clients: Clients) -> Invoke:
    def invoked(name: str, **event: Any) -> dict[str, Any]:
        answer = localstack_clients("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        return {
            "payload": json.loads(answer["Payload"].read()),
            "failed": "FunctionError" in answer,
            "log": b64decode(answer["LogResult"]).decode(),
        }

    return invoked


@pytest.fixture(scope="module")
def function(deploy: Deploy) -> str:
    return deploy("facts")


@pytest.fixture(scope="module", autouse=True)
def scheduled(deploy: Deploy, localstack_clients: Clients) -> Iterator[None]:
    """A rule that fires each minute, set before the first test so that the last need not wait as long."""
    name = deploy("ticking", handler="facts.keep")
    events = localstack_clients("events")
    rule = events.put_rule(Name="facts", ScheduleExpression="rate(1 minute)")["RuleArn"]
    arn = localstack_clients("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    localstack_clients("lambda").add_permission(
        FunctionName=name,
        StatementId="facts",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule="facts", Targets=[{"Id": "facts", "Arn": arn}])
    yield
    events.remove_targets(Rule="facts", Ids=["facts"])
    events.delete_rule(Name="facts")


def test_it_sees_what_lambda_tells_and_what_it_was_given(function: str, invoke: Invoke) -> None:
    seen = invoke(function, do="look")["payload"]
    assert seen["environment"].keys() - RESERVED == {"WEBNN_STAGE"}
    assert seen["environment"]["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"
    assert seen["environment"]["PATH"] == "/bin:/usr/bin"
    assert seen["folder"] == seen["environment"]["LAMBDA_TASK_ROOT"]
    assert seen["input"] == ""


def test_it_finds_the_packages_of_its_zip_and_what_lambda_provides(function: str, invoke: Invoke) -> None:
    assert set(invoke(function, do="look")["payload"]["packages"]) == PACKAGES


def test_it_acts_with_its_role(function: str, invoke: Invoke) -> None:
    assert ":assumed-role/facts/facts" in invoke(function, do="call")["payload"]


def test_it_stays_warm(function: str, invoke: Invoke) -> None:
    first, second = (invoke(function, do="who") for _ in range(2))
    assert first["payload"]["pid"] == second["payload"]["pid"]
    assert first["payload"]["loaded"] == second["payload"]["loaded"]
    assert first["payload"]["request"] != second["payload"]["request"]
    assert "loading" not in second["log"]


def test_it_is_told_what_time_is_left(function: str, invoke: Invoke) -> None:
    assert 8_000 < invoke(function, do="left")["payload"] <= 10_000


def test_its_log_comes_with_the_answer(function: str, invoke: Invoke) -> None:
    log = invoke(function, do="who")["log"]
    assert log.startswith("START RequestId: ")
    assert "asked for who" in log


def test_an_error_is_told_with_its_place_and_leaves_it_warm(function: str, invoke: Invoke) -> None:
    before = invoke(function, do="who")["payload"]["pid"]
    answer = invoke(function, do="fail")
    assert answer["failed"]
    assert (answer["payload"]["errorType"], answer["payload"]["errorMessage"]) == ("ValueError", "not like this")
    assert "in handler" in answer["payload"]["stackTrace"][0]
    assert "ValueError: not like this" in answer["log"]
    assert invoke(function, do="who")["payload"]["pid"] == before


def test_a_process_that_ends_is_told_of_and_replaced(function: str, invoke: Invoke) -> None:
    before = invoke(function, do="who")["payload"]["pid"]
    answer = invoke(function, do="leave")
    assert (answer["failed"], answer["payload"]["errorType"]) == (True, "Runtime.ExitError")
    assert answer["payload"]["errorMessage"].endswith("exit status 7")
    assert invoke(function, do="who")["payload"]["pid"] != before


def test_an_answer_that_is_no_json_is_an_error(function: str, invoke: Invoke) -> None:
    answer = invoke(function, do="unspeakable")
    assert (answer["failed"], answer["payload"]["errorType"]) == (True, "Runtime.MarshalError")


def test_an_answer_over_six_megabytes_is_an_error(function: str, invoke: Invoke) -> None:
    answer = invoke(function, do="much")
    assert (answer["failed"], answer["payload"]["errorType"]) == (True, "Function.ResponseSizeTooLarge")


def test_one_that_takes_too_long_is_killed_and_replaced(deploy: Deploy, invoke: Invoke) -> None:
    hasty = deploy("hasty", timeout=1)
    before = invoke(hasty, do="who")["payload"]["pid"]
    answer = invoke(hasty, do="sleep", seconds=30)
    assert (answer["failed"], answer["payload"]["errorType"]) == (True, "Sandbox.Timedout")
    assert answer["payload"]["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert "asked for sleep" in answer["log"]
    after = invoke(hasty, do="who")
    assert not after["failed"]
    assert after["payload"]["pid"] != before


@pytest.mark.parametrize(
    ("name", "code", "handler", "kind"),
    [
        ("unfound", "import nothing_of_the_kind", "facts.handler", "Runtime.ImportModuleError"),
        ("misspelt", CODE, "facts.handle", "Runtime.HandlerNotFound"),
        ("unwritten", "def handler(:", "facts.handler", "Runtime.UserCodeSyntaxError"),
        ("raising", "1 / 0", "facts.handler", "ZeroDivisionError"),
        ("leaving", "import os; os._exit(7)", "facts.handler", "Runtime.ExitError"),
    ],
    ids=["no such module", "no such handler", "no Python", "an error", "an end"],
)
def test_one_that_cannot_be_loaded_says_why(
    deploy: Deploy, localstack_clients: Clients, name: str, code: str, handler: str, kind: str
) -> None:
    deploy(name, code=code, handler=handler)
    for _ in range(2):
        answer = localstack_clients("lambda").invoke(FunctionName=name)
        assert answer["FunctionError"] == "Unhandled"
        assert json.loads(answer["Payload"].read())["errorType"] == kind


def test_a_runtime_that_it_does_not_have_is_refused(deploy: Deploy, localstack_clients: Clients) -> None:
    answer = localstack_clients("lambda").invoke(FunctionName=deploy("older", runtime="python3.10"))
    assert json.loads(answer["Payload"].read()) == {
        "errorType": "Runtime.InvalidRuntime",
        "errorMessage": "only zips for python3.11 without layers run in subprocesses, not python3.10",
    }


def test_those_who_call_at_once_get_a_process_each(function: str, invoke: Invoke) -> None:
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(invoke, function, do="sleep", seconds=1) for _ in range(4)]
        pids = {call.result()["payload"]["pid"] for call in calls}
    assert len(pids) == 4


def test_a_message_in_a_queue_calls_it(deploy: Deploy, localstack_clients: Clients) -> None:
    sqs = localstack_clients("sqs")
    url = sqs.create_queue(QueueName="facts-messages", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    localstack_clients("lambda").create_event_source_mapping(
        EventSourceArn=arn,
        FunctionName=deploy("fed", handler="facts.keep"),
        BatchSize=10,
        MaximumBatchingWindowInSeconds=1,
    )
    sqs.send_message(QueueUrl=url, MessageBody="message")
    assert kept(localstack_clients, "message", seconds=30)


def test_a_schedule_calls_it(localstack_clients: Clients) -> None:
    assert kept(localstack_clients, "tick", seconds=120)


def kept(localstack_clients: Clients, name: str, seconds: int) -> bool:
    """Whether the function says in time that it was called."""
    ssm, pacer = localstack_clients("ssm"), Event()
    for _ in range(seconds * 5):
        if ssm.get_parameters(Names=[f"/kept/{name}"])["Parameters"]:
            return True
        pacer.wait(0.2)
    return False
