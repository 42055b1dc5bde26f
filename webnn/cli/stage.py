"""What the commands about a stage share: its clients, its services and where its files are."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from botocore.session import get_session
from click.shell_completion import CompletionItem
from rich.console import Console
from rich.text import Text

from webnn import aws, wiring
from webnn.errors import Invalid
from webnn.local import address
from webnn.local.stage import PROFILES
from webnn.settings import Environment, environment, settings
from webnn.stack.site import site_url
from webnn.wiring import Services

CHECKOUT = Path(__file__).resolve().parents[2]
TEMPLATE = CHECKOUT / "infra" / "stack.yaml"
WEB = CHECKOUT / "web" / "dist"

ON_AN_ENGINE = {"local", "localstack"}
DEFAULT = "dev"


def known() -> list[str]:
    """The stages that `.chalice/config.json` has."""
    return list(json.loads((CHECKOUT / ".chalice" / "config.json").read_text())["stages"])


class StageName(click.ParamType):  # type: ignore[type-arg]  # of no type yet in click 8.1
    """One of `known`, or the stage of an app that WebNN is mounted in: as `infra/stack.yaml` lets a stage be called."""

    name = "stage"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch("[a-z][a-z0-9]{1,15}", value):
            self.fail(f"{value!r} is no stage's name: a small letter, then 1 to 15 small letters or digits", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(each) for each in known() if each.startswith(incomplete)]


option = click.option(
    "--stage",
    envvar="WEBNN_STAGE",
    type=StageName(),
    default=DEFAULT,
    show_default=True,
    show_envvar=True,
    help=f"Which stage: {', '.join(known())}, or that of an app of yours.",
)

YES = click.option("--yes", is_flag=True, help="Do not ask first.")


def of(stage: str) -> Environment:
    """Where the stage is: endpoint, region and credentials come from where every AWS tool takes them.

    Where nothing says where the stage `local` is, it is the one that `webnn dev` keeps up.

    Raises:
        Invalid: No region is set, AWS's configuration is wrong, or a stage for engines would go to AWS.
        Missing: The stage is local, and `webnn dev` was killed.
    """
    if stage in ON_AN_ENGINE and not os.environ.get("AWS_ENDPOINT_URL"):
        _find_engine(stage)
    with aws.configured():
        region = get_session().get_config_variable("region")
    if region is None and "AWS_DEFAULT_REGION" not in os.environ and address.found(_dev_folder()):
        here = "--stage local (in Python, stage='local')"
        raise Invalid(f"set AWS_DEFAULT_REGION; or, for the stage that `webnn dev` keeps up here, add {here}")
    return environment({**({"AWS_DEFAULT_REGION": region} if region else {}), **os.environ, "WEBNN_STAGE": stage})


def _dev_folder() -> Path:
    return address.folder(CHECKOUT, os.environ)


def _find_engine(stage: str) -> None:
    """Lets this process's AWS clients speak to the stage that `webnn dev` keeps up. Raises Invalid if there is none."""
    dev = address.found(_dev_folder()) if stage == "local" else None
    if dev is None:
        other = "start `webnn dev` in another terminal, or " if stage == "local" else ""
        raise Invalid(f"stage {stage} is for an engine on this machine: {other}set AWS_ENDPOINT_URL")
    for name in PROFILES:  # would come before the keys
        os.environ.pop(name, None)
    os.environ.update(dev.environment)


def services(stage: str) -> Services:
    """The use cases on the stage. Raises Unavailable if its stack does not exist."""
    where = of(stage)
    return wiring.services_of(settings(where, aws.client(where, "ssm")))


def link(stage: str, run: str) -> str:
    """The page of the stage that whoever opens it joins the run on. Raises Unavailable if its stack does not exist."""
    where = of(stage)
    return f"{site_url(aws.s3_client(where), settings(where, aws.client(where, 'ssm')).site)}?run={run}"


def print_json(found: Any) -> None:
    """Prints one line of JSON. What is not a number is null: JSON knows no NaN."""
    print(msgspec.json.encode(found).decode())


@contextmanager
def working(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Shows that something is being done, and that it was; gives what shows the news of it meanwhile."""
    with console.status(what) as status:
        yield lambda news: status.update(Text(f"{what}: {news}"))
    console.print(f"[green]✓[/] {what}", highlight=False)
