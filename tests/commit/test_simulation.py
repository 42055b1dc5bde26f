"""Whole lives of a run under faults at every call of a store: hundreds of seeds, the promises checked after each.

Volunteers announce updates, upload them at once, later, wrong or never. Doorbells come doubled, late or not at all.
Around every call of a store a rival may go first, and a volunteer go on from what the rival made; the answer may be
lost before or after the write, and the function may die. At the end the faults cease, the sweep comes by, and
everything must add up.
"""

import hashlib
import itertools
import random  # noqa: TID251  # seeded: it is chance that is simulated
from collections import Counter
from typing import Any

import numpy as np
import pytest
from faults import Crash, Faulty, around, crash, lost
from msgspec.structs import replace
from samples import World, a_spec, a_world, body_of, never

from webnn.core.records import Head, LedgerEntry, Status, Update, UpdateState
from webnn.decision import GRACE_MILLISECONDS
from webnn.errors import Unavailable
from webnn.store import keys

SEEDS = range(300)
STEPS = 40
RULES: list[dict[str, Any]] = [
    {"name": "delta"},
    {"name": "delta", "server_rate": 0.5, "discounting": {"name": "cutoff", "limit": 4}},
    {"name": "average"},
    {"name": "weighted"},
]
FAULTS = {
    "commit": {"rival": 0.25, "lost before": 0.1, "lost after": 0.2, "crash before": 0.05, "crash after": 0.1},
    "create": {"lost before": 0.05, "lost after": 0.05, "crash after": 0.05},
    "get": {"lost before": 0.02, "crash before": 0.01, "rival": 0.02},
    "head": {"lost before": 0.02, "rival": 0.05, "overtaken": 0.1},
    "pending": {"lost before": 0.02, "rival": 0.05, "overtaken": 0.1},
    "ledger_entry": {"lost before": 0.02, "rival": 0.05},
}


