"""`webnn dev`: a whole stage on this machine, for as long as the command runs."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.text import Text

from webnn import wiring
from webnn.cli import stage as stages
from webnn.errors import Missing
from webnn.local import address
from webnn.local.address import Address, Announce
from webnn.local.stage import App, LocalStage, local_stage

LOOK_SECONDS = 0.5
CLAIM_SECONDS, CLAIM_LOOK_SECONDS = 1.0, 0.1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON once the stage is up.")
@click.option("--env", "as_env", is_flag=True, help="Print what a shell must export to reach the one that is up.")
@click.option("--app", "folder", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
              default=None, help="Serve this Chalice app of yours, which WebNN is mounted in.")  # fmt: skip
@click.option("--prefix", default="", help="The url_prefix that it is mounted under there.")
def dev(as_json: bool, as_env: bool, folder: Path | None, prefix: str) -> None:
    """Keep a whole stage up on this machine.

    Engine, API, merging, pages. Everything listens on loopback only.

    Commands with --stage local find it by themselves. Its data lives in memory, and ends with it. Ctrl-C or SIGTERM
    stops it, with exit status 0.
    """
    where = address.folder(stages.CHECKOUT, os.environ)
    if as_env:
        _print_environment(address.found(where))
        return
    if folder is not None:
        _check_app(folder)
    app = App(folder or stages.CHECKOUT, "/" + prefix.strip("/") if prefix else "")
    for which in SIGNALS:
        signal.signal(which, _interrupted)
    console = Console(stderr=as_json)
    try:
        with address.claimed(where, wiring.paced(CLAIM_SECONDS, CLAIM_LOOK_SECONDS)) as announce:
            _keep_up(console, app, announce, as_json)
    except KeyboardInterrupt:
        console.print("Stopped. Nothing is left running.", highlight=False)
        sys.exit(0)


def _check_app(folder: Path) -> None:
    for needed in ("app.py", ".chalice/config.json"):
        if not (folder / needed).is_file():
            raise Missing(f"{folder} is no Chalice app: there is no {needed} in it (docs/embedding.md)")


def _interrupted(*_: object) -> NoReturn:
    """Once: what is being taken down in order is not to be interrupted again."""
    for which in SIGNALS:
        signal.signal(which, signal.SIG_IGN)
    raise KeyboardInterrupt


def _keep_up(console: Console, app: App, announce: Announce, as_json: bool) -> None:
    with console.status("setting up") as status, local_stage(status.update, app) as stage:
        known = Address(stage.page, stage.watcher, stage.api, os.getpid(), dict(stage.variables))
        announce(known)
        status.stop()
        if as_json:
            stages.print_json(_ready(known))
            sys.stdout.flush()
        else:
            _tell(console, stage)
        _listen(console, stage)


def _ready(known: Address) -> dict[str, object]:
    variables = known.environment
    return {
        "stage": variables["WEBNN_STAGE"],
        "page": known.page,
        "watch": known.watch,
        "api": known.api,
        "endpoint": variables["AWS_ENDPOINT_URL"],
        "region": variables["AWS_DEFAULT_REGION"],
        "pid": known.pid,
        "environment": variables,
    }


def _tell(console: Console, stage: LocalStage) -> None:
    engines = ", ".join(f"{name} {version}" for name, version in stage.versions.items())
    lines = (
        f"The stage [bold]local[/] is up on this machine ({engines}).",
        f"  To train: [bold]{stage.page}?run=NAME[/]",
        f"  To watch: {stage.watcher}?run=NAME",
        f"  The API:  {stage.api}",
        f"  The engine that answers for AWS: {stage.variables['AWS_ENDPOINT_URL']}",
        "In another terminal: [bold]webnn new mine --template digits[/], then [bold]webnn train mine --stage local[/]",
        'Other programs reach it after: [bold]eval "$(webnn dev --env)"[/]',
        "Its data is in memory and ends with it. Ctrl-C stops everything.",
    )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _listen(console: Console, stage: LocalStage) -> None:
    """Until somebody stops it, or a part of it ends: then Unavailable."""
    last: str | None = None
    while True:
        trouble = stage.listen()
        if trouble and trouble != last:
            console.print(Text(trouble, "yellow"), soft_wrap=True)
        last = trouble or last
        time.sleep(LOOK_SECONDS)


def _print_environment(known: Address | None) -> None:
    if known is None:
        raise Missing("`webnn dev` does not run here: start it in another terminal")
    for name, value in known.environment.items():
        print(f"export {name}={shlex.quote(value)}")
    print("unset AWS_PROFILE AWS_DEFAULT_PROFILE")
