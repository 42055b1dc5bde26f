"""What the commands about a stage share: its clients, its services and where its files are."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from webnn import aws, wiring
from webnn.settings import Environment, environment, settings
from webnn.wiring import Services

CHECKOUT = Path(__file__).resolve().parents[2]
TEMPLATE = CHECKOUT / "infra" / "stack.yaml"
WEB = CHECKOUT / "web" / "dist"

option = click.option(
    "--stage", envvar="WEBNN_STAGE", default="dev", show_default=True, help="Which stage: localstack, dev, prod."
)


def of(stage: str) -> Environment:
    """Where the stage is: the endpoint and the region come from the environment, as for every AWS tool."""
    return environment({**os.environ, "WEBNN_STAGE": stage})


def services(stage: str) -> Services:
    """The use cases on the stage. Raises Missing if its stack does not exist."""
    where = of(stage)
    return wiring.services_of(settings(where, aws.client(where, "ssm")))


@contextmanager
def working(console: Console, what: str) -> Iterator[None]:
    """Shows that something is being done, and that it was."""
    with console.status(what):
        yield
    console.print(f"[green]✓[/] {what}", highlight=False)
