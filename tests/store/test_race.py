"""Many at once, each through its own adapters: nothing is lost and nothing is doubled."""

from collections import Counter

from samples import World, a_world
from stages import Stage
from transfer import at_once

from webnn.core.records import UpdateState
from webnn.errors import WebnnError
from webnn.wiring import new_id

THREADS, EACH = 8, 4
CONSTANT = {"rule": {"name": "delta", "discounting": {"name": "constant"}}}


def test_volunteers_and_mergers_at_once(stage: Stage, run_name: str) -> None:
    def world_of(number: int) -> World:
        return a_world(*stage.rivals[number], ids=new_id, name=run_name)

    watching = world_of(0)
    watching.start(weights=(0, 0, 0), merge=CONSTANT)

    def take_part(number: int) -> list[str]:
        world = world_of(number)
        made = []
        for _ in range(EACH):
            made.append(world.contribute([1.0, float(number), 0.0]).update_id)
            world.drain()
        return made

    outcomes = at_once(THREADS, take_part)

    assert [outcome for outcome in outcomes if isinstance(outcome, WebnnError)] == []
    updates = [watching.catalog.update(run_name, update_id) for made in outcomes for update_id in made]
    total = THREADS * EACH
    assert watching.head.version == total
    assert Counter(update.state for update in updates) == {UpdateState.MERGED: total}
    assert sorted(update.version for update in updates) == list(range(1, total + 1))
    # Every delta is in the weights once: sums of small integers are exact.
    assert watching.weights == [total, EACH * sum(range(THREADS)), 0.0]
    assert watching.catalog.pending(run_name, 100) == []

    entries = watching.catalog.ledger(run_name, -1, 1000)
    assert [entry.from_version for entry in entries[1:]] == [entry.version for entry in entries[:-1]]
    told = [line.update_id for entry in entries for line in entry.updates]
    assert told == [update.update_id for update in sorted(updates, key=lambda update: update.version)]
