"""`webnn contribute`: this machine takes part in a run, without a browser."""

import json
import signal
import sys
from types import FrameType

import click
from rich.console import Console
from rich.text import Text

from webnn.cli.dashboard import duration, size
from webnn.contributing.client import Client, Contribution, Event

LINE = {
    "joined": "joined as {client_id}",
    "evaluated": "version {version} has an accuracy of {accuracy:.2%}",
    "waiting": "waiting {seconds:.0f} s: {reason}",
    "error": "{message}",
}


@click.command()
@click.argument("where")
@click.option("--run", "name", default=None, help="The run's name, where WHERE is the address of an API.")
@click.option("--power", type=click.FloatRange(1, 100), default=100.0, show_default=True,
              help="Percent of the time that training may take.")  # fmt: skip
@click.option("--updates", type=click.IntRange(min=1), default=None, help="Leave after so many.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="Leave after so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each event, the sum as the last.")
def contribute(
    where: str, name: str | None, power: float, updates: int | None, seconds: float | None, as_json: bool
) -> None:
    """Take part in a run as a browser does.

    Over the HTTP API alone, until the run is over or Ctrl-C.

    WHERE is the link that people join by, or with --run the address of an API. Chains of dense layers are trained with
    numpy, other models with TensorFlow (the extra `tf`).
    """
    client, console = Client(where, name), Console(stderr=as_json)
    wanted = {"updates": updates, "seconds": seconds}

    def leave(_signal: int, _frame: FrameType | None) -> None:
        client.stop()

    for which in (signal.SIGINT, signal.SIGTERM):
        signal.signal(which, leave)

    def told(event: Event) -> None:
        if as_json:
            print(json.dumps(event), flush=True)
        elif event["type"] in LINE:
            console.print(Text(LINE[event["type"]].format(**event), "yellow" if event["type"] == "error" else ""))

    until = {key: value for key, value in wanted.items() if value is not None}
    done = client.contribute(power=power, until=until, on_event=told)
    if as_json:
        print(json.dumps({"type": "sum", "run": client.run, **_members(done)}), flush=True)
        return
    said = (
        f"{client.run}: {done.updates} updates sent, {done.merged} known to be merged, {done.examples:,} examples in "
        f"{duration(done.seconds)}, {size(done.bytes_up)} up, {size(done.bytes_down)} down. It ended: {done.reason}."
    )
    console.print(said, highlight=False, soft_wrap=True)
    sys.stdout.flush()


def _members(done: Contribution) -> dict[str, object]:
    return {name: getattr(done, name) for name in done.__struct_fields__}
