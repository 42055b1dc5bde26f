"""A run that has cost more than its budget is paused."""

import json
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from click.testing import CliRunner, Result
from faults import Faulty, lost, once
from msgspec.structs import replace
from samples import World, a_client, a_world, an_evaluation, never

from webnn import budget as module
from webnn.budget import Budget
from webnn.cli.main import webnn
from webnn.core.records import Status, SweepMark
from webnn.errors import Conflict, Corrupt, Invalid, Missing, Unavailable
from webnn.specs import Specs
from webnn.spending import Spent
from webnn.standing import ATTEMPTS
from webnn.story import all_commits, all_evaluations

SMALL, LARGE = 1e-9, 1e6


@pytest.fixture
def world() -> World:
    return a_world()


def merge(world: World, count: int = 1) -> None:
    for _ in range(count):
        world.contribute([0, 0, 0], base_version=world.head.version)
        world.drain()


def kept(world: World) -> Spent:
    return msgspec.json.decode(world.catalog.sweep_mark("line").spent, type=Spent)


def a_budget(world: World, catalog: object) -> Budget:
    specs = Specs(world.catalog, world.blobs)
    return Budget(catalog, world.blobs, specs, clock=world.clock, new_id=world.ids)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("budget", "status"), [(SMALL, Status.PAUSED), (LARGE, Status.RUNNING), (None, Status.RUNNING)]
)
def test_the_sweep_pauses_what_has_spent_its_budget(world: World, budget: float | None, status: Status) -> None:
    world.start(limits={"budget": budget})
    world.contribute([1, 0, 0])
    (swept,) = world.services.sweeper.sweep(never)
    assert (swept.error, swept.drained.merged, world.head.status) == (None, 1, status)


def test_a_run_without_a_budget_is_not_counted(world: World) -> None:
    world.start()
    assert world.services.budget.hold("line", never) is False
    assert world.catalog.sweep_mark("line") == SweepMark("line")


def test_a_run_that_cannot_be_merged_is_held_to_its_budget_all_the_same(world: World) -> None:
    head = world.start(limits={"budget": SMALL})
    world.contribute([1, 0, 0])
    world.blobs._blobs[head.checkpoint_key] = b"something else"
    (swept,) = world.services.sweeper.sweep(never)
    assert isinstance(swept.error, Corrupt)
    assert world.head.status is Status.PAUSED


@pytest.mark.parametrize("status", [Status.PAUSED, Status.FINISHED])
def test_only_what_runs_is_paused(world: World, status: Status) -> None:
    world.start(limits={"budget": SMALL})
    world.catalog.set_status(world.head, status)
    assert world.services.budget.hold("line", never) is False
    assert world.head.status is status


def test_what_is_counted_piece_by_piece_is_what_is_counted_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    world.start(limits={"budget": LARGE})
    for step in range(4):
        merge(world, step)
        if step:
            world.catalog.record_evaluation(an_evaluation("line", world.head.version, lease=step))
        world.clock.now += 1_000
        assert world.services.budget.hold("line", never) is False
    at_once = Spent()
    at_once.add(all_commits(world.catalog, "line"), all_evaluations(world.catalog, "line"))
    assert kept(world) == at_once
    assert (at_once.updates, at_once.evaluations) == (6, 3)


def test_each_sweep_reads_only_what_is_new(world: World) -> None:
    world.start(limits={"budget": LARGE})
    merge(world, 3)
    asked: list[int] = []

    class Asked(Faulty):
        def ledger(self, run: str, after: int, limit: int) -> object:
            asked.append(after)
            return world.catalog.ledger(run, after, limit)

    for _ in range(2):
        a_budget(world, Asked(world.catalog)).hold("line", never)
        merge(world)
    assert asked == [-1, 3]


def test_how_far_the_sweep_of_blobs_is_stays_noted(world: World) -> None:
    world.start(limits={"budget": LARGE})
    mark = SweepMark("line", "checkpoints/x", 5, 9, "updates/y")
    world.catalog.set_sweep_mark(mark)
    world.services.budget.hold("line", never)
    assert replace(world.catalog.sweep_mark("line"), spent="") == mark
    world.services.sweeper.sweep(never)
    assert kept(world).version == 0


def test_a_mark_that_an_older_version_left_is_counted_anew(world: World) -> None:
    world.start(limits={"budget": LARGE})
    merge(world, 2)
    world.catalog.set_sweep_mark(SweepMark("line", spent="what?"))
    world.services.budget.hold("line", never)
    assert kept(world).updates == 2


def test_out_of_time_it_counts_on_the_next_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 1)
    world.start(limits={"budget": LARGE})
    merge(world, 3)
    for expected in (0, 1, 2, 3):
        looks = iter([False, True])
        world.services.budget.hold("line", lambda looks=looks: next(looks))
        assert kept(world).version == expected


