"""Writes docs/experiments.md and its chart from results.jsonl: the text from page.md, the figures from the results."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tables
from cases import CROWDS, RATES, TUNED_CROWD, everything
from matplotlib.figure import Figure
from run import kept, timed_by
from tables import Result, Results, times, typical

CHECKOUT = Path(__file__).parents[1]
PAGE, IMAGES = CHECKOUT / "docs" / "experiments.md", CHECKOUT / "docs" / "images"
TICKS = (50, 100, 200, 500, 1000)


def draw(results: Results) -> None:
    """Time to the target by the number of clients: auto, the limit, and every other rule at its best with 8."""
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.subplots()
    limits = {n: results.best("synchronous", RATES, clients=n)[3] for n in CROWDS}
    _line(axes, limits, color="0.35", ls="--", label="synchronous limit: free communication, nobody late")
    auto = {n: results.of("run", "auto", recipe="auto", clients=n) for n in CROWDS}
    _line(axes, auto, color="tab:blue", lw=2.2, label="auto, nothing tuned")
    found = {label: tables.best_tuned(results, label) for label in tables.TUNED}
    reached = sorted((typical(runs), label) for label, (_, runs) in found.items() if np.isfinite(typical(runs)))
    axes.plot([TUNED_CROWD] * len(reached), [time for time, _ in reached], "o", color="tab:orange", ms=5,
              label="other rules, each at its best learning rate")  # fmt: skip
    heights = _apart([np.log(time) for time, _ in reached], 0.16)
    for (time, label), height in zip(reached, heights, strict=True):
        axes.annotate(label, (TUNED_CROWD, time), (TUNED_CROWD * 1.12, float(np.exp(height))), va="center", fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel="clients", ylabel="time to 98 %, in mini-batches of one client")
    axes.set_xticks(CROWDS, [str(n) for n in CROWDS])
    axes.minorticks_off()
    axes.set_yticks(TICKS, [str(tick) for tick in TICKS])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(IMAGES / "experiments.png", dpi=150)


def _line(axes: Any, runs: Mapping[int, Sequence[Result]], **look: Any) -> None:
    """Mean times, with their standard deviations as a band."""
    points = [(n, typical(group), np.std(times(group), ddof=1)) for n, group in runs.items() if len(group) > 1]
    if points:
        clients, middle, spread = np.array(points).T
        axes.plot(clients, middle, marker="o", ms=4, **look)
        axes.fill_between(clients, middle - spread, middle + spread, color=look["color"], alpha=0.12, lw=0)


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """Sorted values, moved up where they are too near to the one before: where to write names."""
    found: list[float] = []
    for value in values:
        found.append(max(value, found[-1] + gap) if found else value)
    return found


FILLED: dict[str, Callable[[Results], str]] = {
    "limits": tables.limits,
    "far": tables.far,
    "all_rules": tables.all_rules,
    "tuned": tables.tuned_rules,
    "hardship": tables.hardships,
    "harm": tables.harms,
    "flower": tables.flower,
    "reality": lambda _: tables.reality(kept().get("reality")),
    "history": tables.history,
}


def all_results() -> Results:
    """Those that are kept."""
    lines = kept()
    return Results(everything(timed_by(lines)), lines)


def filled(results: Results) -> str:
    """The text with its tables."""
    text = Path(__file__).with_name("page.md").read_text()
    return re.sub(r"\{\{(\w+)\}\}", lambda match: FILLED[match[1]](results), text)


def main() -> None:
    """Writes text and chart."""
    results = all_results()
    draw(results)
    PAGE.write_text(filled(results))


if __name__ == "__main__":
    main()
