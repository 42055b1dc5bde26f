"""Attempts to commit as lines of CloudWatch's embedded metric format."""

import json
import sys
from typing import Any

import pytest
from faults import Faulty, around, once
from samples import World, a_world, never

from webnn.wiring import told


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    return found


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def observed(world: World, catalog: Any = None) -> World:
    return a_world(catalog or world.catalog, world.blobs, world.clock, world.ids, observe=told("dev"))


def test_a_commit_is_one_line_with_its_updates(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    good = [world.contribute([1, 0, 0]) for _ in range(3)]
    bad = world.contribute([float("nan"), 0, 0])
    observed(world).services.committer.drain("line", never)
    (line,) = lines(capsys)
    assert line["run"] == "line"
    assert line["stage"] == "dev"
    assert (line["Commits"], line["Conflicts"], line["UpdatesPerCommit"]) == ([1.0], [0.0], [3.0])
    assert (line["Rejected"], line["Discarded"]) == ([1.0], [0.0])
    assert line["Staleness"] == [0.0, 1.0, 2.0]
    assert (line["UpdateBytes"], line["CheckpointBytes"]) == ([36.0], [12.0])
    assert line["updates"] == {update.update_id: "merged" for update in good} | {bad.update_id: "rejected"}
    entry = world.catalog.ledger_entry("line", 3)
    assert (line["version"], line["attempt"]) == (3, entry.attempt)


def test_the_stage_is_the_only_dimension(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Each value of each further dimension would be billed as a metric of its own."""
    world.contribute([1, 0, 0])
    observed(world).services.committer.drain("line", never)
    (line,) = lines(capsys)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("WebNN", [["stage"]])
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert (units["MergeMilliseconds"], units["UpdateBytes"]) == ("Milliseconds", "Bytes")


def test_a_conflict_is_a_line_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.contribute([1, 0, 0])
    beaten = Faulty(world.catalog, before=once("commit", around(world).drain))
    observed(world, beaten).services.committer.drain("line", never)
    (line,) = lines(capsys)
    assert (line["Conflicts"], line.get("Commits")) == ([1.0], None)


def test_a_full_commit_fits_into_one_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(95):
        world.contribute([1, 0, 0])
    observed(world).services.committer.drain("line", never)
    (line,) = lines(capsys)
    assert len(line["Staleness"]) == 95
    assert len(json.dumps(line)) < 256_000  # what CloudWatch takes as one event


def test_what_cannot_be_told_is_committed_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise OSError("standard output is gone")

    monkeypatch.setattr("webnn.metrics.emit", gone)
    update = world.contribute([1, 0, 0])
    observed(world).drain()
    assert world.now(update).version == 1


def test_a_commit_does_not_fail_where_its_metrics_cannot_be_imported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "webnn.metrics", None)
    world.contribute([1, 0, 0])
    observed(world).services.committer.drain("line", never)
    assert world.head.version == 1
