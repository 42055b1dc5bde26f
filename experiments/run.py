"""Runs all cases that have no result yet, and writes what they found: `make experiments`.

    python experiments/run.py --data FOLDER [--only PART] [--jobs 2]

Results are lines of experiments/results.jsonl, so an interrupted run goes on where it was, and the figures of
docs/experiments.md can be looked up without running anything. To run a case again, delete its line.
"""

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # off by default on some processors, where it is 4 times as fast

from cases import Case, Timed, everything
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

RESULTS = Path(__file__).with_name("results.jsonl")


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


def kept() -> dict[str, dict[str, Any]]:
    """All results there are, by the names of their cases."""
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    return {result["case"]: result for result in map(json.loads, lines)}


def timed_by(results: dict[str, dict[str, Any]]) -> Timed:
    """The time of a case, if it has a result."""

    def timed(case: Case) -> float | None:
        result = results.get(case.name)
        return None if result is None else result["time"] or float("inf")

    return timed


def keep(case: Case, result: dict[str, Any]) -> None:
    """Adds a result."""
    with RESULTS.open("a") as file:
        file.write(json.dumps({"case": case.name, **result}) + "\n")


def missing(parts: list[str] | None) -> list[Case]:
    """What has no result yet."""
    results = kept()
    wanted = everything(timed_by(results))
    return [case for case in wanted if case.name not in results and (parts is None or case.part in parts)]


def main() -> None:
    """All that is missing, with a bar; then what that made known to be missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with MNIST's four IDX files.")
    parser.add_argument(
        "--only", nargs="*", default=None, help="Parts: rules, tuned, hardship, yardsticks, wall, harm, 2018."
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    failed: dict[str, BaseException] = {}
    with ProcessPoolExecutor(arguments.jobs) as pool, Progress(*columns, console=Console(stderr=True)) as bar:
        while cases := [case for case in missing(arguments.only) if case.name not in failed]:
            task = bar.add_task("cases", total=len(cases))
            waiting = {pool.submit(lived, case, arguments.data): case for case in cases}
            for done in as_completed(waiting):
                case, error = waiting[done], done.exception()
                if error is None:
                    keep(case, done.result())
                else:  # the others are worth hours
                    failed[case.name] = error
                    bar.console.print(f"{case.name} failed: {error!r}")
                bar.update(task, advance=1, description=f"{case.part}: {case.label}")
    if failed:
        raise SystemExit(f"{len(failed)} cases failed")


if __name__ == "__main__":
    main()
