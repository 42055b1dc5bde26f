"""How `fit` shows a run: in a notebook as a picture that changes in its place, in a terminal as `webnn watch` does."""

import html
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from webnn import chart
from webnn.cli import dashboard
from webnn.cli.code import Code
from webnn.cli.silence import Silence
from webnn.cli.watch import changes, line
from webnn.core.records import Status
from webnn.errors import Missing
from webnn.story import Standing, Story

HERE_ONLY = "This stage is on this machine, and only its own browsers can open the page."
PAUSES = "Ctrl-C pauses the run"
STYLE = "font-family: system-ui, sans-serif; display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start"

Look = Callable[[Story, Standing | None, str | None], None]


class Shown:
    """What is shown of one run, where the program runs."""

    def __init__(self, name: str, code: Code, *, local: bool, quiet: bool) -> None:
        """Takes what there is to say: the run's name, its link, whether it is on this machine; or silence."""
        self._name, self._code, self._local, self._quiet = name, code, local, quiet
        self._console = console(stderr=False, quiet=quiet)
        self._display: Any = None if quiet else _display()

    def say(self, text: str) -> None:
        """A line."""
        if not self._quiet:
            self._console.print(Text(text), soft_wrap=True)

    def link(self) -> None:
        """The page and its QR code. In a notebook they come with the picture."""
        if self._quiet or self._display:
            return
        self._console.print("Whoever opens this page and presses Start trains with you:", highlight=False)
        self._console.print(Text(f"  {self._code.link}", "bold"), soft_wrap=True)
        self._code.draw(self._console)
        if self._local:
            self._console.print(HERE_ONLY, highlight=False, soft_wrap=True)

    @contextmanager
    def live(self) -> Iterator[Look]:
        """What is to be called with each look at the run, for as long as the block lasts."""
        if self._quiet:
            yield lambda _story, _standing, _note: None
        elif self._display:
            with self._in_notebook() as look:
                yield look
        elif self._console.is_terminal:
            with Live(console=self._console, auto_refresh=False) as live:
                yield lambda story, standing, note: self._draw(live, story, standing, note)
        else:
            yield _lines()

    def _draw(self, live: Live, story: Story, standing: Standing | None, note: str | None) -> None:
        if standing is not None:
            live.update(dashboard.picture(story, standing, note, self._console.height, foot=PAUSES), refresh=True)
        elif note:
            live.update(Text(note, "yellow"), refresh=True)

    @contextmanager
    def _in_notebook(self) -> Iterator[Look]:
        handle = self._display(_html(self.page(None, None, None)), display_id=True)

        def look(story: Story, standing: Standing | None, note: str | None) -> None:
            handle.update(_html(self.page(story, standing, note)))

        yield look

    def page(self, story: Story | None, standing: Standing | None, note: str | None) -> str:
        """A piece of HTML: link, QR code, where the run stands, how it learns."""
        link, name = html.escape(self._code.link), html.escape(self._name)
        where = f"<br><small>{HERE_ONLY}</small>" if self._local else ""
        said = "starting" if standing is None else _facts(standing)
        said += f"<br><small>{html.escape(note)}</small>" if note else ""
        curves = _curves(story) if story is not None and story.evaluations else ""
        return (
            f'<div style="{STYLE}"><div>{self._code.svg(3)}</div><div><b>{name}</b><br>Whoever opens this page and '
            f'presses Start trains with you:<br><a href="{link}" target="_blank" rel="noopener">{link}</a>{where}'
            f'<p role="status">{said}</p></div><div style="flex-basis: 100%; max-width: 46em">{curves}</div></div>'
        )


def console(*, stderr: bool, quiet: bool) -> Console:
    """Where words go. A notebook is no terminal, and rich's own pictures in one take a package more."""
    plain = False if _display() else None
    return Console(stderr=stderr, quiet=quiet, force_jupyter=False, force_terminal=plain)


def _lines() -> Look:
    last: list[object] = [None]
    silence = Silence(lambda said: print(said, file=sys.stderr))

    def look(_story: Story, standing: Standing | None, _note: str | None) -> None:
        silence.looked(standing is not None)
        if standing is not None and not standing.catching_up and (now := changes(standing)) != last[0]:
            last[0] = now
            line(standing)

    return look


def _facts(standing: Standing) -> str:
    colour = {Status.RUNNING: "#2f855a", Status.PAUSED: "#c05621", Status.FINISHED: "#2b6cb0"}[standing.status]
    accuracy = "not evaluated yet"
    if standing.accuracy is not None:
        accuracy = (
            f"accuracy <b>{standing.accuracy:.2%}</b>, loss {standing.loss:.4f} at version {standing.evaluated_version}"
        )
    clients = f"{standing.clients} client{'' if standing.clients == 1 else 's'}"
    lamp = f'<span style="color: {colour}" aria-hidden="true">●</span>'
    pace = "" if standing.status is Status.FINISHED else f"{standing.updates_per_second:.2f} updates a second, "
    moving = f"version {standing.version:,}, {clients}, {pace}{dashboard.duration(standing.seconds)}"
    return f"{lamp} <b>{standing.status}</b>, {accuracy}<br>{moving}"


def _curves(story: Story) -> str:
    """Accuracy and loss by time as SVG; without matplotlib the accuracy as a line of bars."""
    points = list(story.evaluations)
    try:
        figure = chart.learnt(points)
    except Missing:
        return html.escape(dashboard.sparkline([one.accuracy for one in points], dashboard.SPARKS))
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    text = drawn.getvalue()
    label = (
        f'<svg role="img" aria-label="Accuracy and loss of {len(points)} evaluations" style="width: 100%; height: auto"'
    )
    return text[text.index("<svg") :].replace("<svg", label, 1)


def _display() -> Any:
    """IPython's `display`, if this runs in a notebook's kernel; else None."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython  # noqa: PLC0415  # only a notebook has it
    from IPython.display import display  # noqa: PLC0415

    return display if getattr(get_ipython(), "kernel", None) is not None else None


def _html(text: str) -> Any:
    from IPython.display import HTML  # noqa: PLC0415  # only a notebook has it

    return HTML(text)
