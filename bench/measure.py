"""What the benchmarks share: alternating repetitions, medians of ratios, facts about the machine."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Times = dict[str, list[float]]


def clocked(work: Callable[[], object]) -> Callable[[], float]:
    """The work, giving the seconds it took."""

    def run() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return run


def alternate(candidates: Mapping[str, Callable[[], float]], repetitions: int) -> Times:
    """Seconds that each candidate took, per repetition.

    Every repetition runs all of them once, each time beginning with another, so that what else the machine
    does falls on all alike. One repetition goes first and is not counted.
    """
    names = list(candidates)
    times: Times = {name: [] for name in names}
    for repetition in range(-1, repetitions):
        for step in range(len(names)):
            name = names[(repetition + step) % len(names)]
            seconds = candidates[name]()
            if repetition >= 0:
                times[name].append(seconds)
    return times


def ratio(times: Times, name: str, to: str) -> float:
    """Median over the repetitions of `name`'s time divided by `to`'s."""
    return statistics.median(a / b for a, b in zip(times[name], times[to], strict=True))


def median(times: Times, name: str) -> float:
    """Median seconds."""
    return statistics.median(times[name])


def machine() -> dict[str, Any]:
    """What a figure depends on besides the code."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def _cpu_model() -> str:
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return platform.processor()
    lines = listing.read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) if not column else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in [head, *rows])
    )


def verdict(value: float, budget: float, at_most: bool = True) -> str:
    """Whether a figure keeps to its budget."""
    kept = value <= budget if at_most else value >= budget
    return "ok" if kept else "MISSED"
