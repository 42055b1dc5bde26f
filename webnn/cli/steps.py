"""A piece of work in steps, as one view: what is done, what is being done, what is to come, and how long each took."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from webnn import wiring

News = Callable[[str], None]
TO_COME, DONE, BROKEN = Text("·", "dim"), Text("✓", "green"), Text("✗", "red")


class Steps:
    """The steps of a piece of work. In a terminal a picture that changes, elsewhere a line for each that is done."""

    def __init__(self, names: Sequence[str], console: Console) -> None:
        """Takes the steps in their order."""
        self._names = list(names)
        self._console = console
        self._seconds: dict[str, float] = {}
        self._broken: str | None = None
        self._at: tuple[str, float, str] | None = None
        self._spinner = Spinner("dots")
        self._live = Live(console=console, get_renderable=self._picture, refresh_per_second=8)

    @contextmanager
    def shown(self) -> Iterator["Steps"]:
        """Shows them for as long as the block lasts, and how they stand at its end."""
        if not self._console.is_terminal:
            yield self
            return
        with self._live:
            yield self

    @contextmanager
    def step(self, name: str) -> Iterator[News]:
        """A step is being done; gives what takes the news of it."""
        began = wiring.elapsed()
        self._at = name, began, ""

        def news(text: str) -> None:
            self._at = name, began, text

        try:
            yield news
        except BaseException:
            self._broken = name
            self._line(BROKEN, name, wiring.elapsed() - began)
            raise
        finally:
            self._at = None
            self._seconds[name] = wiring.elapsed() - began
        self._line(DONE, name, self._seconds[name])

    @property
    def seconds(self) -> dict[str, float]:
        """How long each of the steps took that were begun."""
        return {name: round(seconds, 1) for name, seconds in self._seconds.items()}

    def _line(self, mark: Text, name: str, seconds: float) -> None:
        if not self._console.is_terminal:
            self._console.print(Text.assemble(mark, f" {name} ({_took(seconds)})"), soft_wrap=True)

    def _picture(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for _ in range(3):
            table.add_column()
        table.add_column(no_wrap=True, overflow="ellipsis")
        now = wiring.elapsed()
        for name in self._names:
            if self._at is not None and self._at[0] == name:
                table.add_row(
                    self._spinner, Text(name, "bold"), Text(_took(now - self._at[1]), "dim"), Text(self._at[2], "dim")
                )
            elif name in self._seconds:
                table.add_row(
                    BROKEN if name == self._broken else DONE, Text(name), Text(_took(self._seconds[name]), "dim"), ""
                )
            else:
                table.add_row(TO_COME, Text(name, "dim"), "", "")
        share = (len(self._seconds) - (self._broken is not None)) / max(1, len(self._names))
        table.add_row("", ProgressBar(total=1.0, completed=share, width=24), "", "")
        return table


def _took(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s"
