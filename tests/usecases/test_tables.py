"""A run's history as CSV files and as a picture."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from faults import Faulty
from msgspec.structs import replace
from samples import START, World, a_world, an_evaluation, an_id

from webnn import chart, story, tables
from webnn.cli.main import webnn
from webnn.errors import Invalid, Missing, Unavailable
from webnn.store.memory_public import MemoryPublicObjects
from webnn.tables import TABLES


@pytest.fixture
def world() -> World:
    """Version 0; a commit of two a second later; one evaluated; back to version 0."""
    found = a_world()
    found.start()
    found.clock.now += 1_000
    for client in (1, 2):
        found.contribute([1, 0, 0], client_id=an_id(client))
    found.drain()
    found.catalog.record_evaluation(replace(an_evaluation("line", 2), at=START + 1_500))
    found.clock.now += 1_000
    found.services.restorer.rollback("line", 0)
    return found


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
    return lambda *words: CliRunner(env={"COLUMNS": "160"}).invoke(webnn, [*words, "--stage", "dev"])


def panels(found: chart.Drawn) -> list[Any]:
    """What is drawn, row by row; last the clients, which share the panel of the updates."""
    return list(chart.pictured(found).axes)


def rows(world: World, name: str) -> list[dict[str, str]]:
    file = io.StringIO()
    count = tables.write(TABLES[name], world.catalog, "line", file)
    found = list(csv.DictReader(io.StringIO(file.getvalue())))
    assert len(found) == count
    return found


def test_commits_are_told_with_what_they_are(world: World) -> None:
    first, second, third = rows(world, "commits")
    assert (first["kind"], first["time"], first["seconds"]) == ("genesis", "2023-11-14T22:13:20.000Z", "0.000")
    assert second == {
        "time": "2023-11-14T22:13:21.000Z",
        "seconds": "1.000",
        "kind": "commit",
        "from_version": "0",
        "version": "2",
        "steps": "2",
        "generation": "0",
        "updates": "2",
        "clients": "2",
        "examples": "16",
        "update_bytes": "24",
        "checkpoint_bytes": "12",
        "sha256": world.catalog.ledger_entry("line", 2).sha256,
        "note": "",
    }
    assert (third["kind"], third["version"], third["generation"], third["updates"]) == ("rollback", "3", "1", "0")


def test_updates_are_told_as_the_ledger_has_them(world: World) -> None:
    first, second = rows(world, "updates")
    assert first | {"update": ""} == {
        "time": "2023-11-14T22:13:21.000Z",
        "seconds": "1.000",
        "client": an_id(1),
        "version": "1",
        "steps": "2",
        "base_version": "0",
        "staleness": "0",
        "discount": "1.0",
        "update": "",
    }
    assert (second["version"], second["client"], second["staleness"]) == ("2", an_id(2), "1")
    lines = world.catalog.ledger_entry("line", 2).updates
    assert [first["update"], second["update"]] == [line.update_id for line in lines]
    assert float(second["discount"]) == lines[1].discount


def test_evaluations_are_told_with_the_steps_of_their_version(world: World) -> None:
    world.catalog.record_evaluation(replace(an_evaluation("line", 3), loss=float("nan"), at=START + 2_500))
    assert rows(world, "evaluations") == [
        {
            "time": f"2023-11-14T22:13:2{second}.500Z",
            "seconds": f"{second}.500",
            "client": an_id(77),
            "version": version,
            "steps": steps,
            "loss": loss,
            "accuracy": "0.5",
            "examples": "8",
        }
        for second, version, steps, loss in ((1, "2", "2", "0.25"), (2, "3", "0", "nan"))
    ]


def test_steps_are_found_however_commits_and_evaluations_alternate(world: World) -> None:
    for version in (0, 3):
        world.catalog.record_evaluation(an_evaluation("line", version))
    assert [(one["version"], one["steps"]) for one in rows(world, "evaluations")] == [
        ("0", "0"),
        ("2", "2"),
        ("3", "0"),
    ]


def test_a_run_without_anything_has_headers(world: World) -> None:
    world.services.runs.start(
        "new", "", "", bytes(world.blobs.get(world.catalog.run("line").spec_key)), np.zeros(3, "f4")
    )
    for name, count in (("commits", 1), ("updates", 0), ("evaluations", 0)):
        file = io.StringIO()
        assert tables.write(TABLES[name], world.catalog, "new", file) == count
        assert file.getvalue().splitlines()[0].split(",") == list(TABLES[name].columns)


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@A1", "\t=1+1"])
def test_a_note_is_no_formula(world: World, note: str) -> None:
    world.services.restorer.rollback("line", 0, note)
    file = io.StringIO()
    tables.write(TABLES["commits"], world.catalog, "line", file)
    *_, last = csv.DictReader(io.StringIO(file.getvalue()))
    assert last["note"] == f"'{note}"


def test_of_a_run_that_is_not_there_nothing_is_written(world: World, tmp_path: Path) -> None:
    file = io.StringIO()
    for table in TABLES.values():
        with pytest.raises(Missing):
            tables.write(table, world.catalog, "no-such", file)
    with pytest.raises(Missing):
        tables.write_files(world.catalog, "no-such", tmp_path / "new")
    assert (file.getvalue(), list(tmp_path.iterdir())) == ("", [])


def test_a_silence_leaves_the_older_file_whole(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "PAGE", 1)
    tables.write_files(world.catalog, "line", tmp_path)
    before = (tmp_path / "line-commits.csv").read_text()
    calls: Counter[str] = Counter()

    def fail(name: str) -> None:
        calls[name] += 1
        if calls["ledger"] == 3:
            raise Unavailable("the table is away")

    with pytest.raises(Unavailable):
        tables.write_files(Faulty(world.catalog, before=fail), "line", tmp_path)
    assert (tmp_path / "line-commits.csv").read_text() == before


def test_a_folder_that_cannot_be_written_to_is_invalid(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Invalid, match="file cannot be written to"):
        tables.write_files(world.catalog, "line", tmp_path / "file")


def test_json_without_a_folder_is_refused_since_csv_is_printed(typed: Callable[..., Result]) -> None:
    refused = typed("logs", "line", "--json")
    assert refused.exit_code == 2
    assert "--csv FOLDER" in refused.stderr


def test_logs_prints_a_table_or_writes_all(typed: Callable[..., Result], tmp_path: Path) -> None:
    for words in (["logs", "line"], ["logs", "line", "--csv"], ["logs", "line", "--csv", "-"]):
        assert typed(*words).stdout.splitlines()[0] == ",".join(TABLES["evaluations"].columns)
    assert typed("logs", "line", "--csv", "--table", "commits").stdout.splitlines()[3].split(",")[2] == "rollback"
    (line,) = typed("logs", "line", "--csv", str(tmp_path), "--json").stdout.splitlines()
    assert json.loads(line) == {
        "run": "line",
        "files": {
            str(tmp_path / f"line-{name}.csv"): n for name, n in (("commits", 3), ("updates", 2), ("evaluations", 1))
        },
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"line-{name}.csv" for name in sorted(TABLES)]


class TestThePicture:
    def test_is_made_of_what_happened(self, world: World) -> None:
        found = chart.collected(world.catalog, "line")
        assert list(found.arrivals) == [START + 1_000] * 2
        assert list(found.senders) == [0, 1]
        assert found.staleness == Counter({0: 1, 1: 1})
        assert found.undone == [(START + 2_000, 3)]
        assert found.evaluations == [(START + 1_500, 2, 0.5, 0.25)]
        assert (found.began, found.ended, found.version) == (START, START + 2_000, 3)

    @pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
    def test_is_drawn_in_any_of_three_formats(
        self, typed: Callable[..., Result], tmp_path: Path, suffix: str, begins: bytes
    ) -> None:
        path = tmp_path / f"run.{suffix}"
        (line,) = typed("plot", "line", "--out", str(path), "--json").stdout.splitlines()
        assert json.loads(line) == {"run": "line", "file": str(path), "evaluations": 1, "updates": 2, "version": 3}
        assert path.read_bytes().startswith(begins)

    def test_says_in_words_what_a_young_run_lacks(self, world: World, tmp_path: Path) -> None:
        chart.draw(chart.Drawn("line", START, START), tmp_path / "run.svg")
        assert (tmp_path / "run.svg").stat().st_size > 0

    def test_has_the_clients_that_watchers_are_shown_and_the_accuracy_to_end_at(self) -> None:
        world = a_world(public=MemoryPublicObjects())
        world.start(end={"accuracy": 0.9})
        live, counted = world.services.live, world.clock.now
        live.show("line")
        assert live.crowd("line") == [(counted, 0), (counted, 0)]
        assert live.crowd("none") == []

    def test_of_one_client_that_never_stopped_is_level(self) -> None:
        for crowd, expected in (([(START, 1), (START + 10_000, 1)], {1.0}), ([], {0.0, 1.0})):
            found = chart.Drawn("line", START, START + 30_000, 3, crowd=crowd)
            found.arrivals.extend([START, START + 12_000, START + 29_000])
            found.senders.extend([0, 0, 0])
            clients = panels(found)[-1].lines[0].get_ydata()
            assert set(map(float, clients)) == expected
            assert list(clients) == sorted(clients)

    def test_sees_who_sent_last_leave_after_a_minute(self) -> None:
        found = chart.Drawn("line", START, START + 200_000, 2)
        found.arrivals.extend([START + 10_000, START + 40_000, START + 200_000])
        found.senders.extend([0, 0, 1])
        line = panels(found)[-1].lines[0]
        minutes = [0, 10 / 60, 100 / 60, 200 / 60, 200 / 60]
        assert [list(line.get_xdata()), list(line.get_ydata())] == [pytest.approx(minutes), [0, 1, 0, 1, 1]]

    def test_counts_from_nought_in_whole_versions_and_plain_numbers(self) -> None:
        evaluations = [(START + 10_000, 2, 0.5, 2.0), (START + 60_000, 10, 0.9, 0.15)]
        found = chart.Drawn("line", START, START + 60_000, 10, evaluations=evaluations, target=0.95)
        accuracy, by_version, loss, loss_by_version, arrivals, _, _ = panels(found)
        assert [axes.get_xlim() for axes in (accuracy, loss, arrivals)] == [(0, 1.02 * 60)] * 3
        assert [axes.get_xlim() for axes in (by_version, loss_by_version)] == [(0, 1.02 * 10)] * 2
        assert all(tick == round(tick) for tick in by_version.get_xticks())
        assert {"0.2", "0.5", "1", "2"} <= {tick.get_text() for tick in loss.get_yticklabels()}
        for axes in (accuracy, by_version):
            assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ends at 95%"]
            assert list(axes.lines[1].get_ydata()) == [0.95, 0.95]

    @pytest.mark.parametrize("loss", [float("nan"), float("inf"), 0.0, 1e30])
    def test_is_drawn_whatever_the_losses_are(self, tmp_path: Path, loss: float) -> None:
        evaluations = [(START, 0, 0.5, loss), (START + 10, 1, 0.5, 0.1), (START + 20, 2, 1.0, loss)]
        chart.draw(chart.Drawn("line", START, START + 20, 2, evaluations=evaluations), tmp_path / "run.png")

    def test_is_drawn_of_a_run_of_days_with_stale_updates(self, tmp_path: Path) -> None:
        found: Any = chart.Drawn("line", START, START + 86_400_000 * 5, 2)
        found.staleness.update({0: 3, 1_000_000: 1})
        found.arrivals.extend([START, START + 86_400_000 * 5])
        found.senders.extend([0, 0])
        chart.draw(found, tmp_path / "run.png")

    @pytest.mark.parametrize("path", ["no/such/folder/run.png", "run.txt", "run"])
    def test_is_refused_before_the_work_where_it_cannot_be_written(
        self, typed: Callable[..., Result], path: str, tmp_path: Path
    ) -> None:
        assert isinstance(typed("plot", "no-such-run", "--out", str(tmp_path / path)).exception, Invalid)
