"""`webnn ledger`, `replay`, `rollback` and `unmerge`, as somebody types them."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from samples import World, a_world, an_evaluation

from webnn.cli.main import webnn
from webnn.errors import Corrupt, Invalid


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start([1, 2, 3])
    for delta in ([1, 0, 0], [0, 1, 0]):
        found.contribute(delta, base_version=found.head.version)
        found.drain()
    return found


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)

    def run(*words: str, columns: str = "160") -> Result:
        return CliRunner(env={"COLUMNS": columns}).invoke(webnn, [*words, "--stage", "dev"])

    return run


def test_a_narrow_terminal_is_shown_the_ledger_without_hashes(typed: Callable[..., Result]) -> None:
    def lines(columns: str) -> list[str]:
        return typed("ledger", "line", columns=columns).stdout.splitlines()

    assert "checkpoint" in lines("120")[1]
    assert "checkpoint" not in lines("80")[1]
    assert "discount" in lines("80")[1]
    assert [line.split()[1] for line in lines("80")[3:-1]] == ["0", "1", "2"]  # each in one line


def test_the_ledger_shows_every_commit(typed: Callable[..., Result]) -> None:
    shown = typed("ledger", "line")
    assert shown.exit_code == 0
    assert [line.split()[1] for line in shown.stdout.splitlines()[3:-1]] == ["0", "1", "2"]
    entries = [json.loads(line) for line in typed("ledger", "line", "--json").stdout.splitlines()]
    assert [entry["version"] for entry in entries] == [0, 1, 2]
    assert [entry["previous"] for entry in entries[1:]] == [entry["digest"] for entry in entries[:-1]]


def test_a_replay_that_finds_everything_again_says_so(typed: Callable[..., Result], world: World) -> None:
    assert "bit for bit" in typed("replay", "line").stdout
    (line,) = typed("replay", "line", "--to", "1", "--json").stdout.splitlines()
    assert json.loads(line) == {
        "run": "line",
        "version": 1,
        "sha256": world.catalog.ledger_entry("line", 1).sha256,
        "from": 0,
        "identical": True,
    }


def test_a_replay_that_does_not_ends_with_the_difference(typed: Callable[..., Result], world: World) -> None:
    for key in [key for key in world.blobs._blobs if key.startswith("updates/")]:
        world.blobs._blobs[key] = bytes(12)
    shown = typed("replay", "line")
    assert shown.exit_code == 1
    assert isinstance(shown.exception, Corrupt)
    assert shown.exception.message.startswith("version 1: the body of update ")


def test_a_rollback_and_an_unmerge_are_told_and_kept_in_the_ledger(typed: Callable[..., Result], world: World) -> None:
    update = world.catalog.ledger_entry("line", 1).updates[0].update_id
    assert "version 3, generation 1: the weights of version 1" in typed("rollback", "line", "--to", "1").stdout
    assert world.weights == [2, 2, 3]
    assert "version 4, generation 2" in typed("unmerge", "line", "--update", update).stdout
    assert world.weights == [1, 2, 3]
    shown = typed("ledger", "line").stdout
    assert "back to 1" in shown
    assert typed("replay", "line").exit_code == 0


def test_an_unmerge_of_nothing_is_refused(typed: Callable[..., Result]) -> None:
    assert isinstance(typed("unmerge", "line").exception, Invalid)


def test_an_unmerge_of_something_the_head_does_not_hold_moves_nothing(
    typed: Callable[..., Result], world: World
) -> None:
    """One of two was mistyped; it was passed over, and recorded as left out."""
    (line,) = world.catalog.ledger_entry("line", 1).updates
    shown = typed("unmerge", "line", "--update", line.update_id, "--client", "bob[/me]")
    assert isinstance(shown.exception, Invalid)
    assert "'bob[/me]'" in shown.exception.message
    assert world.head.version == 2


@pytest.mark.parametrize(("option", "field"), [("--update", "client_id"), ("--client", "update_id")])
def test_an_id_of_the_other_kind_is_refused(
    option: str, field: str, typed: Callable[..., Result], world: World
) -> None:
    """It names something that the head holds, and would have left nothing out."""
    (line,) = world.catalog.ledger_entry("line", 1).updates
    assert isinstance(typed("unmerge", "line", option, getattr(line, field)).exception, Invalid)
    assert world.head.version == 2


def test_the_ledger_is_shown_whatever_was_left_out(typed: Callable[..., Result], world: World) -> None:
    world.contribute([1, 0, 0], base_version=2, client_id="bob[/me]")
    world.drain()
    assert typed("unmerge", "line", "--client", "bob[/me]").exit_code == 0
    assert "4 (without bob[/me])" in typed("ledger", "line").stdout


def test_json_is_json_though_an_evaluation_is_no_number(typed: Callable[..., Result], world: World) -> None:
    world.catalog.record_evaluation(replace(an_evaluation("line", 2), loss=float("nan")))
    found = json.loads(typed("status", "line", "--json").stdout, parse_constant=pytest.fail)
    assert found["run"] == "line"
