"""Turns: nobody waits, nothing that was rung for is overlooked, and nothing depends on them."""

from typing import Any

import pytest
from faults import Crash, Faulty, crash, once
from samples import World, a_world, body_of, never

from webnn.commit import Drained
from webnn.core.records import MergeLease, UpdateState
from webnn.errors import Conflict, Unavailable
from webnn.store.ports import MAX_COMMIT
from webnn.turns import LEASE_MILLISECONDS, Turns


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    return found


def turns(world: World, catalog: Any = None) -> Turns:
    return Turns(catalog or world.catalog, clock=world.clock, new_id=world.ids)


def through(world: World, **hooks: Any) -> World:
    """The same run through stores where something happens, heeding turns."""
    return a_world(Faulty(world.catalog, **hooks), world.blobs, clock=world.clock, ids=world.ids)


def drain(world: World) -> Drained:
    return world.services.committer.drain("line", never)


def test_who_finds_another_at_it_leaves_at_once(world: World) -> None:
    update = world.contribute([1, 0, 0])
    held = turns(world).take("line")
    assert drain(world) == Drained(elsewhere=True)
    held.drop(again=False)
    assert drain(world).merged == 1
    assert world.now(update).version == 1


def test_the_one_who_is_at_it_looks_again_for_what_came_meanwhile(world: World) -> None:
    """Its last look found nothing; before it lets go, an upload is rung for and left to it."""
    world.contribute([1, 0, 0])
    left: list[Drained] = []

    def upload_and_ring() -> None:
        world.contribute([0, 1, 0])
        left.append(drain(world))

    finds_nothing = iter([False, True])

    def after_the_last_look(method: str) -> None:
        if method == "pending" and next(finds_nothing, False):
            upload_and_ring()

    assert drain(through(world, after=after_the_last_look)) == Drained(commits=2, merged=2)
    assert left == [Drained(elsewhere=True)]
    assert world.catalog.pending("line", 9) == []


def test_many_who_find_it_held_write_once(world: World) -> None:
    turns(world).take("line")
    calls: list[str] = []
    for _ in range(20):
        assert turns(world, Faulty(world.catalog, before=calls.append)).take("line") is None
    assert calls.count("claim_merging") == 1


def test_a_turn_that_was_let_go_can_be_taken_at_once(world: World) -> None:
    for _ in range(3):
        turn = turns(world).take("line")
        assert turn is not None
        assert turn.over()


def test_the_turn_of_one_who_died_runs_out(world: World) -> None:
    world.contribute([1, 0, 0])
    with pytest.raises(Crash):
        drain(through(world, before=once("commit", crash)))
    lease = world.catalog.merge_lease("line")
    world.catalog.claim_merging(MergeLease("line", lease.holder, world.clock.now + 1), lease)  # as dying leaves it
    assert drain(world).elsewhere
    world.clock.now += LEASE_MILLISECONDS
    assert drain(world).merged == 1


def test_an_error_lets_go_so_that_the_next_need_not_wait(world: World) -> None:
    world.contribute([1, 0, 0])

    def fail() -> None:
        raise Unavailable("S3 is away")

    with pytest.raises(Unavailable):
        drain(through(world, before=once("head", fail)))
    assert drain(world).merged == 1


def test_a_long_turn_is_renewed_and_keeps_its_mark(world: World) -> None:
    turn = turns(world).take("line")
    world.clock.now += LEASE_MILLISECONDS // 2
    assert turns(world).take("line") is None
    assert turn.keep()
    world.clock.now += LEASE_MILLISECONDS - 1
    assert turns(world).take("line") is None  # it would have run out long ago
    assert not turn.over()
    assert turn.over()


def test_one_who_was_too_slow_leaves_it_to_the_one_who_came(world: World) -> None:
    slow = turns(world).take("line")
    world.clock.now += LEASE_MILLISECONDS
    quick = turns(world).take("line")
    assert quick is not None
    assert not slow.keep()
    assert slow.over()
    slow.drop(again=False)
    assert turns(world).take("line") is None
    assert not quick.over()  # it was asked
    assert quick.over()


def test_a_turn_that_cannot_be_had_for_the_crowd_is_done_without(world: World) -> None:
    def crowd(method: str) -> None:
        if method == "claim_merging":
            raise Conflict("another was faster")

    world.contribute([1, 0, 0])
    assert drain(through(world, before=crowd)) == Drained(commits=1, merged=1)


@pytest.mark.parametrize("when", ["before", "after"])
def test_silence_about_a_turn_is_for_the_caller_and_loses_nothing(world: World, when: str) -> None:
    update = world.contribute([1, 0, 0])

    def silence() -> None:
        raise Unavailable("no answer")

    with pytest.raises(Unavailable):
        drain(through(world, **{when: once("claim_merging", silence)}))
    world.clock.now += LEASE_MILLISECONDS
    drain(world)
    assert world.now(update).version == 1


