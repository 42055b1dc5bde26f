"""`webnn watch`, as somebody looks at it."""

import io
import json
import os
import pty
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from faults import Faulty
from msgspec.structs import replace
from rich.console import Console
from samples import World, a_world, an_evaluation

from webnn.cli import dashboard
from webnn.cli import watch as module
from webnn.cli.main import webnn
from webnn.core.records import Status
from webnn.errors import Missing, Unavailable
from webnn.story import Story

TESTS = Path(__file__).resolve().parents[1]
# The first lines make the terminal the one whose Ctrl-C the process hears.
IN_A_TERMINAL = """
import fcntl, signal, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from unittest import mock
from samples import a_world, an_evaluation
from webnn.cli.main import webnn
world = a_world()
world.start()
world.contribute([0, 0, 0])
world.drain()
world.catalog.record_evaluation(an_evaluation("line", 1, accuracy=0.75))
with mock.patch("webnn.cli.stage.services", lambda _: world.services):
    webnn(["watch", "line", "--stage", "dev", "--every", "0.2"])
"""


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    return found


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
    return lambda *words: CliRunner().invoke(webnn, ["watch", *words, "--stage", "dev"])


def after_each_wait(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], None]) -> list[float]:
    """Instead of waiting, does the next of these; gives the seconds that should have been waited."""
    waited: list[float] = []
    left = list(acts)

    def sleep(seconds: float) -> bool:
        waited.append(seconds)
        left.pop(0)()
        return False

    monkeypatch.setattr(module, "_sleep", sleep)
    return waited


def finish(world: World) -> None:
    world.catalog.set_status(world.head, Status.FINISHED)


def merge(world: World) -> None:
    world.contribute([0, 0, 0], base_version=world.head.version)
    world.drain()


def test_without_a_terminal_there_is_a_line_for_each_change_till_the_run_is_finished(
    typed: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate() -> None:
        world.catalog.record_evaluation(an_evaluation("line", 1, accuracy=0.75))

    acts = [lambda: None, lambda: merge(world), lambda: None, evaluate, lambda: finish(world)]
    waited = after_each_wait(monkeypatch, *acts)
    shown = typed("line")
    assert shown.exit_code == 0
    assert [line.partition(" line ")[2].partition(",")[0] for line in shown.stdout.splitlines()] == [
        "running: version 0",
        "running: version 1",
        "running: version 1",
        "finished: version 1",
    ]
    assert "accuracy 75.00% loss 0.2500 at version 1" in shown.stdout
    assert ["updates/s" in line for line in shown.stdout.splitlines()] == [True, True, True, False]
    assert waited == [2.0] * 5


def test_json_is_an_object_for_each_change(
    typed: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_each_wait(monkeypatch, lambda: None, lambda: merge(world), lambda: finish(world))
    found = [json.loads(line) for line in typed("line", "--json").stdout.splitlines()]
    assert [(one["status"], one["version"]) for one in found] == [("running", 0), ("running", 1), ("finished", 1)]
    assert found[0]["accuracy"] is None
    assert found[1]["staleness_p95"] == 0


def test_a_silence_is_told_once_and_looks_get_rarer(
    typed: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = [True]

    def fails(name: str) -> None:
        if silent and name == "head":
            raise Unavailable("the table is away")

    faulty = replace(world.services, catalog=Faulty(world.catalog, before=fails))
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: faulty)
    waited = after_each_wait(monkeypatch, *[lambda: None] * 4, silent.clear, lambda: finish(world))
    shown = typed("line")
    assert shown.exit_code == 0, shown.exception
    assert waited == [4.0, 8.0, 16.0, 30.0, 30.0, 2.0]
    assert shown.stderr.splitlines() == ["The stage does not answer: trying again.", "The stage answers again."]
    assert len(shown.stdout.splitlines()) == 2


def test_a_run_that_is_not_there_ends_it(typed: Callable[..., Result]) -> None:
    assert isinstance(typed("no-such").exception, Missing)


@pytest.mark.parametrize("key", [b"q", b"Q", b"\x03"])
def test_in_a_terminal_there_is_a_picture_until_q_or_ctrl_c(key: bytes) -> None:
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "PYTHONPATH": f"{TESTS}:{TESTS.parent}",
        "TERM": "xterm",
        "COLUMNS": "100",
        "LINES": "30",
    }
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = read_until(ours, b"q leaves")
        os.write(ours, key)
        seen += read_until(ours, None)
        assert process.wait(30) == 0, seen.decode()
    os.close(ours)
    assert "75.00%" in seen.decode()


def read_until(terminal: int, wanted: bytes | None) -> bytes:
    """What was printed up to these bytes, or up to the end."""
    seen = b""
    while wanted is None or wanted not in seen:
        assert select.select([terminal], [], [], 60)[0], f"nothing more came after {seen.decode()}"
        try:
            read = os.read(terminal, 4096)
        except OSError:  # Linux's way to say that the other side was closed
            return seen
        if not read:
            return seen
        seen += read
    return seen


def test_the_picture_of_a_finished_run_speaks_of_nothing_that_goes_on(world: World) -> None:
    def drawn() -> str:
        story, shown = Story(world.catalog, "line", world.clock), io.StringIO()
        Console(file=shown, width=100).print(dashboard.picture(story, story.look(), None, 30))
        return shown.getvalue()

    merge(world)
    assert all(part in drawn() for part in ("q leaves; the run goes on", "a second in the last minute"))
    finish(world)
    assert "The run is finished." in drawn()
    assert not any(part in drawn() for part in ("q leaves", "a second"))


@pytest.mark.parametrize(
    ("values", "width", "bars"),
    [
        ([], 5, ""),
        ([0.5], 5, "▁"),
        ([0.0, 0.5, 1.0], 5, "▁▅█"),
        ([9.0, 0.0, 1.0], 2, "▁█"),
        ([0.0, float("nan"), 1.0], 5, "▁ █"),
        ([float("inf")], 5, ""),
    ],
)
def test_a_sparkline_goes_from_the_lowest_to_the_highest(values: list[float], width: int, bars: str) -> None:
    assert dashboard.sparkline(values, width) == bars


@pytest.mark.parametrize(
    ("counts", "bars", "last"),
    [
        ({0: 1}, "█", 0),
        ({0: 8, 1: 4, 3: 1}, "█▄ ▁", 3),
        ({0: 10, 99: 1}, "█          ▁", 99),
    ],
)
def test_a_histogram_shows_even_what_was_rare(counts: dict[int, int], bars: str, last: int) -> None:
    assert dashboard.histogram(Counter(counts), 12) == (bars, last)


@pytest.mark.parametrize(("count", "said"), [(999, "999 bytes"), (1_500, "1.5 kB"), (2_000_000_000, "2.0 GB")])
def test_sizes_are_said_in_words(count: int, said: str) -> None:
    assert dashboard.size(count) == said


@pytest.mark.parametrize(("seconds", "said"), [(5.9, "0:00:05"), (3_661, "1:01:01"), (90_000, "1 d 1:00:00")])
def test_durations_are_said_in_words(seconds: float, said: str) -> None:
    assert dashboard.duration(seconds) == said
