"""What watchers are shown of a run, and that it is never in the way."""

import json
import logging
from typing import Any
from unittest.mock import ANY

import pytest
from faults import Faulty, lost, once
from msgspec.structs import replace
from samples import START, World, a_client, a_world, an_evaluation, an_id, never
from stages import CHECKOUT

from webnn import live as module
from webnn.clients import Evaluate
from webnn.core.records import Without
from webnn.errors import Unavailable
from webnn.evaluations import Report
from webnn.live import PAUSE_MILLISECONDS, Live
from webnn.removal import Remover
from webnn.showing import MOST_SAMPLES
from webnn.shown import SIZES, decoded, decoded_page, encoded
from webnn.specs import Specs
from webnn.store.memory_public import MemoryPublicObjects
from webnn.store.public import live_key, page_key

SMALL = SIZES[0]


@pytest.fixture
def public() -> MemoryPublicObjects:
    return MemoryPublicObjects()


@pytest.fixture
def world(public: MemoryPublicObjects) -> World:
    found = a_world(public=public)
    found.start()
    return found


def shown(public: MemoryPublicObjects, run: str = "line") -> Any:
    """The live object of the run `line`, as whoever writes next reads it."""
    found = public.read(live_key(run))
    assert found is not None
    return decoded(found.body)


def merged(world: World, updates: int = 1) -> None:
    """A ring of the doorbell, two seconds after the one before."""
    world.clock.now += PAUSE_MILLISECONDS
    for _ in range(updates):
        world.contribute([0, 0, 0], base_version=world.head.version, generation=world.head.generation)
    ring(world)


def ring(world: World) -> None:
    answered = world.services.answerer.answer([json.dumps({"run": "line"}).encode()], never)
    assert answered.failures == []


