"""What the commands about a folder show while they work, and how a run is followed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from webnn import wiring
from webnn.cli import troubles
from webnn.cli.silence import Silence
from webnn.cli.words import on_the_way, percent
from webnn.core.records import Status
from webnn.errors import Unavailable
from webnn.failures import Failures
from webnn.publish import Progress as Uploaded
from webnn.runs import Description, Runs

LOOK_SECONDS = 1.0
LOOKS_FOR_TROUBLE = 5  # one of so many reads what clients report
NO_ANSWER = "no answer"
FOR_EVER = 1e10  # seconds

Show = Callable[[str, float | None, float | None], None]


@contextmanager
def shown(console: Console, what: str, *, at_once: bool = True, stays: bool = True) -> Iterator[Show]:
    """A progress bar; what it gives takes facts, how much is done, and of how much, where that is known.

    Where it is not to be there at once, it is from the first news on: what is refused before has none. Where it does
    not stay, nothing of it is left at the end, and without a terminal nothing is shown.
    """
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), TextColumn("{task.fields[facts]}"))
    bar = Progress(*columns, TimeElapsedColumn(), console=console, transient=not stays)
    task = bar.add_task(what, total=None, facts="")
    with ExitStack() as stack:

        def show(facts: str, done: float | None = None, total: float | None = None) -> None:
            if not bar.live.is_started:
                stack.enter_context(bar)
            bar.update(task, facts=facts, completed=done, total=total)

        if at_once:
            stack.enter_context(bar)
        yield show


def uploaded(found: Uploaded) -> str:
    """How far an upload is, for people."""
    shards = f"{found.shards} of {found.total} shards" if found.total else f"{found.shards} shards"
    there = found.bytes - found.sent
    return f"{shards}, {found.bytes / 1e6:.1f} MB" + (f", {there / 1e6:.1f} of them were there" if there else "")


def follow(runs: Runs, failures: Failures, run: str, console: Console) -> tuple[Description, bool]:
    """Shows how a run gets on until it is finished, or until Ctrl-C: where it stands then, and whether it is finished.

    The run itself takes no notice.
    """
    found, said = runs.describe(run), None
    silence = Silence(lambda news: console.print(Text(news, "yellow"), soft_wrap=True))
    try:
        with shown(console, run, stays=False) as show:  # how it ended is said whole afterwards
            for number, _ in enumerate(wiring.paced(FOR_EVER, LOOK_SECONDS)):
                new = _looked(runs, run)
                silence.looked(new is not None)
                if new is not None and number % LOOKS_FOR_TROUBLE == 0:
                    said = _trouble(failures, run, said, console)
                found = new or found
                accuracy = found.metrics.accuracy if found.metrics else None
                done = on_the_way(accuracy, found.spec.end.accuracy or 1.0)
                show(facts(found) if new else NO_ANSWER, done, 1.0)
                if found.head.status is Status.FINISHED:
                    return found, True
    except KeyboardInterrupt:
        pass
    return found, False


def _trouble(failures: Failures, run: str, said: str | None, console: Console) -> str | None:
    """Says what keeps clients from training, if that is not what was said last."""
    try:
        now = troubles.in_short(failures.look(run))
    except Unavailable:
        return said
    if now is not None and now != said:
        console.print(Text(now, "yellow"), soft_wrap=True)
    return now


def _looked(runs: Runs, run: str) -> Description | None:
    """Where it stands; None if the stage does not answer: the run may go on all the same."""
    try:
        return runs.describe(run)
    except Unavailable:
        return None


def facts(found: Description) -> str:
    """Where a run stands, for people."""
    metrics, goal = found.metrics, found.spec.end.accuracy
    accuracy = "not evaluated" if metrics is None else f"accuracy {metrics.accuracy:.2%}"
    aim = f" of {percent(goal)}" if goal is not None and metrics is not None else ""
    aim += f" (version {metrics.version})" if metrics is not None and metrics.version != found.head.version else ""
    clients = f"{found.clients} client{'' if found.clients == 1 else 's'}"
    status = "" if found.head.status is Status.RUNNING else f"{found.head.status}, "
    return f"{status}{accuracy}{aim}, version {found.head.version}, {clients}"