class TestWhatTheOneBeforeLeft:
    """A message that skips rows must not be all that is looked at if others left theirs to one who ended badly."""

    def behind(self, world: World) -> tuple[str, str]:
        """An update that is uploaded, and the id of one behind it that never is."""
        update = world.contribute([1, 0, 0])
        return update.update_id, world.announce([0, 0, 0]).update_id

    def test_one_who_died_marked(self, world: World) -> None:
        early, late = self.behind(world)
        turns(world).take("line")
        assert turns(world).take("line") is None
        world.clock.now += LEASE_MILLISECONDS
        world.services.committer.drain("line", never, after=late)
        assert world.catalog.update("line", early).version == 1

    def test_one_who_died_unmarked(self, world: World) -> None:
        early, late = self.behind(world)
        turns(world).take("line")
        world.clock.now += LEASE_MILLISECONDS
        world.services.committer.drain("line", never, after=late)
        assert world.catalog.update("line", early).version == 1

    def test_one_whom_an_error_ended_after_the_mark_was_used_up(self, world: World) -> None:
        early, late = self.behind(world)
        turn = turns(world).take("line")
        turns(world).take("line")
        assert not turn.over()
        turn.drop(again=True)
        world.services.committer.drain("line", never, after=late)
        assert world.catalog.update("line", early).version == 1

    def test_of_one_who_ended_well_nothing_is_left(self, world: World) -> None:
        early, late = self.behind(world)
        turn = turns(world).take("line")
        assert turn.over()
        world.services.committer.drain("line", never, after=late)
        assert world.catalog.update("line", early).state is UpdateState.PENDING


def test_whoever_comes_goes_on_where_time_was_up(world: World) -> None:
    """Also who was rung for something else: or many rows that are never uploaded would be begun anew each time."""
    for _ in range(20 * MAX_COMMIT):
        world.announce([0, 0, 0])
    last = world.contribute([1, 0, 0])
    rounds = 0
    while world.now(last).state is UpdateState.PENDING and rounds < 5:
        rounds += 1
        world.contribute([0, 0, 0])
        looks = iter([False] * 8)
        world.services.committer.drain("line", lambda looks=looks: next(looks, True))  # rung for by the newest
    assert rounds == 3


def test_who_goes_on_where_time_was_up_forgets_nothing_it_was_rung_for(world: World) -> None:
    late = world.announce([1, 0, 0])
    for _ in range(MAX_COMMIT):
        world.announce([0, 0, 0])
    looks = iter([False])
    assert not world.services.committer.drain("line", lambda: next(looks, True)).complete
    assert world.catalog.merge_lease("line").passed > late.update_id
    world.upload(late, body_of([1, 0, 0]))
    drain(world)
    assert world.now(late).state is UpdateState.MERGED


def test_who_dies_before_ringing_leaves_word_if_its_message_begins_behind_what_is_left(world: World) -> None:
    """Found by the model: it was through and had begun at the front for another, whose ring was gone."""
    early = world.announce([1, 0, 0])
    for _ in range(2 * MAX_COMMIT):
        world.contribute([0, 0, 0])
    message = world.contribute([0, 0, 0]).update_id  # all up to here was passed before
    world.contribute([0, 0, 0])

    def another_uploads_and_leaves() -> None:
        world.upload(early, body_of([1, 0, 0]))
        assert drain(world).elsewhere

    looks = iter([False] * 2)
    watched = through(world, before=once("commit", another_uploads_and_leaves))
    left = watched.services.committer.drain("line", lambda: next(looks, True), after=message)
    assert not left.complete  # at the front again; now it dies, and rings for nothing
    while not watched.services.committer.drain("line", never, after=message).complete:
        pass
    assert world.now(early).state is UpdateState.MERGED


def test_who_works_without_a_lease_goes_on_to_the_end(world: World) -> None:
    """It was refused one ten times; the row is free by now."""
    turn = Turns(Faulty(world.catalog, before=refuse_claims), clock=world.clock, new_id=world.ids).take("line")
    assert turn is not None
    world.clock.now += 10 * LEASE_MILLISECONDS
    assert turn.keep()
    assert turn.over()
    assert turn.drop(again=True)


def refuse_claims(method: str) -> None:
    if method == "claim_merging":
        raise Conflict("another was faster")


def test_the_turn_of_one_whose_clock_was_wrong_is_not_believed(world: World) -> None:
    ahead = Turns(world.catalog, clock=lambda: world.clock.now + 600_000, new_id=world.ids)
    assert ahead.take("line") is not None
    assert turns(world).take("line") is not None
