"""Mergers killed at any moment, sixteen at once, on a database that is killed too: every accepted update counts once.

What is restarted is DynamoDB Local, by SIGKILL, on the same files and port: it holds the rows, which are the truth, and
its transactions have to be whole when it comes back. LocalStack itself is not: its S3 keeps blobs in memory and in a
folder that goes with the process, so that a restart would be the loss of all checkpoints, from which nothing recovers.
Seen from the mergers, both are one address that refuses for some seconds.
"""

import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stages
from accounts import a_day_later, audit, note, services_on
from merger import Orders
from mergers import Mergers, mergers
from restartable import Rows, restartable_engine
from samples import World, a_world
from stages import Stage
from volunteers import MERGE, through_stores, volunteers

from localstack.engine import URL_VARIABLE
from localstack.install import check_installed, dynamodb, dynamodb_obstacle
from webnn.errors import Missing
from webnn.wiring import new_id

pytestmark = pytest.mark.localstack

# For a longer race: WEBNN_RACE_SECONDS=300.
SECONDS = float(os.environ.get("WEBNN_RACE_SECONDS", "20"))
SEED = int(os.environ.get("WEBNN_RACE_SEED", "1"))
MERGERS, UPDATES, KILL_SECONDS = 16, 200, 0.5
# A dead merger's turn has to run out within the race, many times.
LEASE_MILLISECONDS = 1500


@pytest.fixture(scope="module")
def raced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, Rows]]:
    """A stage on an engine of these tests' own."""
    if os.environ.get(URL_VARIABLE):
        pytest.skip("an engine that others started is not these tests' to kill")
    try:
        check_installed()
    except Missing as error:
        pytest.skip(error.message)
    if not dynamodb().is_current() or dynamodb_obstacle():
        pytest.skip(f"DynamoDB Local is not to be had: {dynamodb_obstacle() or 'not set up'}")
    with restartable_engine(tmp_path_factory.mktemp("rows")) as (engine, rows):
        yield stages.engine_stage("races", {**engine.environment(), "WEBNN_STAGE": "races"}), rows


@pytest.mark.parametrize("heedless", [True, False], ids=["turns ignored", "turns heeded"])
def test_killed_mergers_on_a_killed_database(
    raced: tuple[Stage, Rows],
    run_name: str,
    tmp_path: Path,
    heedless: bool,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    stage, rows = raced
    assert stage.settings is not None
    for name, value in stage.variables.items():
        monkeypatch.setenv(name, value)
    settings, begun = stage.settings, time.monotonic()
    a_run(stage, run_name)
    orders = Orders(run_name, str(tmp_path / "journal"), heedless=heedless, lease_milliseconds=LEASE_MILLISECONDS)

    with mergers(stage.variables, orders) as racing:
        with volunteers(lambda: through_stores(services_on(settings), run_name), SECONDS / UPDATES, UPDATES) as sending:
            kill_for(SECONDS, racing, rows)
        racing.stop()
        raced_for = time.monotonic() - begun
    account = audit(services_on(settings), services_on(settings, a_day_later), run_name, sending.accepted.deltas)

    assert account.merged == UPDATES
    counts = racing.counts()
    assert counts["landed"] > 0
    assert account.orphans >= counts["beaten"]
    if heedless:
        assert counts["beaten"] > 0, "nobody raced"
    figures = {
        "commits": account.commits, "conflicts": counts["beaten"], "kills": racing.killed, "restarts": 1,
        "orphans": account.orphans, "unanswered": sending.accepted.unanswered, "failed messages": counts["failed"],
        "seconds": round(raced_for, 1), "audit seconds": round(time.monotonic() - begun - raced_for, 1),
    }  # fmt: skip
    note(figures, record_property)


def kill_for(seconds: float, racing: Mergers, rows: Rows) -> None:
    """Kills a merger every half a second and starts another in its place; beside that, in the middle, the database."""
    chance, begun = random.Random(SEED), time.monotonic()
    for _ in range(MERGERS):
        racing.start()
    with ThreadPoolExecutor(1) as beside:
        restarted = beside.submit(lambda: (time.sleep(seconds / 2), rows.restart()))
        while time.monotonic() < begun + seconds or not restarted.done():
            time.sleep(KILL_SECONDS * (0.5 + chance.random()))
            racing.kill(chance.choice(racing.pids))
            racing.start()
        restarted.result()


def a_run(stage: Stage, name: str) -> World:
    world = a_world(*stage.make(), ids=new_id, name=name)
    world.start(weights=(0, 0, 0), merge=MERGE)
    return world
