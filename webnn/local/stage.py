"""A whole stage on this machine: the embedded engine, the stack, the site, the API and the pump."""

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from webnn import aws, wiring
from webnn.errors import Missing, Unavailable
from webnn.local.engine import LOOPBACK, embedded_engine
from webnn.local.processes import child
from webnn.local.speakers import Speaker
from webnn.settings import environment, settings
from webnn.stack import create_or_update, upload_site
from webnn.wiring import Services

STAGE = "local"
CHECKOUT = Path(__file__).resolve().parents[2]
WEB = CHECKOUT / "web" / "dist"
LOOKS, LOOK_SECONDS = 300, 0.1
STACK_SECONDS = 60.0
PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class LocalStage:
    """A running stage.

    Attributes:
        api: Base URL of the API.
        page: Address of the volunteer page.
        watcher: Address of the watcher.
        versions: What answers, by product name.
        handlers: The processes that must not end before it does: the API and the pump, which tells of its troubles.
        variables: What makes the AWS clients of another process speak to its engine.
    """

    services: Services
    api: str
    page: str
    watcher: str
    versions: Mapping[str, str]
    handlers: tuple[Speaker, ...]
    variables: Mapping[str, str] = field(repr=False)

    def listen(self) -> str | None:
        """The newest trouble of a handler since the last call. Raises Unavailable if one has ended."""
        for one in self.handlers:
            one.listen()
        return next((trouble for one in self.handlers if (trouble := one.asked())), None)


@dataclass(frozen=True, slots=True)
class App:
    """The Chalice app that WebNN is mounted in.

    Attributes:
        folder: Where its `app.py` is.
        prefix: What the paths of WebNN's routes begin with.
    """

    folder: Path = CHECKOUT
    prefix: str = ""


@contextmanager
def local_stage(on_step: Callable[[str], None], app: App = App()) -> Iterator[LocalStage]:
    """Runs a stage for as long as the block lasts; afterwards nothing of it is left.

    Args:
        on_step: Told what is being done, in a few words.
        app: What serves the API and the events: WebNN's own app, or another.

    Raises:
        Missing: The web client is not built, or MiniStack not installed.
        Unavailable: A part did not come up; `details["log"]` has its last words.
    """
    if not (WEB / "index.html").is_file():
        raise Missing("the web client is not built: run `make setup`")
    with ExitStack() as stack:
        on_step("starting the engine")
        engine = stack.enter_context(embedded_engine(secrets.token_urlsafe(32)))
        variables = {**engine.environment(), "WEBNN_STAGE": STAGE}
        where = environment(variables)
        stack.enter_context(variables_set(variables))
        on_step("creating the stack")
        clients = aws.stack_clients(where)
        template = (CHECKOUT / "infra" / "stack.yaml").read_text()
        looks = wiring.paced(STACK_SECONDS, LOOK_SECONDS)
        outputs = create_or_update(clients, STAGE, template, wiring.new_secret(), looks)
        found = settings(where, aws.client(where, "ssm"))
        services = wiring.services_of(found)
        port = _free_port()
        api = f"http://{LOOPBACK}:{port}{app.prefix}"
        on_step("uploading the site")
        page = upload_site(clients.s3, outputs.site, WEB, {"api": api, "stage": STAGE})
        on_step("starting the handlers")
        handlers = _handlers(stack, {**_own_environment(), **variables}, app.folder, port)
        _await_api(api, handlers)
        watcher = page.replace("index.html", "watch.html")
        yield LocalStage(services, api, page, watcher, engine.versions, handlers, variables)


def _handlers(stack: ExitStack, variables: Mapping[str, str], folder: Path, port: int) -> tuple[Speaker, ...]:
    chalice = [str(Path(sys.executable).with_name("chalice")), "local", "--stage", STAGE, "--host", LOOPBACK]
    api = child("the API", [*chalice, "--port", str(port), "--no-autoreload"], variables, folder)
    pump = child("the pump", [sys.executable, "-m", "webnn.local.pump"], variables, folder)
    return Speaker(stack.enter_context(api)), Speaker(stack.enter_context(pump))


def _own_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LANG", "HOME", "TMPDIR") if name in os.environ}


@contextmanager
def variables_set(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables for as long as the block lasts: AWS clients look for keys there, PynamoDB's late.

    A profile of the owner's would come before the keys, so it is put aside.
    """
    before = {name: os.environ.get(name) for name in (*variables, *PROFILES)}
    for name in PROFILES:
        os.environ.pop(name, None)
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _await_api(api: str, handlers: tuple[Speaker, ...]) -> None:
    with requests.Session() as session:
        session.trust_env = False  # a proxy could not reach this machine's loopback
        for _ in range(LOOKS):
            for one in handlers:
                one.listen()
            if _answers(session, api):
                return
            time.sleep(LOOK_SECONDS)
    raise Unavailable(f"nothing answers at {api}/runs: is WebNN mounted there?")


def _answers(session: requests.Session, api: str) -> bool:
    try:
        return session.get(f"{api}/runs", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False
