"""The engine's process: who can reach it, what it is told, and that it never outlives who started it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import botocore.session
import pytest
import requests
from botocore.exceptions import ClientError

from webnn.errors import Invalid, Unavailable
from webnn.local import engine as module
from webnn.local.engine import REGION, Engine, embedded_engine
from webnn.local.sockets import assert_loopback_only, listening_addresses

HAS_PROC = Path("/proc/self/net/tcp").exists()
NEEDS_PROC = pytest.mark.skipif(not HAS_PROC, reason="this system has no /proc to look into")

EXPOSED = "import socket; s = socket.create_server(('0.0.0.0', 0)); print(s.getsockname()[1], flush=True); input()"
PARENT = """
import sys
from webnn.local.engine import embedded_engine
with embedded_engine("secret") as engine:
    print(engine.pid, flush=True)
    sys.stdin.read()
"""


@NEEDS_PROC
def test_it_listens_on_loopback_only(embedded: Engine) -> None:
    assert {str(address) for address in listening_addresses(embedded.pid)} == {"127.0.0.1"}


def test_a_process_that_listens_everywhere_is_refused() -> None:
    with subprocess.Popen([sys.executable, "-c", EXPOSED], stdin=-1, stdout=-1, text=True) as process:
        port = int(process.stdout.readline())
        with pytest.raises(Invalid, match="loopback"):
            assert_loopback_only(process.pid, port)
        process.communicate("\n")


@NEEDS_PROC
def test_nothing_of_the_callers_environment_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "HTTP_PROXY", "PYTHONPATH"):
        monkeypatch.setenv(name, "the-callers-own")
    with embedded_engine("secret", services=("s3",)) as engine:
        told = Path(f"/proc/{engine.pid}/environ").read_bytes()
    assert b"the-callers-own" not in told
    assert b"AUTH=true" in told.split(b"\0")


def test_two_run_side_by_side_and_know_nothing_of_each_other(embedded: Engine) -> None:
    with embedded_engine("another", services=("s3",)) as other:
        assert other.url != embedded.url
        stranger = _client("s3", other.url, embedded.key.id, embedded.key.secret)
        with pytest.raises(ClientError, match="InvalidAccessKeyId"):
            stranger.list_buckets()


def test_it_is_gone_when_the_block_ends() -> None:
    with embedded_engine("secret", services=("s3",)) as engine:
        assert requests.get(f"{engine.url}/_ministack/health", timeout=5).json()["auth"] == "enabled"
    with pytest.raises(requests.ConnectionError):
        requests.get(engine.url, timeout=5)
    assert not _alive(engine.pid)


def test_it_dies_with_a_parent_that_was_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=-1, stdout=-1, text=True, cwd=os.getcwd())
    with parent:
        pid = int(parent.stdout.readline())
        assert _alive(pid)
        parent.send_signal(signal.SIGKILL)
    _await_end(pid)


def test_an_engine_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit('no room on this machine')")
    monkeypatch.setattr(module, "SCRIPT", script)
    with pytest.raises(Unavailable) as refusal, embedded_engine("secret"):
        pytest.fail("it must not come up")
    assert "no room on this machine" in refusal.value.details["log"]


@pytest.mark.parametrize("key", ["test", "000000000000", "123456789012"])
def test_a_key_that_everybody_knows_opens_nothing(embedded: Engine, key: str) -> None:
    for service, call in (("dynamodb", "list_tables"), ("s3", "list_buckets"), ("ssm", "describe_parameters")):
        with pytest.raises(ClientError) as refusal:
            getattr(_client(service, embedded.url, key, embedded.key.secret), call)()
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    "query",
    [
        "?Action=ListQueues&X-Amz-Credential=test/20260101/us-east-1/sqs/aws4_request&X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "?Action=ListQueues&X-Amz-Credential=000000000000%2F20260101%2Fus-east-1%2Fsqs%2Faws4_request",
        "?Action=ListQueues&AWSAccessKeyId=test&Signature=x",
        "?Action=ListQueues",
    ],
)
def test_nor_does_it_in_a_query(embedded: Engine, query: str) -> None:
    assert requests.get(embedded.url + "/" + query, timeout=5).status_code == 403


def test_the_engines_own_controls_are_shut(embedded: Engine) -> None:
    for control in ("reset", "config"):
        assert requests.post(f"{embedded.url}/_ministack/{control}", data=b"{}", timeout=5).status_code == 403


def test_an_unsigned_request_is_refused(embedded: Engine) -> None:
    headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    answer = requests.post(embedded.url, data=b"{}", headers=headers, timeout=5)
    assert answer.status_code == 400
    assert "MissingAuthenticationToken" in answer.text


def _client(service: str, url: str, key: str, secret: str) -> object:
    return botocore.session.get_session().create_client(
        service, region_name=REGION, endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Whoever inherits a process may not have collected it yet: then it is dead all the same.
    return not HAS_PROC or Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def _await_end(pid: int) -> None:
    pacer = Event()
    for _ in range(100):
        if not _alive(pid):
            return
        pacer.wait(0.05)
    pytest.fail(f"the engine, process {pid}, outlived its parent")
