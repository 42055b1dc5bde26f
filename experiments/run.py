"""Runs all cases that have no result yet, and writes what they found: `make experiments`.

    python experiments/run.py --data FOLDER [--only PART] [--jobs 2]

A result is kept under its case's name in build/experiments/results, so an interrupted run goes on where it was.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from cases import Case, everything
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

CHECKOUT = Path(__file__).parents[1]
RESULTS = CHECKOUT / "build" / "experiments" / "results"


def lived(case: Case, folder: Path) -> dict[str, Any]:
    """The result of a case, in a process of its own."""
    import tensorflow as tf  # noqa: PLC0415  # not in the process that only waits

    if tf.config.threading.get_intra_op_parallelism_threads() != 1:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    import live  # noqa: PLC0415
    import year2018  # noqa: PLC0415

    kinds = {
        "run": live.run,
        "synchronous": live.synchronous,
        "flower": live.flower,
        "as_it_ran": lambda case, folder: year2018.lived(case, folder, as_it_ran=True),
        "as_described": lambda case, folder: year2018.lived(case, folder, as_it_ran=False),
    }
    return kinds[case.kind](case, folder)


def kept(case: Case) -> Path:
    """Where a case's result is."""
    return RESULTS / f"{case.name}.json"


def main() -> None:
    """All that is missing, with a bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with MNIST's four IDX files.")
    parser.add_argument("--only", nargs="*", default=None, help="Parts to run: rules, hardship, yardsticks, 2018.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    RESULTS.mkdir(parents=True, exist_ok=True)
    wanted = [case for case in everything() if arguments.only is None or case.part in arguments.only]
    missing = [case for case in wanted if not kept(case).exists()]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with ProcessPoolExecutor(arguments.jobs) as pool, Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("cases", total=len(missing))
        waiting = {pool.submit(lived, case, arguments.data): case for case in missing}
        for done in as_completed(waiting):
            case = waiting[done]
            kept(case).write_text(json.dumps({"case": case.name, **done.result()}))
            bar.update(task, advance=1, description=f"{case.part}: {case.label}")


if __name__ == "__main__":
    main()
