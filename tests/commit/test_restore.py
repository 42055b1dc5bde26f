"""Rollback and unmerge: other weights, a new version, a new generation, and nothing lost."""

from typing import Any

import numpy as np
import pytest
from faults import Faulty, around, lost, once
from samples import RECIPES, World, a_world, recipe_name

from webnn.core.records import Commit, UpdateState, Without
from webnn.errors import Conflict, Corrupt, Invalid, Missing, Unavailable


def a_lived_world(recipe: dict[str, Any] = RECIPES[0]) -> World:
    """Three versions, each a commit of its own."""
    world = a_world()
    world.start([1, 2, 3], merge=recipe)
    for axis in range(3):
        world.contribute(np.eye(3, dtype=np.float32)[axis], base_version=world.head.version)
        world.drain()
    return world


@pytest.fixture
def world() -> World:
    return a_lived_world()


def ids(world: World) -> list[str]:
    return [line.update_id for entry in world.catalog.ledger("line", 0, 100) for line in entry.updates]


def replayed(world: World) -> list[int]:
    return [found.entry.version for found in world.services.replay.replay("line")]


class TestRollback:
    def test_brings_back_the_weights_as_a_version_of_its_own(self, world: World) -> None:
        assert world.weights == [2, 3, 4]
        entry = world.services.restorer.rollback("line", 1)
        assert world.weights == [2, 2, 3]
        assert (entry.version, entry.generation, entry.restores) == (4, 1, 1)
        assert (world.head.version, world.head.generation, world.head.steps) == (4, 1, entry.steps)
        assert replayed(world) == [0, 1, 2, 3, 4]

    def test_deletes_nothing_and_can_be_taken_back(self, world: World) -> None:
        blobs = dict(world.blobs._blobs)
        world.services.restorer.rollback("line", 0)
        world.services.restorer.rollback("line", 3)
        assert world.weights == [2, 3, 4]
        assert world.blobs._blobs.items() >= blobs.items()
        assert (world.head.version, world.head.generation) == (5, 2)

    @pytest.mark.parametrize("recipe", RECIPES, ids=recipe_name)
    def test_training_goes_on_with_what_was_remembered_then(self, recipe: dict[str, Any]) -> None:
        """As if what was rolled back had never been: the same update gives the same weights."""
        worlds = [a_lived_world(recipe), a_lived_world(recipe)]
        for axis in (0, 2):
            worlds[0].contribute(np.eye(3, dtype=np.float32)[axis], base_version=3)
            worlds[0].drain()
        entry = worlds[0].services.restorer.rollback("line", 3)
        for world in worlds:
            head = world.head
            world.contribute([0, 7, 0], base_version=head.version, generation=head.generation)
            world.drain()
        assert worlds[0].weights == worlds[1].weights
        assert entry.state_sha256 == worlds[0].catalog.ledger_entry("line", 3).state_sha256
        assert replayed(worlds[0])[-1] == worlds[0].head.version

    def test_every_entry_names_a_checkpoint_of_its_own(self, world: World) -> None:
        world.services.restorer.rollback("line", 1)
        named = [entry.checkpoint_key for entry in world.catalog.ledger("line", -1, 100)]
        assert len(set(named)) == len(named) == 5

    def test_an_update_of_the_generation_before_is_discarded_with_that_reason(self, world: World) -> None:
        late = world.contribute([9, 9, 9], base_version=3)
        world.services.restorer.rollback("line", 1)
        world.drain()
        assert world.now(late).state is UpdateState.DISCARDED
        assert world.now(late).reason == "made against generation 0, the run is at 1"
        assert world.weights == [2, 2, 3]

    def test_training_goes_on_from_there(self, world: World) -> None:
        world.services.restorer.rollback("line", 1)
        update = world.contribute([0, 0, 5], base_version=4, generation=1)
        world.drain()
        assert world.now(update).version == 5
        assert world.weights == [2, 2, 8]
        assert replayed(world)[-1] == 5

    def test_a_version_that_no_commit_made_is_invalid(self, world: World) -> None:
        with pytest.raises(Invalid, match="no commit made version 7"):
            world.services.restorer.rollback("line", 7)
        with pytest.raises(Missing):
            world.services.restorer.rollback("gone", 0)

    def test_a_checkpoint_that_is_gone_cannot_be_brought_back(self, world: World) -> None:
        before = world.head
        del world.blobs._blobs[world.catalog.ledger_entry("line", 1).checkpoint_key]
        with pytest.raises(Corrupt):
            world.services.restorer.rollback("line", 1)
        assert world.head == before

    def test_a_merge_that_was_faster_is_rolled_back_with_the_rest(self, world: World) -> None:
        update = world.contribute([9, 9, 9], base_version=3)
        racing = around(world, catalog=Faulty(world.catalog, before=once("commit", world.drain)))
        entry = racing.services.restorer.rollback("line", 1)
        assert world.now(update).version == 4
        assert (entry.version, world.weights) == (5, [2, 2, 3])

    def test_a_merge_that_was_slower_is_decided_again_and_discarded(self, world: World) -> None:
        update = world.contribute([9, 9, 9], base_version=3)
        rollback = once("commit", lambda: world.services.restorer.rollback("line", 1))
        around(world, catalog=Faulty(world.catalog, before=rollback)).drain()
        assert world.now(update).state is UpdateState.DISCARDED
        assert world.weights == [2, 2, 3]

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_lost_answer_is_read_back(self, world: World, when: Any) -> None:
        losing = around(world, catalog=Faulty(world.catalog, **{when: once("commit", lost)}))
        losing.services.restorer.rollback("line", 1)
        assert (world.head.version, world.head.generation) == (4, 1)


