"""Draws docs/images/scaling.png from what `scaling.py --write FILE` wrote. Its arguments: that file, the picture."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter

GROUP, ALONE, LIMIT = "#1b6ca8", "#c8553d", "#8a8a8a"
TRAINING_SECONDS = 10.5  # of a client's round: what is asked of the run if nobody waits


def main() -> None:
    """Draws it."""
    source, picture = map(Path, sys.argv[1:])
    found = json.loads(source.read_text())
    plt.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.8))
    _draw(axes[0], found, "updates/s", "updates merged a second")
    clients = [row["clients"] for row in found["group"]]
    axes[0].plot(clients, [c / TRAINING_SECONDS for c in clients], ":", color=LIMIT, lw=1)
    axes[0].annotate("what clients could send", (34, 8), color=LIMIT, rotation=36, fontsize=8)
    axes[0].axhline(106, color=LIMIT, lw=1)
    axes[0].annotate("DynamoDB's 1,000 write units", (11, 118), color=LIMIT, fontsize=8)
    axes[0].set_ylim(0.5, 300)
    _draw(axes[1], found, "p50 s", "seconds from upload to merged")
    axes[1].plot(clients, [row["p99 s"] for row in found["group"]], "--", color=GROUP, lw=1, label="group, p99")
    axes[1].legend(frameon=False, fontsize=8)
    _draw(axes[2], found, "$/million", "dollars for a million updates")
    axes[2].set_ylim(10, 400)
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


def _draw(axis: Any, found: dict[str, list[dict[str, Any]]], figure: str, title: str) -> None:
    for name, color, label in (("group", GROUP, "up to 95 in a commit"), ("one by one", ALONE, "one by one")):
        rows = found[name]
        axis.plot([row["clients"] for row in rows], [row[figure] for row in rows], "o-", color=color, ms=4, label=label)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.yaxis.set_major_formatter("{x:,.5g}")
    axis.yaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("clients")
    axis.set_title(title, fontsize=10, loc="left")
    axis.legend(frameon=False, fontsize=8)


if __name__ == "__main__":
    main()
