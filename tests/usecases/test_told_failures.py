"""What an owner is told of clients that cannot train, by each command that looks at a run."""

import io
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from samples import World, a_world

from webnn.cli import dashboard, doctor, follow
from webnn.cli.main import webnn
from webnn.core.records import Status
from webnn.failures import Report
from webnn.story import Story

Typed = Callable[..., Result]


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    return found


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
    monkeypatch.setattr("webnn.wiring.now", world.clock)
    return lambda *words: CliRunner().invoke(webnn, [*words, "--stage", "dev"], catch_exceptions=False)


def fails(world: World, message: str, detail: str = "") -> None:
    member = world.services.clients.join("line")
    world.services.failures.report(member, Report("trainer", message, detail, version=3))


class TestStatus:
    def test_is_silent_where_nobody_failed(self, typed: Typed) -> None:
        assert "could not train" not in typed("status", "line").stdout
        assert json.loads(typed("status", "line", "--json").stdout)["failures"] == {
            "clients": 0, "more": False, "alike": [],
        }  # fmt: skip

    def test_counts_by_words_and_says_how_long_ago(self, typed: Typed, world: World) -> None:
        for message in ("it broke", "it broke", "[red]Unknown[/] layer\x1b[2J"):
            fails(world, message)
        world.clock.now += 150_000
        said = typed("status", "line").stdout
        for part in ("3 clients, the last 2 minutes ago", "2: it broke", "1: [red]Unknown[/] layer [2J"):
            assert part in said
        assert "\x1b" not in said
        failures = json.loads(typed("status", "line", "--json").stdout)["failures"]
        assert failures["clients"] == 3
        assert {one["message"]: one["clients"] for one in failures["alike"]} == {
            "it broke": 2, "[red]Unknown[/] layer [2J": 1,
        }  # fmt: skip

    def test_lists_the_newest_few_of_many_kinds(self, typed: Typed, world: World) -> None:
        for number in range(9):
            world.clock.now += 1
            fails(world, f"reason {number}")
        said = typed("status", "line").stdout
        assert "1: reason 8" in said
        assert "… and 4 more" in said
        assert "reason 3" not in said


class TestFollowing:
    def test_says_it_once_each_time_it_changes(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def looks(*_: object) -> object:
            for number in range(3 * follow.LOOKS_FOR_TROUBLE):
                if number == follow.LOOKS_FOR_TROUBLE:
                    fails(world, "it broke", "Error: [bold]out of memory[/]")
                yield
            world.catalog.set_status(world.head, Status.FINISHED)
            yield

        monkeypatch.setattr("webnn.wiring.paced", looks)
        shown = io.StringIO()
        services = world.services
        follow.follow(services.runs, services.failures, "line", Console(file=shown, width=200))
        lines = [line for line in shown.getvalue().splitlines() if "could not train" in line]
        assert lines == ["1 client could not train: it broke (Error: [bold]out of memory[/])"]


class TestWatching:
    def test_draws_the_newest_words_and_tells_them_in_a_line(self, typed: Typed, world: World) -> None:
        fails(world, "first")
        world.clock.now += 1
        fails(world, "[red]second")
        story = Story(world.catalog, "line", world.clock)
        shown = io.StringIO()
        console = Console(file=shown, width=150)
        console.print(dashboard.picture(story, story.look(), None, 30))
        assert "2 clients could not train, for 2 reasons; the last: [red]second" in shown.getvalue()
        world.catalog.set_status(world.head, Status.FINISHED)
        assert "; 2 clients could not train, for 2 reasons; the last: [red]second" in typed("watch", "line").stdout
        last = typed("watch", "line", "--json").stdout.splitlines()[-1]
        assert json.loads(last)["failures"]["clients"] == 2

    def test_reads_them_again_after_a_while(self, world: World) -> None:
        story = Story(world.catalog, "line", world.clock)
        story.look()
        fails(world, "it broke")
        assert story.look().failures.clients == 0
        world.clock.now += 5_000
        assert story.look().failures.clients == 1


class TestDoctor:
    @pytest.mark.usefixtures("typed")
    def test_names_the_runs_whose_clients_cannot_train(self, world: World) -> None:
        a_world(world.catalog, world.blobs, world.clock, world.ids, name="other").start()
        (well,) = doctor._runs("dev")
        assert (well.state, "line" in well.said, "other" in well.said) == ("ok", True, True)
        fails(world, "it broke")
        (found,) = doctor._runs("dev")
        assert (found.what, found.state, found.mend) == ("run line", "warn", "webnn status line --stage dev")
        assert found.said == "1 client could not train: it broke"
