"""The `webnn` command: its subcommands, and what an error looks like to the person who typed it."""

import sys
from io import TextIOWrapper

import click
from rich.console import Console
from rich.text import Text

from webnn import __version__, aws
from webnn.cli.budget import budget
from webnn.cli.completion import completion
from webnn.cli.contribute import contribute
from webnn.cli.control import copy, pause, reset, retrain, start, stop
from webnn.cli.cost import cost
from webnn.cli.delete import delete
from webnn.cli.demo import demo
from webnn.cli.deploy import deploy, destroy
from webnn.cli.dev import dev
from webnn.cli.doctor import doctor
from webnn.cli.grouped import Grouped
from webnn.cli.keras import evaluate, export, import_model
from webnn.cli.ledger import ledger, replay, rollback, unmerge
from webnn.cli.logs import logs, plot
from webnn.cli.policies import policies
from webnn.cli.project import new, push, train, validate
from webnn.cli.redrive import redrive
from webnn.cli.rules import rules
from webnn.cli.runs import create
from webnn.cli.save import save
from webnn.cli.simulate import simulate
from webnn.cli.status import list_runs, status
from webnn.cli.watch import watch
from webnn.errors import WebnnError


@click.group(cls=Grouped, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="webnn")
def webnn() -> None:
    """Train neural networks in the browsers of people who lend their machines."""


for command in (
    demo,
    dev,
    deploy,
    destroy,
    doctor,
    policies,
    new,
    validate,
    push,
    train,
    create,
    list_runs,
    status,
    pause,
    start,
    stop,
    reset,
    retrain,
    copy,
    save,
    delete,
    watch,
    plot,
    logs,
    cost,
    budget,
    import_model,
    export,
    evaluate,
    ledger,
    replay,
    rollback,
    unmerge,
    redrive,
    rules,
    simulate,
    contribute,
    completion,
):
    webnn.add_command(command)


def main() -> None:
    """Runs the command; deliberate errors and refusals of AWS become a line on standard error and exit status 1."""
    _spare_terminals_without_utf8()
    try:
        webnn()
    except WebnnError as error:
        _tell(f"{error.message}: {error.advice}" if error.advice else error.message, error.details.get("log"))
        sys.exit(1)
    except Exception as error:
        said = aws.refusal(error)
        if said is None:
            raise
        _tell(f"AWS refuses. {said.rstrip('.')}; `webnn doctor`, with the same --stage, says what is missing")
        sys.exit(1)


def _spare_terminals_without_utf8() -> None:
    """Shows a question mark in the place of a sign that a terminal does not have; else the command would end there."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _tell(message: str, log: object = None) -> None:
    console = Console(stderr=True)
    # Not as markup: a folder may be called [red]. Not wrapped: a line can be found by what it says.
    console.print(Text.assemble(("Error:", "red"), " ", message), soft_wrap=True)
    if log:
        console.print(str(log), markup=False, highlight=False)
