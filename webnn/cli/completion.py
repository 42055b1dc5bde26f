"""Shell completion: `webnn completion`, and the runs of a stage for a shell that asks."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import click
from click.shell_completion import get_completion_class

from webnn.census import all_runs
from webnn.cli import stage as stages

PROGRAM, VARIABLE = "webnn", "_WEBNN_COMPLETE"
SHELLS = ("bash", "zsh", "fish")
PATIENCE_SECONDS = 2.0  # nobody waits longer for a key, unless WEBNN_COMPLETION_SECONDS says so


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete what is typed.

    That is commands, options, stages and the names of runs.

    For bash: eval "$(webnn completion bash)" in ~/.bashrc; for zsh the same in ~/.zshrc; for fish: webnn completion
    fish > ~/.config/fish/completions/webnn.fish.
    """
    found = get_completion_class(shell)
    assert found is not None  # by SHELLS
    click.echo(found(context.find_root().command, {}, PROGRAM, VARIABLE).source())


def _names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names of the stage's runs; none if it does not say at once, or cannot be reached."""
    try:
        with _for_a_moment():
            found = list(all_runs(stages.services(context.params.get("stage") or stages.DEFAULT).catalog))
    except Exception:  # a shell that completes has no use for an error, whatever it is
        return []
    return [name for name in found if name.startswith(incomplete)]


class _TooLateError(Exception):
    """The stage did not answer in time."""


@contextmanager
def _for_a_moment() -> Iterator[None]:
    """Breaks off what takes too long: AWS's clients wait for a minute where there is no network."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"  # or keys are looked for on a machine that is none of AWS's

    def too_late(_signal: int, _frame: FrameType | None) -> None:
        raise _TooLateError

    before = signal.signal(signal.SIGALRM, too_late)
    patience = float(os.environ.get("WEBNN_COMPLETION_SECONDS", PATIENCE_SECONDS))
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


run = click.argument("name", shell_complete=_names)
