"""Somebody who does what a tutorial says, in a fresh folder."""

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from playwright.sync_api import Page
from steps import Changed, Clicked, Step, Typed, Written
from terminal import Terminal

SECONDS = 120.0
VARIES = re.compile(r"(…|\d[\d,.]*|─+|━+| +)")


class Reader:
    """Types, writes and clicks. Everything that was started ends with the block."""

    def __init__(self, folder: Path, environment: Mapping[str, str], new_page: Callable[[], Page]) -> None:
        self._folder, self._environment, self._new_page = folder, environment, new_page
        self._terminals: dict[str, Terminal] = {}
        self._page: Page | None = None
        self._open = ExitStack()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: TracebackType | object) -> None:
        self._open.close()

    def do(self, step: Step) -> None:
        """One step. Raises AssertionError if it goes otherwise than the page says."""
        if isinstance(step, Typed):
            self._type(step)
        elif isinstance(step, Written):
            path = self._folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
        elif isinstance(step, Changed):
            path = self._folder / step.path
            assert path.read_text().count(step.old) == 1, f"{step.path} has not once: {step.old}"
            path.write_text(path.read_text().replace(step.old, step.new))
        else:
            self._click(step)

    def _type(self, step: Typed) -> None:
        if step.terminal not in self._terminals:
            self._terminals[step.terminal] = Terminal(self._folder, self._environment)
            self._open.callback(self._terminals[step.terminal].close)
        terminal = self._terminals[step.terminal]
        if step.command == "^C":
            terminal.interrupt()
        elif step.command is not None:
            terminal.type(step.command)
        if not step.waits:
            terminal.printed(pattern(step.output or ""), SECONDS)
            return
        said, status = terminal.ended(SECONDS)
        assert status == step.exits, f"{step.command} exits with {status}:\n{said}"
        if step.output is not None:
            assert re.fullmatch(pattern(step.output), f"{bare(said)}\n"), f"the page says:\n{step.output}\nbut:\n{said}"

    def _click(self, step: Clicked) -> None:
        if step.verb == "Open":
            self._page = self._new_page()
            self._page.goto(self._address(step.what))
            return
        assert self._page is not None, "no page is open"
        if step.verb == "Press":
            button = self._page.get_by_role("button", name=step.what, exact=True)
            button.or_(self._page.get_by_role("link", name=step.what, exact=True)).click()
        elif step.verb == "Wait for":
            words = re.compile(within(step.what), re.IGNORECASE)
            self._page.get_by_text(words).first.wait_for(timeout=SECONDS * 1000)
        else:
            self._page.close()

    def _address(self, written: str) -> str:
        """The newest of such addresses that a terminal printed."""
        everything = "\n".join(terminal.said for terminal in self._terminals.values())
        found = re.findall(rf"{within(written)}(?=\s|$)", everything)
        assert found, f"nothing printed {written}"
        return str(found[-1])


def pattern(output: str) -> str:
    """Output as a page shows it: … stands for something in a line, a line of … for lines; figures may be others."""
    lines = [r"(?:.*\n)*?" if line.strip() == "…" else within(line.rstrip()) + r" *\n" for line in output.splitlines()]
    return "".join(lines)


def within(text: str) -> str:
    """A pattern of a text in which … stands for something, and figures and the widths of tables may be others."""
    return "".join(_one(part) for part in VARIES.split(text))


def _one(part: str) -> str:
    if part == "…":
        return ".*?"
    if part[:1].isdigit():
        return r"\d[\d,.]*"
    if part.strip("─━ ") == "" and part:
        return f"{part[:1]}+"
    return re.escape(part)


def bare(said: str) -> str:
    """Without empty lines before and after: what a bar that is gone again leaves."""
    return said.strip("\n").rstrip()
