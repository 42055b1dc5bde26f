"""The embedded engine: S3, DynamoDB, SQS and the rest from one small process of this machine.

It is MiniStack, started with its checks on: signatures, policies, bucket CORS and form uploads are refused as AWS
refuses them. That is safety as much as fidelity. An engine that takes unsigned requests lets every web page that
guesses the port do what the owner can do. State is in memory and ends with the process; nothing of the caller's
environment reaches it, and it ends when the caller does, also by `kill -9`.
"""

import hashlib
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from botocore.config import Config
from botocore.session import Session

from webnn.errors import Missing, Unavailable
from webnn.local.sockets import assert_loopback_only

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
SERVICES = ("s3", "dynamodb", "sqs", "ssm", "cloudformation", "iam", "sts")
OWNER = "owner"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
# A client that asks no profile and no file of the caller.
UNCONFIGURED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
SCRIPT = Path(__file__).with_name("engine_process.py")
# 300 looks, a tenth of a second apart. A cold start takes about one second.
LOOKS, LOOK_SECONDS = 300, 0.1
STOP_SECONDS = 5.0
LOG_TAIL_BYTES = 4_000


@dataclass(frozen=True, slots=True)
class Key:
    """An access key."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine.

    Attributes:
        url: Its endpoint, for AWS_ENDPOINT_URL.
        versions: What answers, by product name.
        key: The owner's, which may do everything.
        pid: Its process.
    """

    url: str
    versions: Mapping[str, str]
    key: Key
    pid: int

    def environment(self) -> dict[str, str]:
        """The variables that make the AWS clients of a process speak to this engine, and to nothing else.

        Of the caller's own, AWS_PROFILE has to go as well: it cannot be overruled, only unset.
        """
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.key.id,
            "AWS_SECRET_ACCESS_KEY": self.key.secret,
            "AWS_SESSION_TOKEN": "",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": LOOPBACK,
        }


@contextmanager
def embedded_engine(secret: str, *, services: tuple[str, ...] = SERVICES, verify: bool = True) -> Iterator[Engine]:
    """Runs an engine on a free port of 127.0.0.1 for as long as the block lasts.

    Args:
        secret: Random, at least 16 characters: the engine's root key is made from it and told to nobody.
        services: What it answers for, by the names that MiniStack gives the services.
        verify: False takes unsigned requests and enforces no policy: only for another engine that forwards to
            this one and signs with keys of its own, and then with no more services than it forwards.

    Raises:
        Missing: MiniStack is not installed.
        Unavailable: It did not come up; `details["log"]` has its last words.
        Invalid: It came up where other machines can reach it. It has been stopped.
    """
    versions = {"MiniStack": _version()}
    root = _root_key(secret)
    with _listening_socket() as listener, tempfile.TemporaryFile() as log:
        port = listener.getsockname()[1]
        process = _start(listener, _environment(port, root, services, verify), log)
        try:
            url = f"http://{LOOPBACK}:{port}"
            # From here only the engine holds the socket, so a dead engine refuses connections at once.
            listener.close()
            _await_ready(process, url, log)
            assert_loopback_only(process.pid, port)
            yield Engine(url, versions, _owner_key(url, root) if verify else root, process.pid)
        finally:
            _stop(process)


def _version() -> str:
    try:
        return importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError as error:
        raise Missing("MiniStack is not installed here: run `make setup`", package="ministack") from error


def _listening_socket() -> socket.socket:
    # Bound here and handed down, so that no other program can take the port in between, and so that the engine
    # has no say in which interface it listens on.
    return socket.create_server((LOOPBACK, 0), backlog=256)


def _root_key(secret: str) -> Key:
    return Key("root-" + hashlib.sha256(secret.encode()).hexdigest()[:32], secret)


def _owner_key(url: str, root: Key) -> Key:
    """The key of a user who may do everything.

    Signed URLs show whose key signed them, and the engine checks the signature in a header for users, but takes a
    root key's word. So the root key is used here, once.
    """
    iam: Any = Session(UNCONFIGURED).create_client(
        "iam",
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id=root.id,
        aws_secret_access_key=root.secret,
        # Never through a proxy that the environment names: it could not reach this machine's loopback.
        config=Config(proxies={}),
    )
    iam.create_user(UserName=OWNER)
    iam.put_user_policy(UserName=OWNER, PolicyName=OWNER, PolicyDocument=json.dumps(EVERYTHING))
    made = iam.create_access_key(UserName=OWNER)["AccessKey"]
    return Key(made["AccessKeyId"], made["SecretAccessKey"])


def _environment(port: int, root: Key, services: tuple[str, ...], verify: bool) -> dict[str, str]:
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": LOOPBACK,
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_REGION": REGION,
        "AUTH": "true" if verify else "false",
        # Users are what a signature is checked against.
        "SERVICES": ",".join({*services, "iam"} if verify else services),
        "AWS_ACCESS_KEY_ID": root.id,
        "AWS_SECRET_ACCESS_KEY": root.secret,
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        # It would open two more ports, and clear away containers of another MiniStack.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent",
        "LOG_LEVEL": "WARNING",
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        "TMPDIR": tempfile.gettempdir(),
    }


def _start(listener: socket.socket, environment: dict[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-I", str(SCRIPT), str(listener.fileno())],
        env=environment,
        pass_fds=[listener.fileno()],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        # Ctrl-C in a terminal goes to the whole group: the engine must outlive what still uses it.
        start_new_session=True,
    )


def _await_ready(process: "subprocess.Popen[bytes]", url: str, log: IO[bytes]) -> None:
    for _ in range(LOOKS):
        if process.poll() is not None:
            raise Unavailable("the embedded engine ended while starting", log=_tail(log), code=process.returncode)
        if _answers(url):
            return
        try:
            process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            continue
    raise Unavailable("the embedded engine did not come up", log=_tail(log))


def _answers(url: str) -> bool:
    # Past any proxy, as below.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/_ministack/ready", timeout=5.0) as answer:
            return bool(json.load(answer)["status"] == "completed")
    except (urllib.error.URLError, OSError):
        return False


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - LOG_TAIL_BYTES))
    return log.read().decode(errors="replace")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