@pytest.mark.parametrize("method", ["head", "sweep_mark", "ledger", "evaluations", "active_clients", "set_status"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_silence_anywhere_is_made_up_for_the_next_time(world: World, method: str, when: str) -> None:
    world.start(limits={"budget": SMALL})
    merge(world)
    faulty = Faulty(world.catalog, before=once(method, lost) if when == "before" else None,
                    after=once(method, lost) if when == "after" else None)  # fmt: skip
    with pytest.raises(Unavailable):
        a_budget(world, faulty).hold("line", never)
    a_budget(world, faulty).hold("line", never)
    assert world.head.status is Status.PAUSED
    assert kept(world).updates == 1


def test_a_commit_meanwhile_keeps_it_from_nothing(world: World) -> None:
    world.start(limits={"budget": SMALL})
    racing = Faulty(world.catalog, before=once("set_status", lambda: merge(world)))
    assert a_budget(world, racing).hold("line", never) is True
    assert (world.head.version, world.head.status) == (1, Status.PAUSED)


def test_a_run_that_is_finished_meanwhile_stays_finished(world: World) -> None:
    world.start(limits={"budget": SMALL})
    racing = Faulty(
        world.catalog, before=once("set_status", lambda: world.catalog.set_status(world.head, Status.FINISHED))
    )
    assert a_budget(world, racing).hold("line", never) is False
    assert world.head.status is Status.FINISHED


def test_a_head_that_never_rests_is_left_to_the_next_sweep(world: World) -> None:
    world.start(limits={"budget": SMALL})
    calls: Counter[str] = Counter()

    def refuse(name: str) -> None:
        calls[name] += 1
        if name == "set_status":
            raise Conflict("busy")

    with pytest.raises(Unavailable, match="too busy to become paused"):
        a_budget(world, Faulty(world.catalog, before=refuse)).hold("line", never)
    assert calls["set_status"] == ATTEMPTS


def test_a_run_that_is_not_there_is_missing(world: World) -> None:
    for ask in (lambda: world.services.budget.hold("x", never), lambda: world.services.budget.reason("x")):
        with pytest.raises(Missing):
            ask()


class TestTheReason:
    @pytest.fixture
    def typed(self, world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
        monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
        return lambda *words: CliRunner(env={"COLUMNS": "160"}).invoke(webnn, [*words, "--stage", "dev"])

    def spend(self, world: World, budget: float) -> None:
        world.start(limits={"budget": budget})
        for number in range(3):
            world.catalog.join(a_client("line", number))
        merge(world)
        world.services.sweeper.sweep(never)

    def test_is_told_with_the_status(self, world: World, typed: Callable[..., Result]) -> None:
        self.spend(world, 0.000001)
        said = "it has cost about $0.000080, its budget is $0.000001: `webnn budget line DOLLARS` gives it another"
        assert typed("status", "line").stdout.endswith(f"\nIt is paused: {said}.\n")
        assert json.loads(typed("status", "line", "--json").stdout)["reason"] == said

    def test_is_none_of_what_runs_or_was_paused_by_somebody(self, world: World, typed: Callable[..., Result]) -> None:
        self.spend(world, LARGE)
        assert "reason" not in json.loads(typed("status", "line", "--json").stdout)
        world.catalog.set_status(world.head, Status.PAUSED)
        assert world.services.budget.reason("line") is None

    def test_stands_beside_the_cost(self, world: World, typed: Callable[..., Result]) -> None:
        self.spend(world, 2.5)
        assert "Its budget is $2.50." in typed("cost", "line").stdout
        assert json.loads(typed("cost", "line", "--json").stdout)["budget"] == 2.5


class TestAnotherBudget:
    """A spec never changes; what a run may cost can."""

    @pytest.fixture
    def typed(self, world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
        monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
        return lambda *words: CliRunner(env={"COLUMNS": "200"}).invoke(webnn, [*words, "--stage", "dev"])

    def held(self, world: World) -> None:
        world.start(limits={"budget": SMALL})
        merge(world)
        assert world.services.budget.hold("line", never) is True

    def test_a_run_that_its_budget_has_paused_goes_on_with_a_larger_one(
        self, world: World, typed: Callable[..., Result]
    ) -> None:
        self.held(world)
        told = json.loads(typed("budget", "line", "5", "--json").stdout)
        assert told == {"run": "line", "budget": 5.0, "status": "running", "started": True, "reason": None}
        assert world.services.budget.hold("line", never) is False
        assert "Its budget is $5.00." in typed("cost", "line").stdout

    def test_one_that_is_still_too_small_changes_nothing_but_itself(
        self, world: World, typed: Callable[..., Result]
    ) -> None:
        self.held(world)
        shown = typed("budget", "line", "0.000001").stdout
        assert shown.startswith("The budget of line is $0.000001; it is paused: it has cost about $0.0")
        assert world.head.status is Status.PAUSED
        assert typed("budget", "line").stdout == shown

    def test_the_newest_counts_and_may_be_smaller(self, world: World) -> None:
        world.start(limits={"budget": LARGE})
        merge(world)
        for dollars in (7.0, 9.0, SMALL):
            assert world.services.budget.change("line", dollars) is False
        assert world.services.budget.of("line") == SMALL
        assert world.services.budget.hold("line", never) is True

    def test_it_goes_with_the_run(self, world: World) -> None:
        self.held(world)
        world.services.budget.change("line", 5.0)
        list(world.services.remover.delete("line"))
        world.start(limits={"budget": SMALL})
        assert world.services.budget.of("line") == SMALL

    @pytest.mark.parametrize("dollars", [0.0, -1.0, 1e10, float("nan")])
    def test_what_is_no_budget_is_refused(self, world: World, dollars: float) -> None:
        world.start(limits={"budget": 1.0})
        with pytest.raises(Invalid, match="more than 0"):
            world.services.budget.change("line", dollars)

    def test_a_run_that_is_held_to_none_gets_none(self, world: World, typed: Callable[..., Result]) -> None:
        world.start()
        assert isinstance(typed("budget", "line", "5").exception, Invalid)
        assert typed("budget", "line").stdout == "line has no budget.\n"
