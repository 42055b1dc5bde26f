"""LocalStack's processes: who can reach them, what they are told, and that they never outlive who started them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from localstack.clients import clients, zipped
from localstack.engine import KEY, URL_VARIABLE, localstack_engine
from localstack.processes import assert_tree_on_loopback, tree
from webnn.errors import Invalid, Unavailable
from webnn.local.engine import Engine
from webnn.local.sockets import listening_addresses

pytestmark = [
    pytest.mark.localstack,
    pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="this system has no /proc to look into"),
]

CHECKOUT = Path(__file__).resolve().parents[2]
ENGINE = CHECKOUT / "localstack" / "engine.py"
PLANTED = "the-hosts-own"
# What a process of the host may well have, and what no process of the engine may see.
HOSTS = ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "GITHUB_TOKEN", "PYTHONPATH", "HTTP_PROXY", "HOME")
NOTHING = "def handler(event, context):\n    pass\n"
EXPOSED = """
import socket, subprocess, sys
if sys.argv[1:]:
    outer = socket.create_server(("127.0.0.1", 0))
    inner = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    inner.stdout.readline()
else:
    outer = socket.create_server(("0.0.0.0", 0))
print(outer.getsockname()[1], flush=True)
input()
"""
# Threads that come and go.
CHURN = """
import threading, time
print("up", flush=True)
while True:
    some = [threading.Thread(target=time.sleep, args=[0.001]) for _ in range(8)]
    for one in some:
        one.start()
    for one in some:
        one.join()
"""
END_SECONDS = 15.0


@contextmanager
def started(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", Engine]]:
    """The engine as a command, by a host that has secrets; temporary files go to the folder."""
    environment = {**os.environ, **dict.fromkeys(HOSTS, PLANTED), "TMPDIR": str(folder)}
    command = [sys.executable, str(ENGINE), "--json"]
    with subprocess.Popen(command, env=environment, stdin=-1, stdout=-1, text=True, cwd=folder) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline() or "{}")
        assert told, "it ended while starting"
        yield process, Engine(told["url"], told["versions"], KEY, process.pid)
        if process.poll() is None:
            process.terminate()


def by_signal(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    assert process.wait(END_SECONDS) == 0


def by_end_of_input(process: "subprocess.Popen[str]") -> None:
    process.communicate(timeout=END_SECONDS)
    assert process.returncode == 0


def by_kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def other(localstack: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A second engine, which has a function running. `localstack` is asked for so that all is skipped with it."""
    with started(tmp_path_factory.mktemp("other")) as (_, engine):
        call_a_function(engine)
        yield engine


@pytest.mark.usefixtures("localstack")
@pytest.mark.parametrize("end", [by_signal, by_end_of_input, by_kill])
def test_nothing_is_left_of_it(end: Callable[["subprocess.Popen[str]"], None], tmp_path: Path) -> None:
    with started(tmp_path) as (process, engine):
        call_a_function(engine)
        below = [one for one in tree(process.pid) if one != process.pid]
        assert len(below) >= 3, "DynamoDB, LocalStack and a function"
        end(process)
        await_ends(below)
        assert list(tmp_path.iterdir()) == []


def test_nothing_of_the_hosts_reaches_it(other: Engine) -> None:
    below = [one for one in tree(other.pid) if one != other.pid]
    assert len(below) >= 3, "DynamoDB, LocalStack and a function"
    assert PLANTED.encode() in Path(f"/proc/{other.pid}/environ").read_bytes()
    for one in below:
        assert PLANTED.encode() not in Path(f"/proc/{one}/environ").read_bytes()


def test_two_run_side_by_side_and_share_nothing(localstack: Engine, other: Engine) -> None:
    for engine, body in ((localstack, b"one"), (other, b"other")):
        s3 = clients(engine)("s3")
        s3.create_bucket(Bucket="beside")
        s3.put_object(Bucket="beside", Key="key", Body=body)
    clients(other)("s3").delete_object(Bucket="beside", Key="key")
    assert clients(localstack)("s3").get_object(Bucket="beside", Key="key")["Body"].read() == b"one"
    clients(localstack)("dynamodb").create_table(
        TableName="beside",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "run", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "run", "KeyType": "HASH"}],
    )
    assert clients(other)("dynamodb").list_tables()["TableNames"] == []


def test_it_listens_on_loopback_only(localstack: Engine) -> None:
    listening = {str(address) for one in tree(localstack.pid) for address in listening_addresses(one)}
    assert listening == {"127.0.0.1"}


def test_one_whose_child_listens_everywhere_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "exposed.py"
    script.write_text(EXPOSED)
    with subprocess.Popen([sys.executable, str(script), "outer"], stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with pytest.raises(Invalid, match="loopback"):
            assert_tree_on_loopback(process.pid, port)
        process.communicate("\n")


def test_threads_that_end_while_it_is_looked_at_are_no_matter() -> None:
    with subprocess.Popen([sys.executable, "-c", CHURN], stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            assert [found for _ in range(5000) if (found := tree(process.pid)) != [process.pid]] == []
        finally:
            process.kill()


def test_one_that_runs_already_can_be_named(localstack: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, localstack.url)
    with localstack_engine() as engine:
        assert engine.url == localstack.url
        assert engine.versions == {"localstack": f"4.9.2 at {localstack.url}"}
        assert clients(engine)("sts").get_caller_identity()["Account"] == "000000000000"


def test_one_that_does_not_answer_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="does not answer"), localstack_engine():
        pytest.fail("nothing listens there")


def call_a_function(engine: Engine) -> None:
    aws = clients(engine)
    aws("iam").create_role(RoleName="nothing", AssumeRolePolicyDocument="{}")
    aws("lambda").create_function(
        FunctionName="nothing",
        Runtime="python3.11",
        Handler="nothing.handler",
        Role="arn:aws:iam::000000000000:role/nothing",
        Code={"ZipFile": zipped("nothing.py", NOTHING)},
    )
    aws("lambda").get_waiter("function_active_v2").wait(FunctionName="nothing", WaiterConfig={"Delay": 1})
    assert "FunctionError" not in aws("lambda").invoke(FunctionName="nothing")


def await_ends(pids: list[int]) -> None:
    end = time.monotonic() + END_SECONDS
    while time.monotonic() < end:
        if not any(alive(pid) for pid in pids):
            return
        time.sleep(0.05)
    pytest.fail(f"outlived their starter: {[pid for pid in pids if alive(pid)]}")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # Whoever inherits a process may not have collected it yet: then it is dead all the same.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
