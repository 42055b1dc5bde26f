"""`webnn create`: where the run is to be joined, and what is told of a name that is taken."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from samples import World, a_world

from webnn.cli.main import webnn
from webnn.errors import Conflict

LINK = "http://127.0.0.1:1/site/index.html?run="
Typed = Callable[..., Result]


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
    monkeypatch.setattr("webnn.cli.stage.link", lambda _, run: f"{LINK}{run}")

    def run(*words: str) -> Result:
        return CliRunner(env={"COLUMNS": "60"}).invoke(webnn, ["create", *words, "--stage", "dev"])

    return run


def test_it_tells_where_the_run_is_joined(typed: Typed) -> None:
    lines = typed("digits").stdout.splitlines()
    assert lines[-3:] == [
        "Run digits is at version 0 and waits for clients.",
        "Whoever opens this page and presses Start joins:",
        f"  {LINK}digits",
    ]


def test_in_json_it_is_one_line(typed: Typed, world: World) -> None:
    (line,) = typed("digits", "--json").stdout.splitlines()
    sha256 = world.catalog.run("digits").spec_sha256
    assert json.loads(line) == {"run": "digits", "stage": "dev", "spec_sha256": sha256, "page": f"{LINK}digits"}


def test_of_a_taken_name_nothing_is_shown_but_that(typed: Typed) -> None:
    typed("digits")
    refused = typed("digits", "--until", "0.5")
    assert isinstance(refused.exception, Conflict)
    assert refused.output == ""


def test_the_same_run_made_again_is_told_as_it_stands(typed: Typed, world: World) -> None:
    typed("digits")
    world.services.control.finish("digits")
    assert typed("digits").stdout.splitlines()[-1] == "Run digits is at version 0, finished: it was there already."
