"""What simulations came to: numbers for programs, a chart for people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct

from webnn.chart import saved
from webnn.simulate.run import Outcome

SEEDS_NAMED = 8  # in a legend


class Report(Struct, frozen=True):
    """Of one set-up, over several seeds. Times are in units of one mini-batch on a client of speed 1.

    Attributes:
        time_to_target: For each seed; None where the target was not reached in time.
        accuracy: At the end of each, on the whole test set.
        updates: Merged in one run, on average.
        staleness_p50, staleness_p95: Percentiles over all merged updates of all runs.
        bytes_up, bytes_down: Of all clients in one run, on average.
    """

    rule: str
    clients: int
    time_to_target: list[float | None]
    accuracy: list[float]
    updates: int
    staleness_p50: float
    staleness_p95: float
    bytes_up: int
    bytes_down: int


def report(rule: str, clients: int, outcomes: Sequence[Outcome]) -> Report:
    """Of at least one outcome."""
    staleness = np.concatenate([outcome.staleness for outcome in outcomes])
    p50, p95 = np.percentile(staleness, [50, 95]) if len(staleness) else (0.0, 0.0)
    return Report(
        rule=rule,
        clients=clients,
        time_to_target=[outcome.time for outcome in outcomes],
        accuracy=[outcome.accuracy for outcome in outcomes],
        updates=round(float(np.mean([outcome.updates for outcome in outcomes]))),
        staleness_p50=float(p50),
        staleness_p95=float(p95),
        bytes_up=round(float(np.mean([outcome.bytes_up for outcome in outcomes]))),
        bytes_down=round(float(np.mean([outcome.bytes_down for outcome in outcomes]))),
    )


def drawn(path: Path, title: str, outcomes: Sequence[Outcome], target: float | None) -> None:
    """Draws accuracy over time, a line for each seed.

    Raises:
        Invalid: The file cannot be written there.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415  # only charts need it
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for seed, outcome in enumerate(outcomes):
        label = f"seed {seed}" if len(outcomes) <= SEEDS_NAMED else None
        axes.plot([p.time for p in outcome.curve], [p.accuracy for p in outcome.curve], label=label, lw=1.2)
    if target is not None:
        axes.axhline(target, color="0.4", lw=0.8, ls="--", label=f"target {100 * target:.4g} %")
    axes.set(title=title, xlabel="time, in mini-batches of one client", ylabel="accuracy on the whole test set")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.legend(frameon=False, fontsize="small", loc="lower right")
    saved(figure, path)
