"""`webnn deploy` and `webnn destroy`: a stage on AWS, or on an engine that speaks its API."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import click
import requests
from rich.console import Console

from webnn import aws, wiring
from webnn.cli import stage as stages
from webnn.cli.steps import Steps
from webnn.errors import Invalid, Missing, Unavailable
from webnn.settings import Environment
from webnn.stack import StackOutputs, create_or_update, delete, ensure_gateway_cors, read_outputs, upload_site

PARTS = ("infrastructure", "functions", "site")
STEPS = {
    "infrastructure": "the stack: buckets, table, queue",
    "functions": "the functions and the API",
    "site": "the site",
    "check": "whether the page finds the API",
}
STOPPED = 130
PATIENCE_SECONDS, LOOK_SECONDS = 900.0, 2.0
ROUTE_SECONDS = 60.0
API_STAGE = "api"
LOG_LINES = 30


@dataclass(frozen=True, slots=True)
class Deployed:
    """What Chalice put up."""

    rest_api_id: str
    url: str


@click.command()
@stages.option
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Of the parts only this one; may be repeated.")
@click.option("--api", default=None, help="Where an app of yours has mounted the API: what the site is to be told.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def deploy(stage: str, only: tuple[str, ...], api: str | None, as_json: bool) -> None:
    """Create or update a stage: infrastructure, functions, site. Doing it again changes only what changed.

    Broken off or failed at any step, do it again: it goes on there. With WebNN in an app of yours the functions are
    deployed with it, and the rest with --only: docs/embedding.md.
    """
    console = Console(stderr=as_json)
    parts = _parts(stage, only, api)
    where = stages.of(stage)
    steps = Steps([STEPS[part] for part in (*parts, *(("check",) if "site" in parts else ()))], console)
    made = {"stage": stage}
    with _resumable(stage, only, api, console), steps.shown():
        _bring_up(where, parts, api, steps, made)
    if as_json:
        print(json.dumps({**made, "seconds": steps.seconds}))
        return
    named = {"api": "The API", "page": "The page"}
    lines = [f"{named[part]}: {made[part]}" for part in named if part in made]
    console.print("\n".join(["", *lines, ""]), highlight=False, soft_wrap=True)
    if "page" in made:
        console.print(f"Start a run with: webnn create digits --stage {stage}", highlight=False)


def _bring_up(where: Environment, parts: tuple[str, ...], api: str | None, steps: Steps, made: dict[str, str]) -> None:
    if "infrastructure" in parts:
        with steps.step(STEPS["infrastructure"]) as news:
            _stack(where, news)
    if "functions" in parts:
        with steps.step(STEPS["functions"]) as news:
            made["api"] = _functions_that_answer(where, news)
    if "site" in parts:
        with steps.step(STEPS["site"]) as news:
            made["api"] = made.get("api") or _mounted(where, api, news)
            made["page"] = _site(where, made["api"], news)
        with steps.step(STEPS["check"]) as news:
            _check_page(made["page"], made["api"], news)


@contextmanager
def _resumable(stage: str, only: tuple[str, ...], api: str | None, console: Console) -> Iterator[None]:
    """Says, whatever broke it off, how to go on."""
    where = [f"--api {api}"] if api else []
    again = " ".join(["webnn deploy", "--stage", stage, *(f"--only {part}" for part in only), *where])
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"Interrupted. What is done stays done; to go on where this broke off: {again}", soft_wrap=True)
        sys.exit(STOPPED)
    except Exception:
        console.print(f"What is done stays done. When what follows is mended, go on with: {again}", soft_wrap=True)
        raise


@click.command()
@stages.option
@click.option("--delete-data", is_flag=True, help="Also delete the table and the buckets with all runs.")
@stages.YES
def destroy(stage: str, delete_data: bool, yes: bool) -> None:
    """Take a stage down. Its data stays unless told otherwise."""
    console, where = Console(), stages.of(stage)
    if not yes:
        question = f"Take stage {stage} down{' and delete the data of all its runs' if delete_data else ''}?"
        click.confirm(question, abort=True, err=True)
    if _record(where).is_file():
        with stages.working(console, "the functions and the API") as news:
            _chalice(where, "delete", news)
    else:
        console.print(
            f"This checkout has deployed no functions to {stage}: {_record(where)} is not there.", soft_wrap=True
        )
    with stages.working(console, "the stack") as news:
        looks = wiring.paced(PATIENCE_SECONDS, LOOK_SECONDS)
        delete(aws.stack_clients(where), stage, looks, news, keep_data=not delete_data)


def _parts(stage: str, only: tuple[str, ...], api: str | None) -> tuple[str, ...]:
    """What is to be done. Raises Invalid or Missing if it cannot be."""
    parts = only or PARTS
    if "functions" in parts and stage not in stages.known():
        raise Invalid(
            f"WebNN's own app has no stage {stage}, only {', '.join(stages.known())}. If WebNN is in an app of "
            "yours, the functions come with that: add --only infrastructure here, and see docs/embedding.md"
        )
    if api and ("functions" in parts or "site" not in parts):
        raise Invalid("--api tells the site of an API that another app has mounted: it goes with --only site")
    if "site" in parts and not (stages.WEB / "index.html").is_file():
        raise Missing("the web client is not built: run `make setup`")
    return parts


def _functions_that_answer(where: Environment, news: Callable[[str], None]) -> str:
    """Deploys the functions and gives the API's address once a route has answered."""
    deployed = _functions(where, news)
    news("answers of the gateway")
    ensure_gateway_cors(aws.client(where, "apigateway"), deployed.rest_api_id, API_STAGE)
    news(f"waiting for {deployed.url}/runs")
    _assert_answers(deployed.url)
    return deployed.url