def rows(world: World, public: MemoryPublicObjects) -> list[int]:
    """Versions of all rows, read as a watcher does that knows none."""
    now = shown(public)
    found: list[int] = []
    while len(found) < now.before["commits"]:
        size = max(s for s in SIZES if len(found) % s == 0 and len(found) + s <= now.before["commits"])
        key = page_key("line", now.created_at, "commits", size, len(found) // size)
        page = public.read(key)
        assert page is not None
        found += [row.version for row in decoded_page("commits", page.body).rows]
    return found + [row.version for row in now.commits.rows]


def test_a_run_is_shown_from_its_start(public: MemoryPublicObjects, world: World) -> None:
    now = shown(public)
    assert (now.run, now.title, now.status, now.version, now.at) == ("line", "A line", "running", 0, START)
    assert [(row.version, row.updates) for row in now.commits.rows] == [(0, 0)]


def test_each_commit_is_shown_and_counted_once(public: MemoryPublicObjects, world: World) -> None:
    merged(world)
    merged(world, updates=2)
    ring(world)
    now = shown(public)
    assert (now.version, now.updates, now.examples, now.update_bytes, now.staleness) == (3, 3, 24, 36, [2, 1])
    assert [(row.version, row.updates, row.freshest, row.stalest) for row in now.commits.rows] == [
        (0, 0, -1, -1),
        (1, 1, 0, 0),
        (3, 2, 0, 1),
    ]
    assert now.commits.rows[2].at == START + 2 * PAUSE_MILLISECONDS
    assert now.dollars > 0


def test_an_evaluation_and_the_end_that_it_brings_are_shown_at_once(public: MemoryPublicObjects) -> None:
    world = a_world(public=public)
    world.start(end={"accuracy": 0.5})
    world.clock.now += 10_000
    services = world.services
    member = services.clients.join("line")
    task = services.clients.next_task(member)
    assert isinstance(task, Evaluate)
    services.evaluations.report(member, Report(task.lease.evaluation_id, 0, 0.25, 0.75, 8))
    now = shown(public)
    assert (now.status, now.clients, now.target) == ("finished", 1, 0.5)
    assert [(one.version, one.loss, one.accuracy) for one in now.evaluations.rows] == [(0, 0.25, 0.75)]


def test_what_an_owner_does_is_shown_at_once(public: MemoryPublicObjects, world: World) -> None:
    control = world.services.control
    for act, status in ((control.pause, "paused"), (control.start, "running"), (control.finish, "finished")):
        act("line")
        assert shown(public).status == status


def test_a_rollback_and_an_unmerge_are_noted_without_naming_clients(public: MemoryPublicObjects, world: World) -> None:
    merged(world)
    world.services.restorer.rollback("line", 0, "It had unlearnt all")
    merged(world)
    world.services.restorer.unmerge("line", Without(clients=(an_id(77),)))
    now = shown(public)
    assert (now.version, now.generation) == (4, 2)
    told = [(note.version, note.kind, note.to, note.clients, note.updates, note.text) for note in now.commits.notes]
    assert told == [(2, "rollback", 0, 0, 0, "It had unlearnt all"), (4, "unmerge", None, 1, 0, "")]
    found = public.read(live_key("line"))
    assert found is not None
    assert an_id(77) not in found.body.decode()


def test_commits_within_two_seconds_are_shown_together_and_somebody_comes_back(
    public: MemoryPublicObjects, world: World
) -> None:
    merged(world)
    world.late.clear()
    world.clock.now += PAUSE_MILLISECONDS - 1
    world.contribute([0, 0, 0])
    ring(world)
    assert (shown(public).version, len(world.late)) == (1, 1)
    world.clock.now += PAUSE_MILLISECONDS
    world.services.answerer.answer(world.late, never)
    assert (shown(public).version, len(world.late)) == (2, 1)


def test_a_function_leaves_alone_what_another_has_just_written(public: MemoryPublicObjects, world: World) -> None:
    merged(world)
    world.clock.now += PAUSE_MILLISECONDS - 1
    world.contribute([0, 0, 0])
    world.drain()
    other = a_live(world, public)
    assert not other.show("line", paced=True)
    assert shown(public).version == 1
    world.clock.now += 1
    assert other.show("line", paced=True)
    assert shown(public).version == 2


def test_the_object_stays_small_and_the_pages_hold_the_rest(public: MemoryPublicObjects, world: World) -> None:
    versions = SIZES[1] + 2 * SMALL
    for _ in range(versions):
        merged(world)
        assert len(shown(public).commits.rows) < 2 * SMALL
    assert rows(world, public) == list(range(versions + 1))
    assert public.read(page_key("line", START, "commits", SIZES[1], 0)) is not None


def test_evaluations_have_pages_of_their_own(public: MemoryPublicObjects, world: World) -> None:
    for version in range(2 * SMALL):
        merged(world)
        world.catalog.record_evaluation(an_evaluation("line", version, accuracy=0.5))
    merged(world)
    now = shown(public)
    assert (now.before["evaluations"], len(now.evaluations.rows)) == (SMALL, SMALL)
    page = public.read(page_key("line", START, "evaluations", SMALL, 0))
    assert page is not None
    assert [row.version for row in decoded_page("evaluations", page.body).rows] == list(range(SMALL))


def test_who_is_beaten_reads_again_and_shows_what_both_saw(world: World, public: MemoryPublicObjects) -> None:
    merged(world)
    world.clock.now += PAUSE_MILLISECONDS
    world.contribute([0, 0, 0])
    world.drain()
    late = a_live(world, Faulty(public, before=once("replace", lambda: merged(world))))
    assert late.show("line")
    assert shown(public).version == 3


def test_an_older_state_is_never_put_over_a_newer_one(world: World, public: MemoryPublicObjects) -> None:
    slow = a_live(world, Faulty(public, before=once("replace", lambda: merged(world, updates=3))))
    merged(world)
    world.clock.now += PAUSE_MILLISECONDS
    world.contribute([0, 0, 0])
    world.drain()
    before = shown(public).version
    slow.show("line")
    assert (before, shown(public).version) == (1, 5)


def a_live(world: World, public: Any, catalog: Any = None) -> Live:
    """Another function, which remembers nothing."""
    catalog = catalog or world.catalog
    return Live(catalog, Specs(catalog, world.blobs), public, clock=world.clock)


@pytest.mark.parametrize("method", ["read", "replace", "keep"])
def test_nothing_is_lost_when_it_cannot_be_written(method: str, caplog: pytest.LogCaptureFixture) -> None:
    inner, broken = MemoryPublicObjects(), [True]

    def hook(name: str) -> None:
        if name == method and broken[0]:
            lost()

    world = a_world(public=Faulty(inner, before=hook))
    with caplog.at_level(logging.CRITICAL):
        world.start()
        for _ in range(2 * SMALL):
            merged(world)
    assert world.head.version == 2 * SMALL
    broken[0] = False
    merged(world)
    assert rows(world, inner) == list(range(2 * SMALL + 2))


def test_a_catalog_that_does_not_answer_is_logged_and_mended_by_the_next(
    world: World, public: MemoryPublicObjects, caplog: pytest.LogCaptureFixture
) -> None:
    merged(world)
    world.clock.now += PAUSE_MILLISECONDS
    world.contribute([0, 0, 0])
    world.drain()
    other = a_live(world, public, Faulty(world.catalog, before=once("ledger", lost)))
    other.show("line")
    assert "cannot show run=line" in caplog.text
    assert shown(public).version == 1
    other.show("line")
    assert shown(public).version == 2


@pytest.mark.parametrize("damage", [b"", b"{}", b"<html>", b'{"format": 99}', b'{"run": "\xff"}'])
def test_what_is_damaged_is_begun_anew(world: World, public: MemoryPublicObjects, damage: bytes) -> None:
    for _ in range(2 * SMALL):
        merged(world)
    public.keep(live_key("line"), damage)
    merged(world)
    assert rows(world, public) == list(range(2 * SMALL + 2))


def test_pages_that_are_gone_are_written_anew(world: World, public: MemoryPublicObjects) -> None:
    for _ in range(SIZES[1] + SMALL - 2):
        merged(world)
    public.delete("no-such", "live/line/")
    merged(world)
    merged(world)
    assert rows(world, public) == list(range(SIZES[1] + SMALL + 1))


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"notes": [{"version": 1, "kind": "rollback", "text": "\xff"}]}'])
def test_pages_that_are_damaged_are_written_anew(world: World, public: MemoryPublicObjects, damage: bytes) -> None:
    for _ in range(SIZES[1] + SMALL - 2):
        merged(world)
    public.keep(page_key("line", shown(public).created_at, "commits", SMALL, 0), damage)
    merged(world)
    merged(world)
    assert rows(world, public) == list(range(SIZES[1] + SMALL + 1))


