"""The adaptive rule: it measures how many clients there are, and gives each update its share."""

from collections.abc import Iterator
from itertools import islice
from zlib import crc32

import numpy as np
import pytest

from webnn.core.merge import Contribution, Merged, merge
from webnn.core.recipe import Merging, Recipe
from webnn.core.rules import Auto
from webnn.core.rules.auto import CLIENTS, MOST, ROUNDS
from webnn.core.state import zeros

RECIPE = Recipe(Auto())


def merged(senders: Iterator[str], count: int, *, steps: int = 1, examples: int = 8) -> list[Merged]:
    """After each of so many updates that each move the weight by 1 if they count in full."""
    found = [Merged(np.float32([0.0]), 0, 0, (), zeros(RECIPE.remembers, 1))]
    for client in islice(senders, count):
        now = found[-1]
        update = Contribution(np.float32([1.0]), None, now.version, steps, examples, client=client)
        found.append(merge(Merging(RECIPE), now.weights, now.steps, now.version, [update], now.state))
    return found


def counted(senders: Iterator[str], count: int) -> list[float]:
    """How many clients it believes in after each update."""
    return [float(one.state.scalars[CLIENTS]) for one in merged(senders, count)[1:]]


def in_turns(clients: int) -> Iterator[str]:
    while True:
        yield from (f"client {n}" for n in range(clients))


def at_speeds(speeds: list[float]) -> Iterator[str]:
    """Clients that send as often as they are fast."""
    due = [1 / speed for speed in speeds]
    while True:
        first = min(range(len(speeds)), key=due.__getitem__)
        due[first] += 1 / speeds[first]
        yield f"client {first}"


def test_one_client_alone_takes_a_little_more_than_half_of_its_own_step_and_less_as_time_goes_on() -> None:
    found = merged(in_turns(1), 400)
    first, later = (float(found[n + 1].weights[0] - found[n].weights[0]) for n in (0, 399))
    assert first == pytest.approx((4 / 7) ** (1 / 3) / 4)  # 4 are expected before any came twice
    rounds = later and ((1 / 7) ** (1 / 3) / later) ** 2 * 25 - 25
    assert rounds == pytest.approx(400, rel=0.1)


@pytest.mark.parametrize("clients", [1, 2, 8, 64, 300])
def test_those_who_send_in_turns_are_counted(clients: int) -> None:
    assert counted(in_turns(clients), 12 * clients + 60)[-1] == pytest.approx(clients, rel=0.05)


def test_speeds_do_not_change_the_count() -> None:
    speeds = [float(speed) for speed in np.exp(np.random.default_rng(1).standard_normal(20))]
    assert np.mean(counted(at_speeds(speeds), 3000)[-500:]) == pytest.approx(20, rel=0.1)


def test_a_first_round_of_many_does_not_throw_the_weights_far() -> None:
    """Nobody came twice yet, so no gap can be measured; who is new is counted."""
    found = merged(in_turns(64), 64)[-1]
    assert found.weights[0] < 3.5
    assert found.state.scalars[CLIENTS] == 64


def test_who_left_is_forgotten() -> None:
    def most_leave() -> Iterator[str]:
        yield from islice(in_turns(32), 320)
        yield from in_turns(4)

    assert counted(most_leave(), 320 + 200)[-1] == pytest.approx(4, rel=0.1)


def test_those_who_come_once_are_not_counted_for_ever() -> None:
    def strangers() -> Iterator[str]:
        number = 0
        while True:
            yield from (f"stayed {n}" for n in range(7))
            yield f"came once {number}"
            number += 1

    assert 7 < counted(strangers(), 8 * 200)[-1] < 12


def test_thousands_of_visitors_who_come_and_go_are_not_counted_together() -> None:
    """Eight at a time, each replaced by somebody new after a while: slots are used again and again."""

    def visitors() -> Iterator[str]:
        number, there = 8, [f"visitor {n}" for n in range(8)]
        while True:
            for place in range(8):
                for _ in range(6):
                    yield from there
                there[place], number = f"visitor {number}", number + 1

    assert max(counted(visitors(), 60_000)[1000:]) < 14  # 1,250 visitors


def test_a_newcomer_in_the_slot_of_somebody_who_left_is_new() -> None:
    """Both hash to the same slot; their marks tell them apart. A gap would be the time since the other left."""
    names = (f"visitor {n}" for n in range(100_000))
    places: dict[int, str] = {}
    first, second = next(
        (places[slot], name) for name in names if places.setdefault(slot := crc32(name.encode()) % MOST, name) != name
    )

    def one_for_another() -> Iterator[str]:
        yield first
        yield from islice(in_turns(8), 400)
        yield second

    assert counted(one_for_another(), 402)[-2:] == pytest.approx([8, 9])


def test_who_returns_after_long_does_not_stop_the_others() -> None:
    def one_returns() -> Iterator[str]:
        yield "traveller"
        yield from islice(in_turns(8), 10_000)
        yield "traveller"
        yield from in_turns(8)

    after = counted(one_returns(), 10_200)[10_001:]
    assert max(after) < 25
    assert after[-1] == pytest.approx(8, rel=0.1)


def test_one_who_floods_does_not_make_it_late_for_everybody() -> None:
    """It sends twelve times as often as each of eight honest clients."""

    def flooded() -> Iterator[str]:
        while True:
            for n in range(8):
                yield f"client {n}"
                yield from ["flooder"] * (2 if n % 2 else 1)

    state = merged(flooded(), 50 * 20)[-1].state.scalars
    assert state[CLIENTS] == pytest.approx(9, rel=0.2)
    assert 40 < state[ROUNDS] < 90  # 1 / K for each update would be 111


def test_nothing_that_a_client_claims_enters() -> None:
    honest, boasting = (merged(in_turns(3), 30)[-1], merged(in_turns(3), 30, steps=10**9, examples=10**9)[-1])
    assert honest.weights == boasting.weights
