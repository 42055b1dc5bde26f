"""A merger that stays warm for long: its memory does not grow, nothing stays pending, orphans are cleared.

A minute by default; `make soak` takes half an hour (WEBNN_SOAK_SECONDS=1800). Beside the warm merger, which sweeps too,
one dies now and then between its checkpoint and its commit and is started anew: that makes the orphans.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from accounts import a_day_later, audit, note, services_on
from merger import Orders
from mergers import Mergers, mergers
from samples import a_world
from stages import Stage
from volunteers import MERGE, Volunteers, through_stores, volunteers

from webnn.store import keys
from webnn.wiring import Services, new_id

SECONDS = float(os.environ.get("WEBNN_SOAK_SECONDS", "60"))
UPDATE_SECONDS, SWEEP_SECONDS = 0.2, 4.0
# Each look reads the whole ledger, which a long soak makes long.
TELL_SECONDS = max(5.0, SECONDS / 60)
# Interpreter, clients, connections and the threads that read ahead are all there after a third of a short soak, or a
# minute of a long one.
WARM_SECONDS = min(SECONDS / 3, 60.0)
# Of some 80 MB: 8 MB, well above the half megabyte of the allocator. Half an hour has 9,000 updates, whose row
# and ledger line are 0.9 KB: a merger that kept all that it reads would pass it there. The minute only finds what loses
# 40 KB an update, such as clients, connections or threads that are made again and again.
GROWTH = 1.10
# Short, so that a soak sees orphans go; and longer than any write of this engine takes.
WRITER_MILLISECONDS, LEASE_MILLISECONDS = 6_000, 1_500
# What may lie there at any time: those too young to go, and those of the sweeps that were missed.
MOST_ORPHANS = 60


def test_a_warm_merger_neither_grows_nor_leaves_anything_behind(
    embedded_stage: Stage,
    run_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    for name, value in embedded_stage.variables.items():
        monkeypatch.setenv(name, value)
    settings = embedded_stage.settings
    assert settings is not None
    a_world(*embedded_stage.make(), ids=new_id, name=run_name).start(weights=(0, 0, 0), merge=MERGE)
    orders = Orders(
        run_name,
        str(tmp_path / "journal"),
        lease_milliseconds=LEASE_MILLISECONDS,
        writer_milliseconds=WRITER_MILLISECONDS,
    )
    services = services_on(settings)

    with mergers(embedded_stage.variables, orders) as soaked:
        warm = soaked.start(sweep_seconds=SWEEP_SECONDS)
        with volunteers(lambda: through_stores(services_on(settings), run_name), UPDATE_SECONDS) as sending:
            memory, most_orphans = soak(soaked, warm, services, sending)
        swept = sum(line.get("orphans", 0) for line in soaked.told())
        soaked.stop()
    account = audit(services, services_on(settings, a_day_later), run_name, sending.accepted.deltas)

    warmed = next(size for after, size in memory if after >= WARM_SECONDS)
    figures = {
        "updates": account.merged, "commits": account.commits, "deaths": soaked.died,
        "orphans cleared": swept, "orphans at most": most_orphans, "orphans at the end": account.orphans,
        "MB when warm": round(warmed / 1e6, 1), "MB at the end": round(memory[-1][1] / 1e6, 1),
    }  # fmt: skip
    note(figures, record_property)
    assert soaked.counts()["failed"] == 0
    assert memory[-1][1] <= GROWTH * warmed
    assert swept > 0, "nothing was ever cleared"
    assert most_orphans <= MOST_ORPHANS


def soak(soaked: Mergers, warm: int, services: Services, sending: Volunteers) -> tuple[list[tuple[float, int]], int]:
    """Watches until time is up; gives the warm merger's memory from time to time, and how many orphans lay there."""
    begun, process = time.monotonic(), psutil.Process(warm)
    memory: list[tuple[float, int]] = []
    most, mortal = 0, 0
    told_at = begun
    while (after := time.monotonic() - begun) < SECONDS:
        if mortal not in soaked.living():
            mortal = soaked.start(dies=3)
        if time.monotonic() - told_at >= TELL_SECONDS:
            told_at = time.monotonic()
            memory.append((after, process.memory_info().rss))
            orphans = _unnamed(services, soaked.run)
            most = max(most, orphans)
            sent = len(sending.accepted.deltas)
            print(f"{after:5.0f} of {SECONDS:.0f} s: {sent} updates, {orphans} orphans, {memory[-1][1] / 1e6:.1f} MB")
        time.sleep(0.25)
    return memory, most


def _unnamed(services: Services, run: str) -> int:
    """Checkpoints that no row names: counted on the side that a listing is older than the ledger, so never too few."""
    named = {entry.checkpoint_key for entry in services.replay.entries(run)}
    lying, after = 0, ""
    while page := services.blobs.listed(keys.checkpoints(run), after, 1000):
        lying += sum(blob.key not in named for blob in page)
        after = page[-1].key
    return lying