def test_a_long_history_is_read_over_several_looks(
    world: World, public: MemoryPublicObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    for _ in range(25):
        world.contribute([0, 0, 0], base_version=world.head.version)
        world.drain()
    seen = []
    for _ in range(3):
        world.services.live.show("line")
        seen.append(len(rows(world, public)))
    assert seen == [11, 21, 26]
    assert shown(public).version == 25


def test_nothing_is_written_while_nothing_changes(world: World, public: MemoryPublicObjects) -> None:
    merged(world)
    before = public.read(live_key("line"))
    asked = Faulty(public, before=lambda name: pytest.fail(f"asked to {name}"))
    world.clock.now += 3_600_000
    idle = a_live(world, public)
    idle.show("line")
    idle._objects = asked
    world.clock.now += 3_600_000
    idle.show("line")
    assert before is not None
    assert shown(public).version == 1


def test_the_sweep_shows_that_clients_have_left(world: World, public: MemoryPublicObjects) -> None:
    world.clock.now += 10_000
    world.catalog.join(a_client("line", 1, seen_at=world.clock()))
    merged(world)
    assert shown(public).clients == 1
    world.clock.now += 300_000
    world.services.sweeper.sweep(never)
    now = shown(public)
    assert now.clients == 0
    assert now.crowd[-1] == ((world.clock() - START) // 1000, 0)


def test_samples_of_the_crowd_never_become_many(world: World, public: MemoryPublicObjects) -> None:
    for _ in range(500):
        merged(world)
    crowd = shown(public).crowd
    assert 20 < len(crowd) <= MOST_SAMPLES
    assert [at for at, _ in crowd] == sorted({at for at, _ in crowd})
    assert crowd[0][0] == 0


def test_a_deleted_run_leaves_nothing_to_see_and_its_name_begins_anew(
    world: World, public: MemoryPublicObjects
) -> None:
    for _ in range(2 * SMALL):
        merged(world)
    list(world.services.remover.delete("line"))
    assert not public._found
    world.services.live.show("line")
    assert not public._found
    world.clock.now += 1
    world.start()
    assert [row.version for row in shown(public).commits.rows] == [0]


def test_what_is_left_of_a_deleted_run_is_not_taken_for_the_next_of_its_name(
    world: World, public: MemoryPublicObjects
) -> None:
    merged(world)
    left = public.read(live_key("line"))
    list(world.services.remover.delete("line"))
    assert left is not None
    public.keep(live_key("line"), left.body)
    world.clock.now += 1
    world.start()
    assert (shown(public).version, len(shown(public).commits.rows)) == (0, 1)


def test_who_began_to_show_a_run_before_it_was_deleted_leaves_nothing(public: MemoryPublicObjects) -> None:
    world = a_world(public=public)
    world.start()
    for _ in range(2 * SMALL):
        merged(world)
    world.services.live.forget("line")
    deleting = once("replace", lambda: list(world.services.remover.delete("line")) and None)
    a_live(world, Faulty(public, before=deleting)).show("line")
    assert not public._found


def test_who_shows_a_run_in_the_middle_of_its_deletion_leaves_nothing(
    world: World, public: MemoryPublicObjects
) -> None:
    merged(world)
    other = a_live(world, public)
    other.show("line")  # and has its spec from now on
    at_last = once("delete_run", lambda: other.show("line") and None)
    remover = Remover(
        Faulty(world.catalog, before=at_last), world.blobs, world.services.remover._specs, forget=other.forget
    )
    list(remover.delete("line"))
    assert not public._found


def test_who_began_to_show_a_deleted_run_does_not_stand_in_the_way_of_another_of_its_name(
    world: World, public: MemoryPublicObjects
) -> None:
    world.services.live.forget("line")

    def anew() -> None:
        list(world.services.remover.delete("line"))
        world.clock.now += 1
        world.start()
        public.delete(live_key("line"), "live/line/")

    a_live(world, Faulty(public, before=once("replace", anew))).show("line")
    assert shown(public).created_at == world.catalog.run("line").created_at


def test_a_removal_that_cannot_take_the_objects_is_to_be_done_again(public: MemoryPublicObjects) -> None:
    world = a_world(public=Faulty(public, before=once("delete", lost)))
    world.start()
    with pytest.raises(Unavailable):
        list(world.services.remover.delete("line"))
    list(world.services.remover.delete("line"))
    assert not public._found


def test_where_there_is_no_place_for_it_nothing_is_shown(world: World) -> None:
    alone = a_world()
    alone.start()
    assert alone.services.live.address("line") is None
    assert world.services.live.address("line") == "memory://live/line.json"
    assert alone.services.live.show("line")


def test_what_is_not_a_number_is_null(world: World, public: MemoryPublicObjects) -> None:
    world.catalog.record_evaluation(replace(an_evaluation("line", 0), loss=float("nan"), accuracy=1 / 3))
    world.services.live.show("line")
    (one,) = shown(public).evaluations.rows
    assert (one.loss, one.accuracy) == (None, 0.333333)


def test_the_object_is_what_pages_read() -> None:
    """The browser tests read the same file, and find the same moves in it."""
    golden = json.loads((CHECKOUT / "tests" / "golden" / "live.json").read_text())
    found = decoded(json.dumps(golden["object"]).encode())
    assert found is not None
    told = [(move["version"], move["at"], move["steps"], move["updates"]) for move in golden["moves"]]
    assert [(row.version, row.at, row.steps, row.updates) for row in found.commits.rows] == told
    measured = [tuple(one.values()) for one in golden["evaluations"]]
    assert [(one.version, one.at, one.loss, one.accuracy) for one in found.evaluations.rows] == measured
    assert json.loads(encoded(found)) == golden["object"] | {"commits": ANY, "evaluations": {"rows": ANY}}
    assert json.loads(encoded(found))["commits"]["rows"] == golden["object"]["commits"]["rows"]
