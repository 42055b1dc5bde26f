"""Thousands of lives of a run, amid faults at every call of a store: every promise is kept in each of them.

A seed that fails is named with the command that lives it again.
"""

from collections import Counter

import pytest
from lives import lived, lived_by_all_cores

SEEDS = range(2000)


@pytest.fixture(scope="module")
def happened() -> Counter[str]:
    total, broken = lived_by_all_cores(SEEDS)
    assert not broken, broken
    return total


def test_every_promise_is_kept_in_every_life(happened: Counter[str]) -> None:
    assert happened["merged"] > 10 * len(SEEDS)


@pytest.mark.parametrize(
    "kind", ["lost request", "lost answer", "killed before", "killed after", "late", "twice", "refused"]
)
def test_the_faults_do_happen(happened: Counter[str], kind: str) -> None:
    """Or the test above would show nothing."""
    assert happened[kind] > len(SEEDS) // 10


@pytest.mark.parametrize("verb", ["pause", "start", "finish", "reset", "retrain"])
def test_the_owner_does_tell_the_run_what_to_do(happened: Counter[str], verb: str) -> None:
    assert happened[verb] > len(SEEDS) // 40


@pytest.mark.parametrize("end", ["merged", "discarded", "rejected"])
def test_updates_come_to_every_end(happened: Counter[str], end: str) -> None:
    assert happened[end] > len(SEEDS)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_seed_always_lives_the_same_life(seed: int) -> None:
    first, second = lived(seed), lived(seed)
    assert first.witness.entries == second.witness.entries
    assert first.witness.settled == second.witness.settled
    assert first.sky.happened == second.sky.happened


def test_on_calm_days_mergers_do_not_beat_each_other() -> None:
    """What turns are for: no commit is refused, though functions are woken in crowds."""
    lives = [lived(seed) for seed in range(0, 80, 4)]
    assert all(life.calm for life in lives)
    assert sum(life.queue.invoked for life in lives) > 200
    assert sum(life.conflicts for life in lives) == 0
