"""Writes docs/experiments.md and its chart from results.jsonl: the text from page.md, the figures from the results."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tables
from cases import CROWDS, RATES, everything
from matplotlib.figure import Figure
from run import kept, timed_by
from tables import Results, typical

CHECKOUT = Path(__file__).parents[1]
IMAGES = CHECKOUT / "docs" / "images"
LINES = ("auto", "delta", "average", "weighted", "fedbuff")


def chart(results: Results) -> str:
    """Time to the target by the number of clients."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for label in LINES:
        given = {"recipe": label} | ({} if label == "auto" else {"every": 8})
        points = [(n, typical(results.of("run", label, clients=n, **given))) for n in CROWDS]
        points = [(n, time) for n, time in points if np.isfinite(time)]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", ms=4, lw=2.2 if label == "auto" else 1, label=label)
    bound = [(n, results.best("synchronous", RATES, clients=n)[0]) for n in CROWDS]
    bound = [(n, time) for n, time in bound if np.isfinite(time)]
    if bound:
        axes.plot(*zip(*bound, strict=True), color="0.3", ls="--", label="synchronous limit")
    axes.set(xscale="log", yscale="log", xlabel="clients", ylabel="time to 98 %, in mini-batches of one client")
    axes.set_xticks(CROWDS, [str(n) for n in CROWDS])
    axes.minorticks_off()
    axes.set_yticks((50, 100, 200, 500, 1000), ("50", "100", "200", "500", "1000"))
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(IMAGES / "experiments.png", dpi=150)
    return "![Time to 98 % by the number of clients](images/experiments.png)"


FILLED: dict[str, Callable[[Results], str]] = {
    "limits": tables.limits,
    "chart": chart,
    "far": tables.far,
    "all_rules": tables.all_rules,
    "hardship": tables.hardships,
    "harm": tables.harms,
    "flower": tables.flower,
    "reality": lambda _: tables.reality(kept().get("reality")),
    "history": tables.history,
}


def main() -> None:
    """Fills the text in."""
    lines = kept()
    results = Results(everything(timed_by(lines)), lines)
    text = Path(__file__).with_name("page.md").read_text()
    filled = re.sub(r"\{\{(\w+)\}\}", lambda match: FILLED[match[1]](results), text)
    (CHECKOUT / "docs" / "experiments.md").write_text(filled)


if __name__ == "__main__":
    main()
