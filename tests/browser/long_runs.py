"""Runs with a history, lived in memory in no time, whose live objects lie where the stage's pages look."""

from collections.abc import Iterator
from math import exp

from msgspec.structs import replace
from samples import Clock, World, a_client, a_world, an_evaluation, an_id

from webnn import aws
from webnn.core.records import Without
from webnn.local.stage import LocalStage
from webnn.settings import environment, settings
from webnn.store.public import PublicObjects

EVERY = 4  # versions between evaluations
CLIENTS = 6


def public_of(stage: LocalStage) -> PublicObjects:
    """Where the stage's watchers look."""
    where = environment(stage.variables)
    return aws.public_objects(settings(where, aws.client(where, "ssm")))


def a_long_run(public: PublicObjects, name: str, versions: int, now: int) -> World:
    """A run that has come that far, by `now` in milliseconds since 1970, with a rollback and an unmerge on its way."""
    world = a_world(public=public, name=name, clock=Clock(now - 1500 * versions))
    world.start(end={"accuracy": 0.97})
    for number in range(CLIENTS):
        world.catalog.join(a_client(name, number, seen_at=now))
    for _ in steps(world, versions):
        version = world.head.version
        if version == versions // 2 >= EVERY:
            world.services.restorer.rollback(name, version - EVERY, "It unlearnt, in a moment")
        if version == 3 * versions // 4 > EVERY:
            world.services.restorer.unmerge(name, Without(clients=(an_id(3),)))
    world.clock.now = now
    while world.services.live.show(name) and not complete(world, public):
        pass
    return world


def steps(world: World, versions: int) -> Iterator[None]:
    """Merges updates one after another until there are so many versions, and evaluates now and then."""
    while world.head.version < versions:
        grow(world)
        yield


def grow(world: World) -> None:
    """One more version."""
    head = world.head
    number = head.version + 1
    stale = min(head.version, number % 7 if number % 3 else 0)
    world.clock.now += 1000 + 137 * (number % 7)
    if head.generation == 0 or stale == 0:
        world.contribute(
            [0.001, 0, 0],
            base_version=head.version - stale,
            generation=head.generation,
            client_id=an_id(number % CLIENTS),
        )
    else:
        world.contribute([0.001, 0, 0], base_version=head.version, generation=head.generation, client_id=an_id(1))
    world.drain()
    if number % EVERY == 0:
        missing = exp(-number / 180) * 0.85 + 0.02 * (number * 7919 % 11) / 11
        found = an_evaluation(world.name, number, accuracy=1 - missing)
        world.catalog.record_evaluation(replace(found, loss=2.5 * missing, at=world.clock()))


def complete(world: World, public: PublicObjects) -> bool:
    """Whether all is shown: a long history is read over several looks."""
    before = public.read(f"live/{world.name}.json")
    world.services.live._seen.clear()
    world.services.live.show(world.name)
    after = public.read(f"live/{world.name}.json")
    return before is not None and after is not None and before.body == after.body
