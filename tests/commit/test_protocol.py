"""The commit protocol: every uploaded update becomes a version once, whatever happens on the way."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest
from faults import Crash, Faulty, Heedless, Only, around, crash, lost, once
from msgspec.structs import replace
from samples import World, a_world, body_of, never

from webnn.commit import PATIENCE, Drained
from webnn.core.records import Status, UpdateState
from webnn.core.spec import Spec
from webnn.core.wire import Quantization
from webnn.decision import GRACE_MILLISECONDS, MAX_COMMIT_BYTES, fitting
from webnn.errors import Conflict, Corrupt, Missing, Unavailable, WebnnError
from webnn.store import keys
from webnn.store.ports import MAX_COMMIT
from webnn.wiring import assemble

CONSTANT = {"name": "delta", "discounting": {"name": "constant"}}
HALVING = {"name": "delta", "discounting": {"name": "polynomial", "exponent": 1.0}}


@pytest.fixture
def world() -> World:
    """A run at [1, 2, 3] whose updates count by 1 / (1 + staleness)."""
    found = a_world()
    found.start([1, 2, 3], merge={"rule": HALVING})
    return found


def drain(world: World) -> Drained:
    return world.services.committer.drain(world.name, never)


def spec_of(world: World) -> Spec:
    return world.services.runs.describe(world.name).spec


def attempts(world: World) -> list[str]:
    """Keys of all checkpoints that were written, named by the head or not."""
    return [key for key in world.blobs._blobs if key.startswith("checkpoints/")]


class TestAllIsWell:
    def test_an_uploaded_update_becomes_the_next_version(self, world: World) -> None:
        update = world.contribute([1, 0, -1])
        assert drain(world) == Drained(commits=1, merged=1)
        assert world.weights == [2, 2, 2]
        assert (world.head.version, world.head.steps) == (1, 2)
        assert world.now(update) == update.merged(1, staleness=0, discount=1.0)

    def test_the_ledger_tells_what_was_merged(self, world: World) -> None:
        first, second = world.contribute([1, 0, 0]), world.contribute([0, 1, 0])
        drain(world)
        (entry,) = world.catalog.ledger(world.name, 0, 10)
        assert (entry.from_version, entry.version, entry.steps) == (0, 2, 2)
        assert (entry.checkpoint_key, entry.sha256) == (world.head.checkpoint_key, world.head.sha256)
        assert [(line.update_id, line.staleness, line.discount) for line in entry.updates] == [
            (first.update_id, 0, 1.0),
            (second.update_id, 1, 0.5),
        ]
        assert (entry.examples, entry.update_bytes, entry.at) == (16, 24, world.clock.now)

    def test_updates_are_merged_in_the_order_of_their_ids_each_staler_than_the_one_before(self, world: World) -> None:
        updates = [world.contribute([6, 0, 0]) for _ in range(3)]
        drain(world)
        assert [world.now(update).version for update in updates] == [1, 2, 3]
        assert [world.now(update).staleness for update in updates] == [0, 1, 2]
        assert world.weights == [1 + 6 + 3 + 2, 2, 3]

    def test_steps_are_those_of_the_longest_line_of_training(self, world: World) -> None:
        world.contribute([0, 0, 0], local_steps=5)
        drain(world)
        world.contribute([0, 0, 0], local_steps=2)
        world.contribute([0, 0, 0], base_version=1, local_steps=3)
        drain(world)
        assert world.head.steps == 8

    def test_with_nothing_pending_nothing_is_written(self, world: World) -> None:
        assert drain(world) == Drained()
        assert world.head.version == 0
        assert len(attempts(world)) == 1

    def test_a_doorbell_that_rings_again_finds_nothing_to_do(self, world: World) -> None:
        world.contribute([1, 0, 0])
        drain(world)
        before = world.head
        assert [drain(world) for _ in range(3)] == [Drained()] * 3
        assert world.head == before

    def test_a_run_that_does_not_exist_is_missing(self, world: World) -> None:
        with pytest.raises(Missing):
            world.services.committer.drain("nowhere", never)

    def test_a_paused_run_still_merges_what_comes_in(self, world: World) -> None:
        world.contribute([1, 0, 0])
        world.catalog.set_status(world.head, Status.PAUSED)
        drain(world)
        assert (world.head.version, world.head.status) == (1, Status.PAUSED)


class TestNotUploadedYet:
    def test_it_is_passed_over_and_merged_once_it_is_there(self, world: World) -> None:
        late, prompt = world.announce([8, 0, 0]), world.contribute([0, 8, 0])
        assert drain(world) == Drained(commits=1, merged=1)
        assert world.now(late).state is UpdateState.PENDING
        assert world.now(prompt).version == 1

        world.upload(late, b"\0\0\0\x41" + bytes(8))
        drain(world)
        assert world.now(late).version == 2
        assert world.weights == [1 + 8 / 2, 2 + 8, 3]

    def test_alone_it_ends_the_work(self, world: World) -> None:
        world.announce([1, 0, 0])
        assert drain(world) == Drained()

    def test_more_of_them_than_a_batch_holds_do_not_hide_the_one_behind(self, world: World) -> None:
        for _ in range(MAX_COMMIT + 3):
            world.announce([9, 9, 9])
        update = world.contribute([1, 0, 0])
        drain(world)
        assert world.now(update).version == 1

    def test_those_that_can_come_no_more_are_discarded_on_the_way(self, world: World) -> None:
        never = [world.announce([9, 9, 9]) for _ in range(MAX_COMMIT + 3)]
        world.clock.now += 900_000 + GRACE_MILLISECONDS + 1
        assert drain(world) == Drained(commits=2, refused=MAX_COMMIT + 3)
        assert {world.now(update).reason for update in never} == {"never uploaded"}

    def test_out_of_time_among_them_the_next_goes_on_behind_them(self, world: World) -> None:
        for _ in range(2 * MAX_COMMIT):
            world.announce([9, 9, 9])
        update = world.contribute([1, 0, 0])
        passed = ""
        for _ in range(3):
            looks = iter([False, True])
            drained = world.services.committer.drain(world.name, lambda looks=looks: next(looks), passed)
            passed = drained.passed
        assert drained == Drained(commits=1, merged=1, complete=False, again=True)
        assert world.now(update).version == 1


class TestPatience:
    """What fails again and again on one head is a fault: trying on would write a checkpoint each time."""

    @pytest.mark.parametrize("error", [Conflict, Unavailable])
    def test_it_ends_with_an_error(self, world: World, error: type[WebnnError]) -> None:
        update = world.contribute([1, 0, 0])
        blobs = len(world.blobs._blobs)

        def refuse(method: str) -> None:
            if method == "commit":
                raise error("always")

        refusing = around(world, catalog=Faulty(world.catalog, before=refuse))
        with pytest.raises(Unavailable, match="one and the same head"):
            drain(refusing)
        assert len(world.blobs._blobs) == blobs + PATIENCE
        assert drain(world).merged == 1
        assert world.now(update).version == 1


class TestWhatOneCommitHolds:
    def test_rows_of_many_quantised_tensors_stay_within_a_transaction(self, world: World) -> None:
        spec, update = spec_of(world), world.announce([1, 0, 0])
        wide = replace(update, quantization=(Quantization(-1.2345678901234567e-300, 1.2345678901234567e-300),) * 1000)
        batch = fitting(spec, [wide] * MAX_COMMIT)
        assert sum(len(msgspec.json.encode(each)) for each in batch) < 4_000_000
        assert len(batch) > 40

    def test_bases_count_where_the_rule_reads_them(self) -> None:
        world = a_world()
        world.start([1, 2, 3], merge={"rule": {"name": "average"}})
        update = replace(world.announce([1, 0, 0]), bytes=MAX_COMMIT_BYTES // 10)
        assert len(fitting(spec_of(world), [update] * 20)) == 9  # and the base once
        assert len(fitting(spec_of(world), [replace(update, bytes=MAX_COMMIT_BYTES + 1)] * 2)) == 1


class TestManyAtOnce:
    def test_more_than_a_transaction_holds_take_several(self) -> None:
        world = a_world()
        world.start([0, 0, 0], merge={"rule": CONSTANT})
        updates = [world.contribute([1, number, 0]) for number in range(MAX_COMMIT + 15)]
        assert drain(world) == Drained(commits=2, merged=MAX_COMMIT + 15)
        entries = world.catalog.ledger(world.name, 0, 10)
        assert [(entry.from_version, entry.version) for entry in entries] == [(0, MAX_COMMIT), (MAX_COMMIT, 110)]
        assert world.weights == [110, sum(range(110)), 0]
        assert [world.now(update).version for update in updates] == list(range(1, 111))

    def test_out_of_time_it_stops_between_commits_and_says_that_there_is_more(self, world: World) -> None:
        updates = [world.contribute([1, 0, 0]) for _ in range(MAX_COMMIT + 1)]
        looks = iter([False, True])
        drained = world.services.committer.drain(world.name, lambda: next(looks))
        assert drained == Drained(commits=1, merged=MAX_COMMIT, complete=False)
        assert world.now(updates[-1]).state is UpdateState.PENDING
        assert drain(world) == Drained(commits=1, merged=1)

    def test_out_of_time_from_the_start_it_does_nothing(self, world: World) -> None:
        world.contribute([1, 0, 0])
        assert world.services.committer.drain(world.name, lambda: True) == Drained(complete=False)
        assert world.head.version == 0

    @pytest.mark.parametrize("rule", [HALVING, CONSTANT, {"name": "average"}, {"name": "weighted"}])
    def test_one_commit_of_many_gives_bit_for_bit_what_many_of_one_give(self, rule: dict[str, Any]) -> None:
        def trained(one_by_one: bool) -> World:
            world = a_world()
            world.start([0.1, 0.2, 0.3], merge={"rule": rule})
            for number in range(3):
                world.contribute([0.1 * number, 0.7, -1 / 3])
            drain(world)  # so that there are two versions to start from
            for number in range(7):
                world.contribute([0.01, 1 / (number + 3), -0.3], base_version=3 * (number % 2), local_steps=1 + number)
                if one_by_one:
                    drain(world)
            drain(world)
            return world

        together, apart = trained(one_by_one=False), trained(one_by_one=True)
        assert together.head.version == apart.head.version == 10
        assert (together.head.sha256, together.head.steps) == (apart.head.sha256, apart.head.steps)
        assert lines(together) == lines(apart)
        assert len(together.catalog.ledger("line", 0, 100)) == 2
        assert len(apart.catalog.ledger("line", 0, 100)) == 8


def lines(world: World) -> list[tuple[int, int, float]]:
    """What the ledger says of every update, but whose it was."""
    entries = world.catalog.ledger(world.name, -1, 1000)
    return [(line.base_version, line.staleness, line.discount) for entry in entries for line in entry.updates]


class TestRivals:
    def test_who_was_beaten_decides_again_from_the_new_head(self, world: World) -> None:
        mine, theirs = world.contribute([6, 0, 0]), world.contribute([0, 6, 0])
        rival = around(world, catalog=Only(world.catalog, theirs))
        beaten = Faulty(Only(world.catalog, mine), before=once("commit", rival.drain))
        drained = drain(around(world, catalog=beaten))

        assert drained == Drained(commits=1, merged=1, conflicts=1)
        # On the head it first read the update was fresh and would have counted in full.
        assert world.now(mine) == mine.merged(2, staleness=1, discount=0.5)
        assert world.weights == [1 + 3, 2 + 6, 3]
        assert len(attempts(world)) == 4  # the genesis, the rival's, the one refused, the one that landed

    def test_who_finds_all_done_by_another_has_nothing_left_to_do(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        beaten = Faulty(world.catalog, before=once("commit", around(world).drain))
        assert drain(around(world, catalog=beaten)) == Drained(conflicts=1)
        assert world.now(update).version == 1
        assert world.weights == [2, 2, 3]

    def test_a_status_that_changes_meanwhile_is_decided_on_too(self, world: World) -> None:
        update = world.contribute([1, 0, 0])

        def finish() -> None:
            world.catalog.set_status(world.head, Status.FINISHED)

        drain(around(world, catalog=Faulty(world.catalog, before=once("commit", finish))))
        assert world.now(update).reason == "the run is finished"
        assert (world.head.version, world.head.status) == (0, Status.FINISHED)


class TestLostAnswers:
    def test_of_a_commit_that_landed_is_read_back(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        silent = Faulty(world.catalog, after=once("commit", lost))
        assert drain(around(world, catalog=silent)) == Drained(commits=1, merged=1)
        assert world.now(update).version == 1
        assert len(world.catalog.ledger(world.name, 0, 10)) == 1

    def test_of_a_commit_that_did_not_land_leads_to_another(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        silent = Faulty(world.catalog, before=once("commit", lost))
        assert drain(around(world, catalog=silent)) == Drained(commits=1, merged=1, conflicts=1)
        assert world.now(update).version == 1
        assert world.weights == [2, 2, 3]

    def test_of_a_commit_that_another_beat_is_not_taken_for_ones_own(self, world: World) -> None:
        """The version to come is in the ledger, but another attempt made it."""
        update = world.contribute([1, 0, 0])

        def beaten_and_lost() -> None:
            world.drain()
            lost()

        silent = Faulty(world.catalog, before=once("commit", beaten_and_lost))
        assert drain(around(world, catalog=silent)) == Drained(conflicts=1)
        assert world.now(update).version == 1

    @pytest.mark.parametrize("landed", [True, False])
    def test_of_a_commit_of_refusals_alone(self, world: World, landed: bool) -> None:
        update = world.contribute([float("nan"), 0, 0])
        fault = once("commit", lost)
        silent = Faulty(world.catalog, after=fault) if landed else Faulty(world.catalog, before=fault)
        drained = drain(around(world, catalog=silent))
        assert drained == Drained(commits=1, refused=1, conflicts=0 if landed else 1)
        assert world.now(update).state is UpdateState.REJECTED
        assert world.head.version == 0

    @pytest.mark.parametrize("method", ["head", "pending", "ledger_entry"])
    def test_of_a_read_is_for_the_caller_and_loses_nothing(self, world: World, method: str) -> None:
        update = world.contribute([1, 0, 0])
        silent = Faulty(world.catalog, before=once(method, lost))
        with pytest.raises(Unavailable):
            drain(around(world, catalog=silent))
        assert world.now(update) == update
        drain(world)
        assert world.now(update).version == 1

    @pytest.mark.parametrize("method", ["get", "create"])
    def test_of_a_blob_is_for_the_caller_and_loses_nothing(self, world: World, method: str) -> None:
        update = world.contribute([1, 0, 0])
        with pytest.raises(Unavailable):
            drain(around(world, blobs=Faulty(world.blobs, before=once(method, lost))))
        assert (world.now(update), world.head.version) == (update, 0)
        drain(world)
        assert world.now(update).version == 1


class TestCrashes:
    def test_between_the_checkpoint_and_the_commit_leaves_nothing_to_be_seen(self, world: World) -> None:
        update, head = world.contribute([1, 0, 0]), world.head
        with pytest.raises(Crash):
            drain(around(world, blobs=Faulty(world.blobs, after=once("create", crash))))
        assert len(attempts(world)) == 2
        assert (world.head, world.now(update)) == (head, update)
        assert world.catalog.ledger(world.name, 0, 10) == []

        assert drain(world) == Drained(commits=1, merged=1)
        assert len(attempts(world)) == 3  # the orphan's key was no other attempt's
        assert world.weights == [2, 2, 3]

    def test_after_the_commit_leaves_nothing_to_be_done(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        with pytest.raises(Crash):
            drain(around(world, catalog=Faulty(world.catalog, after=once("commit", crash))))
        assert world.now(update).version == 1
        assert drain(world) == Drained()
        assert world.weights == [2, 2, 3]


class TestOfNoUse:
    def test_updates_of_a_finished_run_are_discarded_uploaded_or_not(self, world: World) -> None:
        updates = [world.contribute([1, 0, 0]), world.announce([1, 0, 0])]
        world.catalog.set_status(world.head, Status.FINISHED)
        assert drain(world) == Drained(commits=1, refused=2)
        assert [world.now(update) for update in updates] == [u.discarded("the run is finished") for u in updates]
        assert world.head.version == 0

    def test_updates_of_another_generation_are_discarded_with_both_named(self, world: World) -> None:
        old, new = world.contribute([9, 9, 9]), world.contribute([1, 0, 0], generation=1)
        rolled_back = replace(world.head, generation=1)
        world.catalog._heads[world.name] = rolled_back
        assert drain(world) == Drained(commits=1, merged=1, refused=1)
        assert world.now(old) == old.discarded("made against generation 0, the run is at 1")
        assert world.now(new).version == 1
        assert world.weights == [2, 2, 3]

    def test_an_update_that_is_too_stale_is_discarded_with_its_staleness(self) -> None:
        world = a_world()
        world.start([0, 0, 0], merge={"rule": {"name": "delta", "discounting": {"name": "cutoff", "limit": 1}}})
        updates = [world.contribute([1, 0, 0]) for _ in range(4)]
        assert drain(world) == Drained(commits=1, merged=2, refused=2)
        assert [world.now(update).version for update in updates] == [1, 2, None, None]
        assert world.now(updates[2]) == updates[2].discarded("too stale", 2)
        assert world.weights == [2, 0, 0]
        (entry,) = world.catalog.ledger(world.name, 0, 10)
        assert len(entry.updates) == 2


class TestCorruptStorage:
    def test_a_head_whose_checkpoint_was_altered(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        world.blobs._blobs[world.head.checkpoint_key] = bytes(12)
        self.stands_still(world, update, "not what its row says")

    def test_a_head_whose_checkpoint_is_gone(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        del world.blobs._blobs[world.head.checkpoint_key]
        self.stands_still(world, update, "is gone")

    def test_a_head_whose_checkpoint_is_another_models(self, world: World) -> None:
        other = a_world(name="line")
        other.start([1, 2, 3, 4], weightsManifest=[{"weights": [{"name": "w", "shape": [4], "dtype": "float32"}]}])
        update = world.contribute([1, 0, 0])
        world.blobs._blobs[other.head.checkpoint_key + "x"] = other.blobs.get(other.head.checkpoint_key)
        world.catalog._heads[world.name] = replace(
            world.head, checkpoint_key=other.head.checkpoint_key + "x", sha256=other.head.sha256
        )
        self.stands_still(world, update, "16 bytes where 12 were due")

    @pytest.mark.parametrize("damage", ["altered", "gone"])
    def test_a_base_that_is_lost_costs_its_update_and_holds_up_no_other(self, damage: str) -> None:
        world = a_world()
        world.start([1, 2, 3], merge={"rule": {"name": "average"}})
        genesis = world.head
        world.contribute([1, 0, 0])
        drain(world)
        stale, fresh = (world.contribute([1, 0, 0], base_version=base) for base in (0, 1))
        if damage == "gone":
            del world.blobs._blobs[genesis.checkpoint_key]
        else:
            world.blobs._blobs[genesis.checkpoint_key] = bytes(12)
        assert drain(world) == Drained(commits=1, merged=1, refused=1)
        assert world.now(fresh).version == 2
        assert world.now(stale).state is UpdateState.DISCARDED
        assert genesis.checkpoint_key in (world.now(stale).reason or "")

    def test_a_spec_that_was_altered(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        world.blobs._blobs[world.catalog.run(world.name).spec_key] = b"{}"
        self.stands_still(around(world), update, "not what its row says")

    def test_a_spec_that_is_gone(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        del world.blobs._blobs[world.catalog.run(world.name).spec_key]
        self.stands_still(around(world), update, "is gone")

    @staticmethod
    def stands_still(world: World, update: Any, message: str) -> None:
        head = world.head
        with pytest.raises(Corrupt, match=message):
            drain(world)
        assert (world.head, world.now(update)) == (head, update)


class TestTheBase:
    def test_is_the_checkpoint_of_the_version_that_was_trained_from(self) -> None:
        world = a_world()
        world.start([0, 0, 8], merge={"rule": {"name": "average"}})
        world.contribute([8, 0, 0])
        drain(world)
        assert world.weights == [4, 0, 8]
        world.contribute([0, 4, 0], base_version=0)
        world.contribute([0, 0, 4], base_version=1)
        drain(world)
        # The second's trained model is [0, 4, 8], the third's [4, 0, 12].
        assert world.weights == [(4 / 2 + 4) / 2, (4 / 2) / 2, (8 + 12) / 2]

    def test_a_version_inside_a_commit_was_never_a_checkpoint_so_it_is_no_base(self, world: World) -> None:
        for _ in range(2):
            world.contribute([0, 0, 0])
        drain(world)
        update = world.contribute([1, 0, 0], base_version=1)
        drain(world)
        assert world.now(update) == update.rejected("no commit made version 1")


def test_the_ledger_names_every_version_once_and_every_checkpoint_is_there(world: World) -> None:
    for size in (1, 3, 2):
        for _ in range(size):
            world.contribute([1, 1, 1])
        drain(world)
    entries = world.catalog.ledger(world.name, -1, 10)
    assert [entry.version for entry in entries] == [0, 1, 4, 6]
    assert all(late.from_version == early.version for early, late in pairwise(entries))
    for entry in entries:
        assert len(world.blobs.get(entry.checkpoint_key)) == entry.bytes == 12
        assert entry.checkpoint_key == keys.checkpoint(world.name, entry.version, entry.attempt)
    assert len({entry.attempt for entry in entries}) == 4


class TestReadsAreOrdered:
    def test_an_update_announced_between_the_two_reads_is_never_ahead_of_the_head(self, world: World) -> None:
        world.contribute([1, 0, 0])
        happened: list[str] = []

        def meanwhile(method: str) -> None:
            """After the first of the two reads, whichever that is, a rival merges and a client builds on that."""
            if method in {"head", "pending"} and not happened:
                happened.append(method)
                drain(world)
                world.contribute([0, 1, 0], base_version=world.head.version)

        drain(around(world, catalog=Faulty(world.catalog, after=meanwhile)))

        assert happened
        assert world.weights == [2, 3, 3]
        assert [line.staleness for entry in world.catalog.ledger(world.name, 0, 10) for line in entry.updates] == [0, 0]


class TestLargeBatches:
    def test_a_commit_takes_no_more_bytes_than_it_has_time_for(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        updates = [world.contribute([1, 0, 0]) for _ in range(5)]
        monkeypatch.setattr("webnn.decision.MAX_COMMIT_BYTES", 2 * updates[0].bytes)

        assert drain(world) == Drained(commits=3, merged=5)

    def test_an_update_larger_than_that_is_committed_alone(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.contribute([1, 0, 0])
        world.contribute([1, 0, 0])
        monkeypatch.setattr("webnn.decision.MAX_COMMIT_BYTES", 1)

        assert drain(world) == Drained(commits=2, merged=2)


def test_rows_that_are_never_uploaded_take_no_place_in_the_next_commits(world: World) -> None:
    """94 of them made every commit of 285 updates one of a single update."""
    for _ in range(94):
        world.announce([0, 0, 0])
    updates = [world.contribute([0, 0, 0]) for _ in range(3 * MAX_COMMIT)]
    calls: list[str] = []
    watched = around(world, blobs=Faulty(world.blobs, before=calls.append))
    drained = watched.services.committer.drain("line", never)
    assert (drained.merged, drained.commits) == (len(updates), 4)
    assert calls.count("get") <= 2 * 94 + len(updates) + 2


def test_what_stood_before_the_others_and_is_uploaded_late_is_merged_when_that_rings(world: World) -> None:
    late = world.announce([1, 0, 0])
    for _ in range(MAX_COMMIT):
        world.contribute([0, 0, 0])
    world.drain()
    assert world.now(late).state is UpdateState.PENDING
    world.upload(late, body_of([1, 0, 0]))
    world.drain()
    assert world.now(late).version == MAX_COMMIT + 1


def test_what_is_uploaded_just_after_it_was_passed_does_not_wait_till_a_busy_run_rests(world: World) -> None:
    """Others go on announcing and uploading: there is always something behind what was passed."""
    late = world.announce([1, 0, 0])
    world.contribute([0, 0, 0])
    commits: list[str] = []

    def busy(name: str) -> None:
        if name == "commit":
            commits.append(name)
            world.contribute([0, 0, 0])
            if len(commits) == 1:
                world.upload(late, body_of([1, 0, 0]))

    watched = around(world, catalog=Faulty(world.catalog, before=busy))
    watched.services.committer.drain("line", lambda: len(commits) == 5)
    assert world.now(late).state is UpdateState.MERGED


def test_who_fails_on_one_head_again_and_again_waits_longer_each_time(world: World) -> None:
    """DynamoDB throttles for seconds; eight checkpoints in two milliseconds do not outlast that."""
    world.contribute([1, 0, 0])

    def throttled(name: str) -> None:
        if name == "commit":
            raise Unavailable("DynamoDB answered ThrottlingError")

    pauses: list[int] = []
    catalog = Heedless(Faulty(world.catalog, before=throttled))
    services = assemble(
        catalog, world.blobs, "s" * 64, world.rung.append, clock=world.clock, ids=world.ids, pause=pauses.append
    )
    with pytest.raises(Unavailable):
        services.committer.drain("line", never)
    assert pauses == list(range(1, PATIENCE))
