"""`webnn doctor`: what is missing or misconfigured, and the command that mends it."""

import sys
from collections.abc import Iterator
from functools import partial

import click
import requests
from rich.console import Console
from rich.text import Text

from webnn import aws, wiring
from webnn.cli import stage as stages
from webnn.cli import troubles
from webnn.core.records import Status
from webnn.errors import Unavailable, WebnnError
from webnn.finding import Finding, fail, ok, warn
from webnn.local.machine import machine
from webnn.stack import health
from webnn.store.queues import Queue

MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
GET_SECONDS = 30


@click.command()
@click.option("--stage", type=stages.StageName(), envvar="WEBNN_STAGE", default=None,
              help="Look at this stage too. [default: only at this machine]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def doctor(stage: str | None, as_json: bool) -> None:
    """Say what is wrong with this machine or a stage.

    And the command that mends it.

    Changes nothing but one small object of the data bucket, which it deletes again. Exits with 1 if something fails.
    """
    found: list[Finding] = []
    console = Console(stderr=as_json)
    with console.status("looking"):
        for one in _findings(stage):
            found.append(one)
            if not as_json:
                _tell(console, one)
    well = all(one.state != "fail" for one in found)
    if as_json:
        stages.print_json({"stage": stage, "ok": well, "findings": found})
    sys.exit(0 if well else 1)


def _findings(stage: str | None) -> Iterator[Finding]:
    yield from machine(stages.CHECKOUT)
    if stage is None:
        return
    foreign = "" if stage in stages.known() else " --only infrastructure"
    remake = "webnn dev" if stage == "local" else f"webnn deploy --stage {stage}{foreign}"
    try:
        where = stages.of(stage)
        looking = health.Looking(
            where=where,
            clients=aws.stack_clients(where),
            sts=aws.client(where, "sts"),
            dead=partial(_dead, stage),
            get=_got,
            clock=wiring.now,
            remake=remake,
        )
    except WebnnError as error:
        yield fail("configuration", error.message, remake if stage in stages.ON_AN_ENGINE else "aws configure")
        return
    readable = True
    for one in health.stage(looking):
        readable &= one.state != "fail" or one.what == "page and API"
        yield one
    if readable:
        yield from _runs(stage)


def _runs(stage: str) -> Iterator[Finding]:
    """Whether clients of the runs that run can train."""
    services = stages.services(stage)
    running = [run.run for run in services.catalog.runs() if services.catalog.head(run.run).status is Status.RUNNING]
    well = True
    for run in running:
        said = troubles.in_short(services.failures.look(run))
        if said is not None:
            well = False
            yield warn(f"run {run}", said, f"webnn status {run} --stage {stage}")
    if running and well:
        yield ok("clients", f"none of those of {', '.join(running)} says that it could not train")


def _dead(stage: str) -> Queue:
    return aws.queue(stages.of(stage), f"webnn-{stage}-dead")


def _got(url: str) -> bytes:
    try:
        with requests.Session() as session:
            session.trust_env = "127.0.0.1" not in url  # a proxy could not reach this machine's loopback
            answer = session.get(url, timeout=GET_SECONDS)
    except requests.RequestException as error:
        raise Unavailable(f"{url} does not answer: {error}") from error
    if answer.status_code != 200:
        raise Unavailable(f"{url} answers with {answer.status_code}")
    return answer.content


def _tell(console: Console, one: Finding) -> None:
    mark, colour = MARKS[one.state]
    console.print(Text.assemble((mark, colour), " ", (one.what, "bold"), ": ", one.said), soft_wrap=True)
    if one.mend:
        console.print(Text.assemble("    mend it with: ", (one.mend, "bold")), soft_wrap=True)
