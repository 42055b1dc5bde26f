"""Replay finds every checkpoint again, and the first thing that was altered."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from samples import RECIPES, World, a_world, recipe_name

from webnn.core.records import LedgerEntry, UpdateState
from webnn.errors import Corrupt, Invalid, Missing
from webnn.store import keys


def a_lived_world(recipe: dict[str, Any] = RECIPES[0]) -> World:
    """Versions 1, 3 and 6, of updates fresh and stale."""
    world = a_world()
    world.start([1, 2, 3], merge=recipe)
    chance = np.random.default_rng(1)
    for count in (1, 2, 3):
        base = world.head.version
        for n in range(count):
            world.contribute(chance.normal(size=3).astype(np.float32), base_version=base if n % 2 else 0)
        world.contribute([np.nan, 0, 0])
        world.drain()
    return world


@pytest.fixture
def world() -> World:
    return a_lived_world()


def versions(world: World, to: int | None = None) -> list[int]:
    return [found.entry.version for found in world.services.replay.replay("line", to)]


@pytest.mark.parametrize("recipe", RECIPES, ids=recipe_name)
def test_every_checkpoint_is_found_again(recipe: dict[str, Any]) -> None:
    assert versions(a_lived_world(recipe)) == [0, 1, 3, 6]


def test_a_state_that_was_altered_is_found() -> None:
    """Here nothing but the state tells: the buffer is not full, and the weights are those of the beginning."""
    world = a_lived_world({"rule": {"name": "fedbuff", "size": 50}})
    altered(world, 3, state_sha256="0" * 64)
    with pytest.raises(Corrupt, match="version 3: the state beside its checkpoint has another SHA-256"):
        versions(world)


def test_it_can_end_before_the_head(world: World) -> None:
    assert versions(world, to=3) == [0, 1, 3]


def test_a_version_that_no_commit_made_is_invalid(world: World) -> None:
    with pytest.raises(Invalid, match="no commit made version 2; the one before it made 1"):
        versions(world, to=2)


def test_a_run_that_is_not_there_is_missing(world: World) -> None:
    with pytest.raises(Missing):
        list(world.services.replay.replay("gone"))


def altered(world: World, version: int, **members: Any) -> None:
    entry = world.catalog._ledger["line", version]
    world.catalog._ledger["line", version] = replace(entry, **members)


def second_line(world: World) -> LedgerEntry:
    return world.catalog._ledger["line", 3]


def another_discount(world: World) -> None:
    lines = second_line(world).updates
    altered(world, 3, updates=(lines[0], replace(lines[1], discount=0.25)))


def another_order(world: World) -> None:
    altered(world, 3, updates=second_line(world).updates[::-1])


def another_body(world: World) -> None:
    world.blobs._blobs[keys.update("line", second_line(world).updates[0].update_id)] = bytes(12)


def no_body(world: World) -> None:
    del world.blobs._blobs[keys.update("line", second_line(world).updates[0].update_id)]


def another_row(world: World) -> None:
    key = "line", second_line(world).updates[0].update_id
    world.catalog._updates[key] = replace(world.catalog._updates[key], state=UpdateState.REJECTED)


def no_row(world: World) -> None:
    del world.catalog._updates["line", second_line(world).updates[0].update_id]


def other_steps_of_an_update(world: World) -> None:
    key = "line", second_line(world).updates[0].update_id
    world.catalog._updates[key] = replace(world.catalog._updates[key], local_steps=999)


def no_entry(world: World) -> None:
    del world.catalog._ledger["line", 3]


def another_head(world: World) -> None:
    world.catalog._heads["line"] = replace(world.head, entry_sha256="f" * 64)


def no_genesis(world: World) -> None:
    del world.catalog._ledger["line", 0]


@pytest.mark.parametrize(
    ("alter", "says"),
    [
        (another_discount, "version 3: the row of update .* tells of another merge"),
        (another_order, "version 3: "),
        (another_body, "version 3: the body of update .* SHA-256"),
        (no_body, "version 3: the body of update .* is gone"),
        (another_row, "version 3: the row of update .* tells of another merge"),
        (no_row, "version 3: update .* has no row"),
        (other_steps_of_an_update, "version 3: 9.* steps stand behind it"),
        (no_entry, "version 6: it names another entry before it than that of version 1"),
        (another_head, "the head of run 'line' names another entry than that of version 6"),
        (no_genesis, "does not begin with its genesis"),
        (lambda world: altered(world, 3, sha256="0" * 64), "version 3: its checkpoint has another SHA-256"),
        (lambda world: altered(world, 3, attempt="0" * 32), "version 6: it names another entry before it"),
        (lambda world: altered(world, 6, attempt="0" * 32), "names another entry than that of version 6"),
        (lambda world: altered(world, 3, recipe=None), "version 3: it names no recipe"),
        (lambda world: altered(world, 3, from_version=0), "version 3: its versions do not follow version 1"),
    ],
)
def test_what_was_altered_is_named(world: World, alter: Callable[[World], None], says: str) -> None:
    alter(world)
    with pytest.raises(Corrupt, match=says):
        versions(world)


def test_a_rule_that_was_altered_is_found_by_its_checkpoint(world: World) -> None:
    recipe = second_line(world).recipe
    altered(world, 3, recipe=replace(recipe, rule=replace(recipe.rule, server_rate=0.5)))
    with pytest.raises(Corrupt, match="version 3: its checkpoint has another SHA-256"):
        versions(world)