class Late(Faulty):
    """A catalog whose first commit is met with silence, and lands just before the second."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self._under_way: list[Commit] = []
        self._first = True

    def commit(self, commit: Commit) -> None:
        if self._first:
            self._first = False
            self._under_way.append(commit)
            raise Unavailable("no answer")
        while self._under_way:
            self._inner.commit(self._under_way.pop())
        self._inner.commit(commit)


@pytest.mark.parametrize("verb", ["rollback", "unmerge"])
def test_a_move_that_lands_late_is_not_made_twice(world: World, verb: str) -> None:
    restorer = around(world, catalog=Late(world.catalog)).services.restorer
    if verb == "rollback":
        entry = restorer.rollback("line", 1)
    else:
        entry = restorer.unmerge("line", Without(updates=(ids(world)[0],)))
    assert entry == world.catalog.ledger_entry("line", 4)
    assert (world.head.version, world.head.generation) == (4, 1)


class TestUnmerge:
    @pytest.mark.parametrize("recipe", RECIPES, ids=recipe_name)
    @pytest.mark.parametrize("left_out", [0, 1, 2])
    def test_the_weights_are_those_of_the_others_each_with_the_discount_it_had(
        self, recipe: dict[str, Any], left_out: int
    ) -> None:
        world = a_lived_world(recipe)
        entry = world.services.restorer.unmerge("line", Without(updates=(ids(world)[left_out],)))
        assert (entry.version, entry.generation) == (4, 1)
        assert replayed(world) == [0, 1, 2, 3, 4]
        if recipe == {"rule": {"name": "delta"}}:
            kept = [axis for axis in range(3) if axis != left_out]
            assert world.weights == [float(n + 1) + (n in kept) for n in range(3)]

    def test_without_all_of_them_the_genesis_is_left(self, world: World) -> None:
        genesis = world.catalog.ledger_entry("line", 0)
        entry = world.services.restorer.unmerge("line", Without(updates=tuple(ids(world))))
        assert (entry.sha256, entry.steps) == (genesis.sha256, 0)

    def test_a_client_is_left_out_with_all_it_sent(self, world: World) -> None:
        client = world.catalog.ledger_entry("line", 1).updates[0].client_id
        theirs = [
            line for entry in world.catalog.ledger("line", 0, 9) for line in entry.updates if line.client_id == client
        ]
        world.services.restorer.unmerge("line", Without(clients=(client,)))
        assert len(theirs) > 0
        assert replayed(world)[-1] == 4

    def test_what_is_not_there_cannot_be_left_out(self, world: World) -> None:
        with pytest.raises(Invalid, match="holds nothing"):
            world.services.restorer.unmerge("line", Without(clients=("nobody",)))
        world.services.restorer.rollback("line", 1)
        with pytest.raises(Invalid, match="holds nothing"):
            world.services.restorer.unmerge("line", Without(updates=(ids(world)[2],)))

    def test_after_a_rollback_only_what_was_brought_back_is_folded(self, world: World) -> None:
        world.services.restorer.rollback("line", 2)
        world.services.restorer.unmerge("line", Without(updates=(ids(world)[0],)))
        assert world.weights == [1, 3, 3]
        assert replayed(world) == [0, 1, 2, 3, 4, 5]

    def test_two_after_another_leave_both_out(self, world: World) -> None:
        for left_out in (0, 2):
            world.services.restorer.unmerge("line", Without(updates=(ids(world)[left_out],)))
        assert world.weights == [1, 3, 3]
        assert replayed(world)[-1] == 5

    def test_merges_meanwhile_are_kept(self, world: World) -> None:
        world.contribute([0, 0, 4], base_version=3)
        racing = around(world, catalog=Faulty(world.catalog, before=once("commit", world.drain)))
        entry = racing.services.restorer.unmerge("line", Without(updates=(ids(world)[0],)))
        assert (entry.version, world.weights) == (5, [1, 3, 8])
        assert replayed(world)[-1] == 5

    def test_a_run_that_never_rests_is_given_up_with_the_head_as_it_was(self, world: World) -> None:
        def refuse(method: str) -> None:
            if method == "commit":
                raise Conflict("always")

        before = world.head
        with pytest.raises(Unavailable, match="pause it first"):
            around(world, catalog=Faulty(world.catalog, before=refuse)).services.restorer.rollback("line", 1)
        assert world.head == before