def _mounted(where: Environment, api: str | None, news: Callable[[str], None]) -> str:
    """The address of an API that is there already: as told, or of what this checkout deployed."""
    if api is None and not _record(where).is_file():
        raise Invalid(f"this checkout has deployed no functions to {where.stage}: say where its API is, with --api URL")
    url = _deployed(where).url if api is None else api.rstrip("/")
    news(f"waiting for {url}/runs")
    _assert_answers(url)
    return url


def _site(where: Environment, api: str, news: Callable[[str], None]) -> str:
    site = read_outputs(aws.client(where, "cloudformation"), where.stage).site
    return upload_site(aws.s3_client(where), site, stages.WEB, {"api": api, "stage": where.stage}, news)


def _stack(where: Environment, news: Callable[[str], None]) -> StackOutputs:
    looks = wiring.paced(PATIENCE_SECONDS, LOOK_SECONDS)
    template = stages.TEMPLATE.read_text()
    return create_or_update(aws.stack_clients(where), where.stage, template, wiring.new_secret(), looks, news)


def _functions(where: Environment, news: Callable[[str], None]) -> Deployed:
    _chalice(where, "deploy", news)
    return _deployed(where)


def _deployed(where: Environment) -> Deployed:
    record = _record(where)
    resources = json.loads(record.read_text())["resources"]
    found = next((one for one in resources if one["resource_type"] == "rest_api"), None)
    if found is None:
        raise Unavailable("chalice deployed no API", record=str(record))
    return Deployed(found["rest_api_id"], _api_url(where, found["rest_api_id"], found["rest_api_url"]))


def _record(where: Environment) -> Path:
    """What Chalice remembers of what it deployed."""
    return stages.CHECKOUT / ".chalice" / "deployed" / f"{where.stage}.json"


def _api_url(where: Environment, rest_api_id: str, on_aws: str) -> str:
    """Engines serve an API below their endpoint; on AWS it has a host of its own."""
    if where.endpoint_url is None:
        return on_aws.rstrip("/")
    return f"{where.endpoint_url}/_aws/execute-api/{rest_api_id}/{API_STAGE}"


def _chalice(where: Environment, verb: str, news: Callable[[str], None]) -> None:
    """Runs Chalice as a person would, and passes on what it says. Raises Unavailable with that if it fails."""
    beside = Path(sys.executable).with_name("chalice")
    command = str(beside) if beside.exists() else shutil.which("chalice")
    if command is None:
        raise Missing("chalice is not installed here: run `make setup`")
    environment = {**os.environ, "WEBNN_STAGE": where.stage, "AWS_DEFAULT_REGION": where.region}
    said: list[str] = []
    with subprocess.Popen(
        [command, verb, "--stage", where.stage],
        cwd=stages.CHECKOUT,
        env={**environment, "PYTHONUNBUFFERED": "1"},  # or it would say all at the end
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for us: see `_heard`
    ) as running:
        interrupted = _heard(running, said, news)
    if interrupted:
        raise KeyboardInterrupt
    if running.returncode != 0:
        raise Unavailable(f"chalice {verb} failed", log="".join(said[-LOG_LINES:]))
    if any("Could not install dependencies" in line for line in said):
        # Chalice warns and goes on; the functions would fail at their first import.
        raise Invalid("chalice left a dependency out of the package", log="".join(said))


def _heard(running: "subprocess.Popen[str]", said: list[str], news: Callable[[str], None]) -> bool:
    """Passes on what Chalice says until it ends; whether it was interrupted.

    Chalice writes down what it has made when it has made all of it. Broken off before, it would not know an API of its
    own and make another: so the first Ctrl-C lets it finish, and only the second ends it.
    """
    lines = iter(running.stdout or ())
    for interrupted in (False, True):
        try:
            for line in lines:
                said.append(line)
                news(line.strip())
            running.wait()
        except KeyboardInterrupt:
            news("Chalice finishes what it has begun; Ctrl-C again breaks it off")
            if interrupted:
                os.killpg(running.pid, signal.SIGTERM)
            continue
        return interrupted
    return True


def _check_page(page: str, api: str, news: Callable[[str], None]) -> None:
    """The site is believed when its page is there, and beside it the address of this API."""
    news(page)
    with requests.Session() as session:
        session.trust_env = "127.0.0.1" not in page
        last = "nothing"
        for _ in wiring.paced(ROUTE_SECONDS, LOOK_SECONDS):
            try:
                found = session.get(page, timeout=30)
                told = session.get(urljoin(page, "config.json"), timeout=30)
                last = f"{found.status_code}, config.json {told.status_code} {told.text[:300]}"
                if (found.status_code, told.status_code) == (200, 200) and told.json().get("api") == api:
                    return
            except (requests.RequestException, ValueError) as error:
                last = f"{last}: {error}"
    raise Unavailable(f"{page} does not lead to {api} as it should", log=last)


def _assert_answers(url: str) -> None:
    """A deployment is believed when a route has answered."""
    last = "nothing"
    with requests.Session() as session:
        session.trust_env = "127.0.0.1" not in url  # a proxy could not reach this machine's loopback
        for _ in wiring.paced(ROUTE_SECONDS, LOOK_SECONDS):
            try:
                answer = session.get(f"{url}/runs", timeout=30)
                last = f"{answer.status_code} {answer.text[:500]}"
                if answer.status_code == 200 and "runs" in answer.json():
                    return
            except requests.RequestException as error:
                last = f"{last}: {error}"
    raise Unavailable(f"{url}/runs does not answer as it should", log=last)
