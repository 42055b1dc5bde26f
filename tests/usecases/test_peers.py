"""`POST exchange`: what a client gets for what it leaves."""

import pytest
from faults import Faulty, around, lost, once
from msgspec.structs import replace
from samples import World, a_world

from webnn.core.records import Exchange, Status, Update, UpdateState
from webnn.errors import Conflict, Invalid, Missing, Unavailable
from webnn.peers import Peers
from webnn.specs import Specs
from webnn.store import keys
from webnn.tokens import Member
from webnn.updates import Announcement


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start(merge={"where": "peer", "rule": {"name": "average"}})
    return found


def member(update: Update) -> Member:
    return Member("line", update.client_id)


def swap(world: World, update: Update, given: World | None = None) -> str | None:
    """The id of what the update's client gets for it."""
    found = (given or world).services.peers.exchange(member(update), update.update_id)
    return found.update_id if found else None


def left_by(world: World, client: str) -> Update:
    return world.contribute([1, 0, 0], client_id=client * 32)


def test_the_first_gets_nothing_and_the_second_gets_what_the_first_left(world: World) -> None:
    first, second = left_by(world, "a"), left_by(world, "b")
    assert swap(world, first) is None
    assert swap(world, second) == first.update_id


def test_nobody_gets_its_own(world: World) -> None:
    assert [swap(world, left_by(world, "a")) for _ in range(3)] == [None] * 3


def test_what_was_taken_is_given_to_nobody_else(world: World) -> None:
    first, second, third = (left_by(world, client) for client in "abc")
    assert [swap(world, each) for each in (first, second, third)] == [None, first.update_id, second.update_id]


def test_the_newest_of_a_client_is_given_not_what_it_left_before(world: World) -> None:
    older, newer, others = left_by(world, "a"), left_by(world, "a"), left_by(world, "b")
    swap(world, older)
    swap(world, newer)
    assert swap(world, others) == newer.update_id


def test_a_repeat_is_told_the_same_again(world: World) -> None:
    """Its answer was lost; meanwhile others left more."""
    first, second, third = (left_by(world, client) for client in "abc")
    swap(world, first)
    assert swap(world, second) == first.update_id
    swap(world, third)
    assert [swap(world, second), swap(world, first)] == [first.update_id, None]


@pytest.mark.parametrize("lands", [True, False])
def test_after_a_silence_of_the_store_it_is_read_back(world: World, lands: bool) -> None:
    first, second = left_by(world, "a"), left_by(world, "b")
    swap(world, first)
    silent = Faulty(world.catalog, **{"after" if lands else "before": once("swap", lost)})
    if lands:
        assert swap(world, second, around(world, catalog=silent)) == first.update_id
    else:
        with pytest.raises(Unavailable):
            swap(world, second, around(world, catalog=silent))
    assert swap(world, second) == first.update_id


def test_whoever_is_beaten_takes_another(world: World) -> None:
    first, second, quick, slow = (left_by(world, client) for client in "abcd")
    swap(world, first)
    swap(world, second)
    taken: list[str | None] = []
    beaten = Faulty(world.catalog, before=once("swap", lambda: taken.append(swap(world, quick))))
    taken.append(swap(world, slow, around(world, catalog=beaten)))
    assert len(set(taken)) == 2
    assert None not in taken


def test_a_run_on_which_everybody_is_always_faster_is_given_up(world: World) -> None:
    def refuse(method: str) -> None:
        if method == "swap":
            raise Conflict("always")

    with pytest.raises(Unavailable, match="too many swap"):
        swap(world, left_by(world, "a"), around(world, catalog=Faulty(world.catalog, before=refuse)))


def test_all_of_them_are_merged_into_the_head_whatever_was_swapped(world: World) -> None:
    updates = [left_by(world, client) for client in "aabbc"]
    for update in updates:
        swap(world, update)
    world.drain()
    assert world.head.version == len(updates)
    assert [found.entry.version for found in world.services.replay.replay("line")][-1] == len(updates)


def test_what_was_merged_meanwhile_can_still_be_swapped(world: World) -> None:
    first, second = left_by(world, "a"), left_by(world, "b")
    world.drain()
    assert [swap(world, first), swap(world, second)] == [None, first.update_id]


def test_anothers_update_is_missing(world: World) -> None:
    update = left_by(world, "a")
    with pytest.raises(Missing):
        world.services.peers.exchange(Member("line", "b" * 32), update.update_id)


def test_what_is_not_uploaded_is_refused_and_can_be_left_later(world: World) -> None:
    update = left_by(world, "a")
    key = keys.update("line", update.update_id)
    body = world.blobs.get(key)
    world.blobs.delete([key])
    with pytest.raises(Conflict, match="not uploaded"):
        swap(world, update)
    world.blobs.create(key, body)
    assert swap(world, update) is None


