"""Reading ahead: in order, within bounds, and what fails fails in its place."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import pytest
from samples import a_world, never

from webnn.ahead import one_by_one, threaded
from webnn.errors import Missing
from webnn.wiring import assemble


@pytest.fixture
def pool() -> Any:
    with ThreadPoolExecutor(8) as found:
        yield found


class Watched:
    """Fetches that note how many are under way or not yet given back."""

    def __init__(self) -> None:
        self.held = self.most = 0
        self._lock = Lock()

    def fetch(self, item: int) -> int:
        with self._lock:
            self.held += 1
            self.most = max(self.most, self.held)
        return item

    def give_back(self) -> None:
        with self._lock:
            self.held -= 1


@pytest.mark.parametrize(("size", "most"), [(1, 4), (5, 2), (6, 1), (100, 1)])
def test_no_more_are_held_than_the_bounds_allow_but_one(pool: Any, size: int, most: int) -> None:
    watched = Watched()
    found = []
    for item in threaded(pool, most=4, most_bytes=10)(watched.fetch, range(50), lambda _: size):
        found.append(item())
        watched.give_back()
    assert found == list(range(50))
    assert watched.most <= most


def test_several_are_under_way_at_once(pool: Any) -> None:
    """The first ends only when the third was begun."""
    third = Event()

    def fetch(item: int) -> bool:
        if item == 2:
            third.set()
        return third.wait(10)

    assert all(item() for item in threaded(pool, most=3)(fetch, range(3), lambda _: 1))


@pytest.mark.parametrize("kind", ["one by one", "threaded"])
def test_what_fails_fails_in_its_place(pool: Any, kind: str) -> None:
    def fetch(item: int) -> int:
        if item == 1:
            raise Missing("not there")
        return item

    ahead = threaded(pool) if kind == "threaded" else one_by_one
    first, second, third = ahead(fetch, range(3), lambda _: 1)
    assert (first(), third()) == (0, 2)
    with pytest.raises(Missing):
        second()


def test_who_gives_up_leaves_nothing_to_be_read_before_what_the_next_one_reads() -> None:
    begun, go_on = [], Event()

    def fetch(item: int) -> int:
        begun.append(item)
        go_on.wait(10)
        return item

    with ThreadPoolExecutor(1) as pool:
        reading = threaded(pool)(fetch, range(20), lambda _: 1)
        next(reading)
        reading.close()
        go_on.set()
        assert pool.submit(fetch, 99).result() == 99
    assert begun in ([0, 99], [99])


def test_a_drain_that_reads_ahead_gives_the_same_bits(pool: Any) -> None:
    heads = []
    for ahead in (one_by_one, threaded(pool, most=5)):
        world = a_world()
        world.start([0.1, 0.2, 0.3])
        for number in range(40):
            world.contribute([0.1 * number, 1 / (number + 1), -0.7])
        world.announce([9, 9, 9])
        services = assemble(
            world.catalog, world.blobs, "s" * 64, world.rung.append, clock=world.clock, ids=world.ids, ahead=ahead
        )
        assert services.committer.drain("line", never).merged == 40
        heads.append(world.head)
    assert heads[0].sha256 == heads[1].sha256
