"""The check against reality: two headless tabs train MNIST through the whole stack, and the simulator says how it goes.

    python experiments/reality.py --data FOLDER

The forecast is told what can be known without looking at what was learnt: how often a client sends, and how long an
update is on its way. All checkpoints are evaluated afterwards, on the whole test set, so that nobody loses time over
it. A line of results.jsonl holds both.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from live import BATCH, TARGET, data, document
from rich.console import Console
from run import RESULTS, kept

from webnn import checkpoints
from webnn.core.records import LedgerEntry
from webnn.cutting import of_dataset
from webnn.local.stage import WEB, LocalStage, local_stage
from webnn.local.volunteers import volunteers
from webnn.publish import publish
from webnn.simulate.learner_tensorflow import TensorFlowLearner
from webnn.simulate.population import Population
from webnn.simulate.run import Goal, Simulation, simulate

RUN, TABS, VERSIONS, LOOK_SECONDS, LONGEST = "reality", 2, 400, 0.5, 300.0
TRIALS, SEEDS, LOCAL_STEPS = 3, 8, 4
TRAINING = {"loss": "sparseCategoricalCrossentropy", "local_steps": LOCAL_STEPS, "batch_size": BATCH}
MERGE = {"rule": {"name": "auto"}}


def trained(stage: LocalStage, folder: Path) -> list[LedgerEntry]:
    """Lets the tabs train; gives the ledger."""
    services = stage.services
    asked = {
        "merge": MERGE,
        "training": TRAINING,
        "end": {},
        "validation": {"every_versions": 10**9},
    }
    wanted = document() | asked
    publish(services.runs, RUN, wanted, of_dataset(wanted, data(folder)), np.random.default_rng(0))
    with volunteers(TABS, stage.page, stage.api, RUN, WEB):
        end = time.monotonic() + LONGEST
        while services.catalog.head(RUN).version < VERSIONS and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
    found = services.catalog.ledger(RUN, 0, 10 * VERSIONS)
    while found[-1].version < services.catalog.head(RUN).version:
        found += services.catalog.ledger(RUN, found[-1].version, 10 * VERSIONS)
    return found


def measured(stage: LocalStage, ledger: list[LedgerEntry], folder: Path) -> dict[str, Any]:
    """What the forecast is told, and what it is not: when a checkpoint first had the target."""
    services, spec = stage.services, stage.services.runs.describe(RUN).spec
    learner = TensorFlowLearner(spec, data(folder))
    updates = [services.catalog.update(RUN, update.update_id) for entry in ledger for update in entry.updates]
    merged_at = {update.update_id: entry.at for entry in ledger for update in entry.updates}
    gaps = [
        np.median(np.diff([update.created_at for update in updates if update.client_id == client]))
        for client in {update.client_id for update in updates}
    ]
    unit = float(np.mean(gaps)) / LOCAL_STEPS
    way = float(np.median([merged_at[update.update_id] - update.created_at for update in updates]))
    accuracies = [learner.evaluate(checkpoints.weights_of(services.blobs, spec, entry)).accuracy for entry in ledger]
    reached = next((entry for entry, accuracy in zip(ledger, accuracies, strict=True) if accuracy >= TARGET), None)
    staleness = [update.staleness for entry in ledger for update in entry.updates]
    return {
        "unit_ms": unit,
        "way_units": way / unit,
        "time": (reached.at - updates[0].created_at) / unit + LOCAL_STEPS if reached else None,
        "updates": reached.version if reached else None,
        "staleness": [float(p) for p in np.percentile(staleness, [50, 95])],
        "most": max(accuracies),
    }


def forecast(way: float, folder: Path) -> list[dict[str, Any]]:
    """What the simulator says, with several seeds."""
    population, asked = Population(clients=TABS, merge_delay=way), {"merge": MERGE, "training": TRAINING}
    found = []
    for seed in range(SEEDS):
        simulation = Simulation(document() | asked, data(folder), TensorFlowLearner, population, seed)
        one = simulate(simulation, Goal(TARGET, 1000.0, 2.0))
        staleness = [float(p) for p in np.percentile(one.staleness, [50, 95])]
        found.append({"time": one.time, "updates": one.updates, "staleness": staleness})
    return found


def main() -> None:
    """Both, side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with MNIST's four IDX files.")
    folder, console = parser.parse_args().data, Console(stderr=True)
    if "reality" in kept():
        return
    real = []
    for trial in range(TRIALS):
        with local_stage(lambda step: console.print(step, "…")) as stage:
            console.print(f"two tabs train, trial {trial + 1} of {TRIALS} …")
            real.append(measured(stage, trained(stage, folder), folder))
    console.print("what the simulator says …")
    way = float(np.mean([one["way_units"] for one in real]))
    found = {"case": "reality", "real": real, "forecast": forecast(way, folder)}
    console.print(found)
    with RESULTS.open("a") as file:
        file.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