def test_an_older_one_after_a_newer_is_refused(world: World) -> None:
    older, newer = left_by(world, "a"), left_by(world, "a")
    swap(world, newer)
    with pytest.raises(Conflict, match="newer"):
        swap(world, older)


@pytest.mark.parametrize("status", [Status.PAUSED, Status.FINISHED])
def test_a_run_that_does_not_run_takes_nothing(world: World, status: Status) -> None:
    update = left_by(world, "a")
    world.catalog.set_status(world.head, status)
    with pytest.raises(Conflict, match=str(status)):
        swap(world, update)


def test_one_of_before_a_rollback_is_refused(world: World) -> None:
    update = left_by(world, "a")
    world.services.restorer.rollback("line", 0)
    with pytest.raises(Conflict, match="generation 1"):
        swap(world, update)


def test_what_a_rollback_took_away_does_not_come_back_by_the_peers(world: World) -> None:
    swap(world, left_by(world, "a"))
    world.services.restorer.rollback("line", 0)
    newer = world.contribute([1, 0, 0], client_id="b" * 32, generation=1)
    assert swap(world, newer) is None
    assert swap(world, world.contribute([1, 0, 0], client_id="c" * 32, generation=1)) == newer.update_id


def test_one_that_was_rejected_meanwhile_is_passed_over(world: World) -> None:
    good, bad = left_by(world, "a"), world.contribute([float("nan"), 0, 0], client_id="b" * 32)
    assert [swap(world, good), swap(world, bad)] == [None, good.update_id]
    world.drain()
    assert world.now(bad).state is UpdateState.REJECTED
    another = left_by(world, "c")
    assert swap(world, another) is None
    assert swap(world, left_by(world, "d")) == another.update_id


def test_one_whose_row_has_expired_is_passed_over(world: World) -> None:
    swap(world, left_by(world, "a"))
    update, looked = left_by(world, "b"), []

    def expired(name: str) -> None:
        if name == "update":
            looked.append(name)
            if len(looked) == 2:  # its own, then the other's
                raise Missing("expired")

    assert swap(world, update, around(world, catalog=Faulty(world.catalog, before=expired))) is None


def test_a_run_that_merges_on_the_server_has_no_peers() -> None:
    world = a_world()
    world.start()
    with pytest.raises(Missing, match="merges on the server"):
        swap(world, left_by(world, "a"))


def test_a_repeat_gives_nothing_that_was_rolled_back_meanwhile(world: World) -> None:
    first, second = left_by(world, "a"), left_by(world, "b")
    swap(world, first)
    assert swap(world, second) == first.update_id
    world.services.restorer.rollback("line", 0)
    assert swap(world, second) is None


def test_a_repeat_gives_nothing_that_was_rejected_meanwhile(world: World) -> None:
    bad, second = world.contribute([float("nan"), 0, 0], client_id="a" * 32), left_by(world, "b")
    swap(world, bad)
    assert swap(world, second) == bad.update_id
    world.drain()
    assert swap(world, second) is None


def test_whose_own_was_rejected_gets_nobody_elses(world: World) -> None:
    bad = world.contribute([float("nan"), 0, 0], client_id="a" * 32)
    world.drain()
    with pytest.raises(Conflict, match="was rejected: the delta holds NaN"):
        swap(world, bad)


def test_those_that_are_unfit_do_not_hide_the_others(world: World) -> None:
    good = left_by(world, "a")
    swap(world, good)
    for n in range(20):  # newer than the good one, and all rejected; left before that was known
        bad = world.contribute([float("nan"), 0, 0], client_id=f"{n:032x}")
        exchange = Exchange("line", bad.update_id, bad.client_id, 0)
        world.catalog.swap(exchange, None, None)
    world.drain()
    assert swap(world, left_by(world, "b")) == good.update_id


def test_who_is_beaten_again_and_again_waits_between(world: World) -> None:
    waited: list[int] = []

    def refuse(method: str) -> None:
        if method == "swap":
            raise Conflict("always")

    catalog = Faulty(world.catalog, before=refuse)
    peers = Peers(catalog, world.blobs, Specs(world.catalog, world.blobs), clock=world.clock, pause=waited.append)
    update = left_by(world, "a")
    with pytest.raises(Unavailable):
        peers.exchange(member(update), update.update_id)
    assert waited == list(range(1, 11))


def test_an_update_of_a_peer_that_does_not_stand_on_version_0_is_refused(world: World) -> None:
    world.contribute([1, 0, 0])
    world.drain()
    client = world.services.clients.join("line")
    said = Announcement(1, 0, 2, 8, 12, "d" * 64, "float32")
    with pytest.raises(Invalid, match="stand on version 0"):
        world.services.updates.announce(client, said)
    assert world.services.updates.announce(client, replace(said, base_version=0)).update_id
