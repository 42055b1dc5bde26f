"""What must be true of a run when all is over, found out from its rows and blobs alone."""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from webnn import aws, wiring
from webnn.core.records import LedgerEntry, UpdateState
from webnn.settings import Settings
from webnn.store import keys
from webnn.store.ports import Blob
from webnn.wiring import Services

DAY_MILLISECONDS = 24 * 60 * 60 * 1000
SETTLE_SECONDS, LOOK_SECONDS, QUIET_SECONDS = 180.0, 0.5, 3.0


def services_on(found: Settings, clock: Callable[[], int] = wiring.now) -> Services:
    """The use cases on a stage, at some time."""
    return wiring.assemble(*aws.stores(found), found.token_secret, lambda _: None, clock=clock)


def a_day_later() -> int:
    """When every ticket and every lease has run out, and every orphan is old enough to go."""
    return wiring.now() + DAY_MILLISECONDS


def note(figures: Mapping[str, object], record: Callable[[str, object], None]) -> None:
    """For the end of the test run, which says them of every race."""
    for name, figure in figures.items():
        record(name, figure)


@dataclass(frozen=True)
class Account:
    """What a run's ledger says.

    Attributes:
        commits: Commits that merged something.
        merged: Updates.
        orphans: Checkpoints that were cleared away.
    """

    commits: int
    merged: int
    orphans: int


def sweep(services: Services, run: str) -> int:
    """Sweeps until nothing is pending; gives how many orphans went."""
    orphans, end = 0, time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        (swept,) = [one for one in services.sweeper.sweep(wiring.deadline(SETTLE_SECONDS)) if one.run == run]
        assert swept.error is None, swept.error
        orphans += swept.cleared.orphans
        if not services.catalog.pending(run, 1) and not swept.cleared.orphans:
            return orphans
        time.sleep(LOOK_SECONDS)
    raise AssertionError(f"{len(services.catalog.pending(run, 100))} updates are pending after {SETTLE_SECONDS} s")


def audit(now: Services, later: Services, run: str, deltas: Mapping[str, Sequence[float]]) -> Account:
    """Settles the run, then asserts that each accepted update is in it once and that all of it can be found again."""
    _await_quiet(now, run)
    before = _entries(now, run)[-1].version
    swept_at = wiring.now()
    orphans = sweep(later, run)
    entries = _entries(now, run)
    assert entries[-1].version >= before
    _assert_merged_once(now, run, entries, deltas)
    _assert_weights(now, run, deltas)
    assert [one.entry for one in now.replay.replay(run)] == entries
    _assert_cleared(now, run, entries, swept_at)
    # Whoever was not answered when announcing did not go on to upload.
    bodies = {blob.key for blob in _listed(now, keys.updates(run))}
    assert bodies == {keys.update(run, update_id) for update_id in deltas}
    return Account(len(entries) - 1, len(deltas), orphans)


def _await_quiet(services: Services, run: str) -> None:
    """Waits until the engine is through with what the dead have asked for.

    A checkpoint that is written later than all that clearing has seen as old is not looked at again.
    """
    seen: object = None
    # The more others want of this machine, the later comes what was asked for.
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    for _ in wiring.paced(SETTLE_SECONDS, QUIET_SECONDS * busy):
        found = services.catalog.head(run), _listed(services, keys.checkpoints(run))
        if found == seen:
            return
        seen = found


def _assert_cleared(services: Services, run: str, entries: list[LedgerEntry], swept_at: int) -> None:
    """What is named is there, and nothing else is: clearing took all orphans and nothing that a row names."""
    named = {entry.checkpoint_key for entry in entries}
    lying = {blob.key: blob.written_at - swept_at for blob in _listed(services, keys.checkpoints(run))}
    assert named <= lying.keys(), f"clearing took what a row names: {named - lying.keys()}"
    left = {key: written for key, written in lying.items() if key not in named}
    # Of a module that is no test pytest does not show what it compares.
    assert left == {}, f"orphans are left, written so many ms after the sweep began: {left}"


def _assert_merged_once(
    services: Services, run: str, entries: list[LedgerEntry], deltas: Mapping[str, Sequence[float]]
) -> None:
    told = [line.update_id for entry in entries for line in entry.updates]
    assert Counter(told) == Counter(deltas.keys())
    rows = [services.catalog.update(run, update_id) for update_id in told]
    assert {row.state for row in rows} == {UpdateState.MERGED}
    assert [row.version for row in rows] == list(range(1, len(deltas) + 1))
    assert services.catalog.head(run).version == len(deltas)
    assert services.catalog.pending(run, 1) == []


def _assert_weights(services: Services, run: str, deltas: Mapping[str, Sequence[float]]) -> None:
    body = services.blobs.get(services.catalog.head(run).checkpoint_key)
    np.testing.assert_array_equal(np.frombuffer(body, "<f4"), np.sum(list(deltas.values()), axis=0, dtype=np.float64))


def _entries(services: Services, run: str) -> list[LedgerEntry]:
    return list(services.replay.entries(run))


def _listed(services: Services, prefix: str) -> list[Blob]:
    found: list[Blob] = []
    after = ""
    while page := services.blobs.listed(prefix, after, 1000):
        found += page
        after = page[-1].key
    return found