class Life:
    """One life of a run."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.rule = RULES[seed % len(RULES)]
        self.world = a_world()
        self.world.start([1, 2, 3], training=a_spec()["training"] | {"rule": self.rule})
        self.updates: dict[str, Update] = {}
        self.bodies: dict[str, bytes] = {}
        self.waiting: list[Update] = []
        self.good: set[str] = set()
        self.uploaded: set[str] = set()
        self.heads: list[Head] = [self.world.head]
        self.happened: Counter[str] = Counter()
        self.depth = 0

    def live(self) -> None:
        for _ in range(STEPS):
            self.chance.choices([self.announce, self.upload_late, self.doorbell, self.sweep], weights=[5, 2, 4, 1])[0]()
            self.look()

    def announce(self, base: int | None = None) -> None:
        if base is None:
            base = self.chance.choice(self.world.catalog.ledger("line", -1, 1000)).version
        delta = np.float32([self.chance.uniform(-1, 1) for _ in range(3)])
        bad = self.chance.random() < 0.15
        if bad:
            delta[self.chance.randrange(3)] = self.chance.choice([np.nan, np.inf, 1e30])
        update = self.world.announce(delta, base_version=base, local_steps=self.chance.randint(1, 9))
        self.updates[update.update_id] = update
        self.bodies[update.update_id] = body_of(delta)
        if not bad:
            self.good.add(update.update_id)
        if self.chance.random() < 0.6:
            self.upload(update)
        else:
            self.waiting.append(update)

    def upload_late(self) -> None:
        if self.waiting:
            self.upload(self.waiting.pop(self.chance.randrange(len(self.waiting))))

    def upload(self, update: Update) -> None:
        if self.world.clock.now > update.expires_at:
            return  # its ticket is over
        self.world.upload(update, self.bodies[update.update_id])
        self.uploaded.add(update.update_id)

    def doorbell(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.function(lambda world: world.services.committer.drain("line", self.out_of_time))

    def sweep(self) -> None:
        self.world.clock.now += self.chance.choice([0, 1000, GRACE_MILLISECONDS // 4])
        self.function(lambda world: world.services.sweeper.sweep(self.out_of_time))

    def out_of_time(self) -> bool:
        return self.chance.random() < 0.03

    def function(self, work: Any) -> None:
        """Runs a function of its own amid faults, until it is done, refused an answer, or dead."""
        world = around(self.world, catalog=self.faulty(self.world.catalog), blobs=self.faulty(self.world.blobs))
        self.depth += 1
        try:
            work(world)
        except (Unavailable, Crash) as end:
            self.happened[type(end).__name__] += 1
        finally:
            self.depth -= 1

    def faulty(self, inner: Any) -> Faulty:
        return Faulty(
            inner,
            before=lambda method: self.strike(method, "rival", "overtaken", "lost before", "crash before"),
            after=lambda method: self.strike(method, "lost after", "crash after"),
        )

    def strike(self, method: str, *kinds: str) -> None:
        for kind in kinds:
            if self.chance.random() < FAULTS.get(method, {}).get(kind, 0.0):
                self.fault(kind)

    def fault(self, kind: str) -> None:
        self.happened[kind] += 1
        if kind == "rival":
            if self.depth < 4:
                self.function(lambda world: world.services.committer.drain("line", never))
                self.look()
        elif kind == "overtaken":
            self.fault("rival")
            self.announce(self.world.head.version)
        elif kind.startswith("lost"):
            lost()
        else:
            crash()

    def look(self) -> None:
        """The head never goes back, and never moves without its version moving too."""
        before, now = self.heads[-1], self.world.head
        assert now.version > before.version or replace(now, status=before.status) == before
        assert now.steps >= before.steps
        self.heads.append(now)

    def end_well(self) -> None:
        """The faults cease; what is there is merged, what never came expires."""
        self.world.clock.now += 10 * GRACE_MILLISECONDS
        (swept,) = self.world.services.sweeper.sweep(never)
        assert swept.error is None
        assert self.world.services.sweeper.sweep(never)[0].drained.merged == 0
        self.look()


def lived(seed: int) -> Life:
    life = Life(seed)
    life.live()
    life.end_well()
    return life


@pytest.mark.parametrize("seed", SEEDS)
def test_the_promises_hold(seed: int) -> None:
    life = lived(seed)
    world = life.world
    settled = {update_id: world.catalog.update("line", update_id) for update_id in life.updates}
    entries = world.catalog.ledger("line", -1, 1000)

    every_update_is_merged_once_or_has_a_reason(life, settled)
    versions_are_made_once_each(world, settled, entries)
    the_ledger_tells_the_truth(settled, entries)
    replaying_the_ledger_gives_every_checkpoint(life, world, entries)
    assert [found.entry for found in world.services.replay.replay("line")] == entries


def every_update_is_merged_once_or_has_a_reason(life: Life, settled: dict[str, Update]) -> None:
    assert life.world.catalog.pending("line", 1000) == []
    for update_id, update in settled.items():
        if update.state is UpdateState.MERGED:
            assert update_id in life.good & life.uploaded
        elif update_id in life.good & life.uploaded:
            assert update.reason == "too stale"
        else:
            assert update.reason


def versions_are_made_once_each(world: World, settled: dict[str, Update], entries: list[LedgerEntry]) -> None:
    made = [update.version for update in settled.values() if update.version is not None]
    assert sorted(made) == list(range(1, world.head.version + 1))
    assert entries[0].version == 0
    assert entries[-1].version == world.head.version
    for before, entry in itertools.pairwise(entries):
        assert entry.from_version == before.version
        assert entry.version == before.version + len(entry.updates)


def the_ledger_tells_the_truth(settled: dict[str, Update], entries: list[LedgerEntry]) -> None:
    for entry in entries:
        for version, line in enumerate(entry.updates, entry.from_version + 1):
            update = settled[line.update_id]
            assert (update.version, update.staleness, update.discount) == (version, line.staleness, line.discount)
            assert line.staleness == version - 1 - line.base_version >= 0
    assert len({entry.attempt for entry in entries}) == len(entries)


def replaying_the_ledger_gives_every_checkpoint(life: Life, world: World, entries: list[LedgerEntry]) -> None:
    """With arithmetic of the test's own, one float32 operation after the other."""
    weights = {0: np.frombuffer(world.blobs.get(entries[0].checkpoint_key), "<f4")}
    steps = {0: 0}
    now, t = weights[0], 0
    for entry in entries[1:]:
        for line in entry.updates:
            update = life.updates[line.update_id]
            delta = np.frombuffer(world.blobs.get(keys.update("line", line.update_id)), "<f4")
            t_p = steps[line.base_version] + update.local_steps
            now = folded(life.rule, now, weights[line.base_version] + delta, delta, (t, t_p), line.discount)
            t = max(t, t_p)
        weights[entry.version], steps[entry.version] = now, t
        assert hashlib.sha256(now.tobytes()).hexdigest() == entry.sha256
        assert entry.steps == t


def folded(rule: dict[str, Any], now: Any, trained: Any, delta: Any, steps: tuple[int, int], discount: float) -> Any:
    t, t_p = steps
    if rule["name"] == "delta":
        return now + delta * np.float32(rule.get("server_rate", 1.0) * discount)
    share = 0.5 if rule["name"] == "average" else t_p / (t + t_p)
    return now + (trained - now) * np.float32(share)


def test_the_faults_do_happen() -> None:
    """Or the test above would show nothing."""
    happened: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for seed in range(40):
        life = lived(seed)
        happened += life.happened
        states = (life.world.catalog.update("line", update_id) for update_id in life.updates)
        ended += Counter(f"{update.state} {update.reason}" for update in states)
    assert all(
        happened[kind] >= 20 for kind in ("rival", "overtaken", "lost before", "lost after", "Crash", "Unavailable")
    )
    assert all(ended[end] >= 5 for end in ("merged None", "discarded too stale", "discarded never uploaded"))
    assert ended["rejected the delta holds NaN or infinity"] >= 5


def test_a_run_that_is_finished_amid_faults_ends_with_nothing_pending() -> None:
    for seed in range(30):
        life = Life(seed)
        life.live()
        life.world.catalog.set_status(life.world.head, Status.FINISHED)
        version = life.world.head.version
        life.end_well()
        assert life.world.catalog.pending("line", 1000) == []
        assert life.world.head.version == version
