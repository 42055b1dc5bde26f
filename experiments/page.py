"""Writes docs/experiments.md and its chart from results.jsonl: the text from page.md, the figures from the results."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tables
from cases import CROWDS, MUON_PART, MUON_PART_RATE, PARTS, RATES, TUNED_CROWD, everything
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
    given = {"recipe": MUON_PART, "every": 8, "rate": MUON_PART_RATE}
    part = {n: results.of("run", MUON_PART, clients=n, **given) for n in CROWDS}
    _line(axes, part, color="tab:green", lw=1.2, label="weighted, with auto's optimizer at its best rate")
    found = {label: tables.best_tuned(results, label) for label in tables.TUNED if label not in PARTS}
    reached = sorted((typical(runs), label) for label, (_, runs) in found.items() if np.isfinite(typical(runs)))
    axes.plot([TUNED_CROWD] * len(reached), [time for time, _ in reached], "o", color="tab:orange", ms=5,
              label="other rules, each at its best learning rate")  # fmt: skip
    heights = _apart([float(np.log(time)) for time, _ in reached], 0.095)
    for (time, label), height in zip(reached, heights, strict=True):
        place, line = (TUNED_CROWD * 1.3, float(np.exp(height))), {"arrowstyle": "-", "lw": 0.5, "color": "0.6"}
        axes.annotate(label, (TUNED_CROWD, time), place, va="center", fontsize=8, arrowprops=line)
    axes.set(xscale="log", yscale="log", xlabel="clients", ylabel="time to 98 %, in mini-batches of one client")
    axes.set_xticks(CROWDS, [str(n) for n in CROWDS])
    axes.minorticks_off()
    axes.set_yticks(TICKS, [str(tick) for tick in TICKS])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)
    axes.set_ylim(TICKS[0], TICKS[-1])
    axes.legend(frameon=False, fontsize="small", loc="lower left")
    figure.savefig(IMAGES / "experiments.png", dpi=150)


def _line(axes: Any, runs: Mapping[int, Sequence[Result]], **look: Any) -> None:
    """Mean times, with their standard deviations as a band."""
    points = [(n, typical(group), np.std(times(group), ddof=1)) for n, group in runs.items() if len(group) > 1]
    if points:
        clients, middle, spread = np.array(points).T
        axes.plot(clients, middle, marker="o", ms=4, **look)
        axes.fill_between(clients, middle - spread, middle + spread, color=look["color"], alpha=0.12, lw=0)


def _apart(values: Sequence[float], gap: float) -> list[float]:
    """Sorted values, moved up and down where they are too near to each other: where to write names."""
    up, down = list(values), list(values)
    for n in range(1, len(up)):
        up[n] = max(up[n], up[n - 1] + gap)
        down[-n - 1] = min(down[-n - 1], down[-n] - gap)
    return [(above + below) / 2 for above, below in zip(up, down, strict=True)]


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
