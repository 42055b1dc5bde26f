"""What an owner types about runs, and reads."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from samples import START, World, a_spec, a_world, an_evaluation

from webnn.cli.main import webnn
from webnn.core.records import Status
from webnn.errors import Conflict, Invalid, Missing
from webnn.store import keys

Typed = Callable[..., Result]


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start([1, 2, 3], end={"accuracy": 0.9, "versions": 5000})
    for delta in ([1, 0, 0], [0, 1, 0]):
        found.contribute(delta, base_version=found.head.version)
        found.drain()
    found.catalog.record_evaluation(an_evaluation("line", 1, accuracy=0.8125))
    return found


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
    monkeypatch.setattr("webnn.cli.stage.link", lambda _, run: f"http://127.0.0.1:1/site/index.html?run={run}")
    monkeypatch.setattr("webnn.wiring.now", world.clock)

    def run(*words: str, answer: str = "") -> Result:
        return CliRunner(env={"COLUMNS": "160"}).invoke(webnn, [*words, "--stage", "dev"], input=answer)

    return run


def only_line(shown: Result) -> dict[str, object]:
    assert shown.exit_code == 0, shown.output
    (line,) = shown.stdout.splitlines()
    found: dict[str, object] = json.loads(line)
    return found


@pytest.mark.parametrize(
    ("words", "status", "version"),
    [
        (("pause",), "paused", 2),
        (("pause", "start"), "running", 2),
        (("stop",), "finished", 2),
        (("stop", "start"), "running", 2),
        (("stop", "retrain"), "running", 3),
        (("retrain", "retrain"), "running", 3),
    ],
)
def test_what_a_run_is_told_it_does(typed: Typed, world: World, words: list[str], status: str, version: int) -> None:
    for word in words:
        shown = typed(word, "line")
    assert shown.stdout.splitlines()[0] == f"line is {status} at version {version}, generation {version - 2}."
    assert ("open them again" in shown.stdout) == (words[0] == "stop" and words[-1] in ("start", "retrain"))
    assert (str(world.head.status), world.head.version) == (status, version)
    again = only_line(typed(words[-1], "line", "--json"))
    assert again == {"run": "line", "status": status, "version": version, "generation": version - 2}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("reset",), "line has its first weights again: version 3. It is running."),
        (("pause", "reset"), "line has its first weights again: version 3. It is paused: `webnn start line`."),
        (("stop", "reset"), "line has its first weights again: version 3. It is finished: `webnn retrain line`."),
        (("reset", "reset"), "line has its first weights already: version 3. It is running."),
    ],
)
def test_a_reset_says_what_it_did_and_what_comes_next(typed: Typed, words: list[str], says: str) -> None:
    for word in words:
        shown = typed(word, "line")
    assert shown.stdout == says + "\n"
    again = only_line(typed("reset", "line", "--json"))
    assert (again["version"], again["generation"]) == (3, 1)


@pytest.mark.parametrize("word", ["pause", "start", "stop", "reset", "retrain", "delete", "status"])
def test_a_run_that_is_not_there_is_missing(typed: Typed, word: str) -> None:
    shown = typed(word, "gone", *(["--yes"] if word == "delete" else []))
    assert isinstance(shown.exception, Missing)


def test_a_run_at_its_end_is_not_started(typed: Typed, world: World) -> None:
    world.catalog.record_evaluation(an_evaluation("line", 2, accuracy=0.95))
    typed("stop", "line")
    shown = typed("start", "line")
    assert isinstance(shown.exception, Conflict)
    assert "`webnn retrain line`" in shown.exception.message


class TestStatus:
    def test_says_where_a_run_stands(self, typed: Typed, world: World) -> None:
        world.clock.now += 30_000
        world.services.clients.join("line")
        lines = [line.split("│")[1:3] for line in typed("status", "line").stdout.splitlines() if "│" in line]
        assert {name.strip(): value.strip() for name, value in lines} == {
            "title": "A line",
            "status": "running",
            "version": "2, made 30 seconds ago",
            "accuracy": "81.25% (version 1)",
            "clients": "1 in the last minute",
            "updates": "0.07 a second in the last minute",
            "ends": "at an accuracy of 90.00% or after 5,000 versions",
        }

    @pytest.mark.parametrize(("later", "said"), [(150_000, "2 minutes"), (10**7, "2 hours"), (10**9, "11 days")])
    def test_says_when_the_last_commit_was(self, typed: Typed, world: World, later: int, said: str) -> None:
        world.clock.now += later
        assert f"2, made {said} ago" in typed("status", "line").stdout

    def test_says_that_a_run_ends_by_the_clock(self, typed: Typed, world: World) -> None:
        body = json.dumps(a_spec(end={"seconds": 5400})).encode()
        world.services.runs.start("timed", "", "", body, np.float32([1, 2, 3]))
        assert "after 5,400 seconds" in typed("status", "timed").stdout

    def test_names_no_pace_of_a_finished_run(self, typed: Typed, world: World) -> None:
        world.services.control.finish("line")
        assert "no more: it is finished" in typed("status", "line").stdout

    def test_is_one_line_of_json(self, typed: Typed, world: World) -> None:
        world.clock.now += 40_000
        found = only_line(typed("status", "line", "--json"))
        assert (found["status"], found["committed_at"], found["updates_per_second"]) == ("running", START, 2 / 40)

    def test_shows_a_title_as_it_was_typed(self, typed: Typed, world: World) -> None:
        body = world.blobs.get(world.catalog.run("line").spec_key)
        world.services.runs.start("other", "[red]x[/y]", "", body, np.float32([1, 2, 3]))
        assert "[red]x[/y]" in typed("status", "other").stdout
        assert "[red]x[/y]" in typed("list").stdout
        assert "not evaluated" in typed("list").stdout

    def test_lets_no_title_command_the_terminal(self, typed: Typed, world: World) -> None:
        body = world.blobs.get(world.catalog.run("line").spec_key)
        world.services.runs.start("other", "a\x1b]0;b\x07\nc\u202e", "", body, np.float32([1, 2, 3]))
        for words in (("status", "other"), ("list",)):
            shown = typed(*words).stdout
            assert "a ]0;b c" in shown
            assert not set("\x1b\x07\u202e") & set(shown)


class TestCopy:
    @pytest.mark.parametrize(
        ("words", "weights"),
        [
            ((), [2, 3, 3]),
            (("--weights", "head"), [2, 3, 3]),
            (("--weights", "genesis"), [1, 2, 3]),
            (("--weights", "1"), [2, 2, 3]),
        ],
    )
    def test_begins_with_the_weights_that_were_named(
        self, typed: Typed, world: World, words: list[str], weights: list[float]
    ) -> None:
        assert typed("copy", "line", "copy", *words).stdout.splitlines() == [
            "Run copy is at version 0 and waits for clients.",
            "Whoever opens this page and presses Start joins:",
            "  http://127.0.0.1:1/site/index.html?run=copy",
        ]
        assert a_world(world.catalog, world.blobs, name="copy").weights == weights

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ((), "version 1 of line has an accuracy of 81.25%, and copy ends at 81.2%"),
            (("--weights", "1"), "version 1 of line has an accuracy of 81.25%, and copy ends at 81.2%"),
            (("--weights", "genesis"), ""),
            (("--until", "0.9"), ""),
        ],
    )
    def test_says_when_it_finishes_with_its_first_evaluation(
        self, typed: Typed, world: World, words: list[str], told: str
    ) -> None:
        world.services.copier.copy("line", "near", 1, 0.812)
        near = a_world(world.catalog, world.blobs, name="near")
        near.contribute([1, 0, 0])
        near.drain()
        world.catalog.record_evaluation(an_evaluation("near", 1, accuracy=0.8125))
        shown = typed("copy", "near", "copy", *words).stdout
        assert told.replace("line", "near") in shown
        assert ("`webnn copy near OTHER --until ACCURACY`" in shown) == bool(told)

    def test_says_nothing_of_what_was_reached_before_a_rollback(self, typed: Typed) -> None:
        typed("reset", "line")
        assert "first evaluation" not in typed("copy", "line", "copy", "--until", "0.5").stdout

    def test_is_told_in_json(self, typed: Typed, world: World) -> None:
        found = only_line(typed("copy", "line", "copy", "--until", "0.99", "--json"))
        assert (found["run"], found["of"]) == ("copy", "line")
        assert world.services.runs.describe("copy").spec.end.accuracy == 0.99

    @pytest.mark.parametrize("weights", ["tail", "-1", "1.5", ""])
    def test_of_weights_that_make_no_sense_is_a_mistyped_command(self, typed: Typed, weights: str) -> None:
        shown = typed("copy", "line", "copy", "--weights", weights)
        assert shown.exit_code == 2
        assert "neither head nor genesis nor a version" in shown.stderr


class TestSave:
    def test_tells_what_it_saved(self, typed: Typed, world: World, tmp_path: Path) -> None:
        folder = tmp_path / "model"
        assert "Version 2 of line (not evaluated) is in " in typed("save", "line", str(folder)).stdout
        assert np.fromfile(folder / "weights.bin", "<f4").tolist() == [2, 3, 3]
        assert isinstance(typed("save", "line", str(folder)).exception, Invalid)
        found = only_line(typed("save", "line", str(folder), "--version", "1", "--force", "--json"))
        sha256 = world.catalog.ledger_entry("line", 1).sha256
        assert found == {"run": "line", "version": 1, "accuracy": 0.8125, "sha256": sha256, "bytes": 12,
                         "folder": str(folder)}  # fmt: skip
        assert np.fromfile(folder / "weights.bin", "<f4").tolist() == [2, 2, 3]

    def test_names_the_version_that_was_evaluated_best_where_the_newest_was_not(
        self, typed: Typed, world: World, tmp_path: Path
    ) -> None:
        shown = [typed("save", "line", str(tmp_path), "--force", *words).stdout for words in ([], ["--version", "2"])]
        better = "Evaluated best was version 1, with an accuracy of 81.25%: to take that one, add --version 1"
        assert [better in one for one in shown] == [True, False]
        world.catalog.record_evaluation(an_evaluation("line", 2, accuracy=0.5))
        assert "best" not in typed("save", "line", str(tmp_path), "--force").stdout

    def test_recommends_nothing_that_was_rolled_back(self, typed: Typed, tmp_path: Path) -> None:
        typed("reset", "line")
        assert "best" not in typed("save", "line", str(tmp_path)).stdout


class TestDelete:
    @pytest.mark.parametrize("answer", ["", "n\n", "\n"])
    def test_asks_first(self, typed: Typed, world: World, answer: str) -> None:
        shown = typed("delete", "line", answer=answer)
        assert shown.exit_code == 1
        assert "Delete run line of stage dev with all its history?" in shown.stderr
        assert world.head.status is Status.RUNNING

    def test_tells_what_is_gone(self, typed: Typed, world: World) -> None:
        shown = typed("delete", "line", answer="y\n")
        assert shown.stdout == "Run line is deleted: 7 rows, 6 blobs and 0 shards, 0.0 MB.\n"
        assert typed("list", "--json").stdout == "[]\n"
        assert typed("list").stdout.startswith("No runs yet. `webnn create digits --stage dev` makes one")

    def test_counts_one_thing_as_one(self, typed: Typed, world: World) -> None:
        typed("delete", "line", answer="y\n")
        world.blobs.create(f"{keys.updates('line')}late.bin", b"1234")
        shown = typed("delete", "line", answer="y\n").stdout
        said = "What has been written since is deleted, too: 0 rows, 1 blob and 0 shards, 0.0 MB."
        assert shown == f"Run line was deleted already. {said}\n"

    def test_is_told_in_json_and_may_be_told_again(self, typed: Typed, world: World) -> None:
        world.services.runs.add_shard(b"\0" * 96)
        found = only_line(typed("delete", "line", "--yes", "--delete-data", "--json"))
        size = found.pop("bytes")
        assert found == {"run": "line", "rows": 7, "blobs": 6, "shards": 1}
        assert isinstance(size, int)
        assert size > 96
        shown = typed("delete", "line", "--yes").stdout
        assert shown == "Run line was deleted already; nothing of it is left.\n"
        again = only_line(typed("delete", "line", "--yes", "--json"))
        assert again == {"run": "line", "rows": 0, "blobs": 0, "shards": 0, "bytes": 0}
        assert world.blobs._blobs == {}
