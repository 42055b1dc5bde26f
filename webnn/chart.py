"""A run as a picture: how well it learnt, by time and by version, how stale its updates were, and how many came."""

from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from webnn.core.records import Evaluation, LedgerEntry
from webnn.errors import Invalid, Missing
from webnn.store.ports import Catalog
from webnn.story import all_commits, all_evaluations, percentile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 60  # of time
MOST_BARS = 40  # of staleness
BLUE, ORANGE, GREEN, VIOLET, GREY = "#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "0.45"
NO_MATPLOTLIB = "charts take matplotlib, of the extra `simulate`: pip install -e '.[simulate]'"
UNITS = ((86_400 * 2, 86_400, "days"), (3600 * 2, 3600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))


class Drawn(Struct):
    """What a picture of a run takes. Times are milliseconds since 1970.

    Attributes:
        arrivals: When each update was merged.
        senders: Whose it was, as a number.
        undone: When there was a rollback or an unmerge, and the version that it made.
        evaluations: When, version, accuracy and loss of each.
    """

    run: str
    began: int = 0
    ended: int = 0
    version: int = 0
    arrivals: "array[int]" = field(default_factory=lambda: array("q"))
    senders: "array[int]" = field(default_factory=lambda: array("l"))
    staleness: Counter[int] = field(default_factory=Counter)
    undone: list[tuple[int, int]] = field(default_factory=list)
    evaluations: list[tuple[int, int, float, float]] = field(default_factory=list)


def collected(catalog: Catalog, run: str) -> Drawn:
    """Reads a run from its beginning: some bytes of memory for each update. Raises Missing."""
    found = Drawn(run)
    clients: dict[str, int] = {}
    for entry in all_commits(catalog, run):
        _add(found, entry, clients)
    for one in all_evaluations(catalog, run):
        found.ended = max(found.ended, one.at)
        found.evaluations.append((one.at, one.version, one.accuracy, one.loss))
    return found


def _add(found: Drawn, entry: LedgerEntry, clients: dict[str, int]) -> None:
    found.began = found.began or entry.at
    found.ended, found.version = max(found.ended, entry.at), entry.version
    if entry.restores is not None or entry.without is not None:
        found.undone.append((entry.at, entry.version))
    for line in entry.updates:
        found.arrivals.append(entry.at)
        found.senders.append(clients.setdefault(line.client_id, len(clients)))
        found.staleness[line.staleness] += 1


def check_drawable(path: Path) -> None:
    """Raises Invalid if a chart could not be written there, Missing if matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401, PLC0415  # only charts need it
    except ImportError as error:
        raise Missing(NO_MATPLOTLIB) from error
    if not path.parent.is_dir():
        raise Invalid(f"{path} cannot be written: there is no such folder")
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise Invalid(f"{path} cannot be written: charts end in .png, .svg or .pdf")


def saved(figure: Any, path: Path) -> None:
    """Writes a figure. Raises Invalid if the file cannot be written there."""
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be written: {error}") from error


def draw(found: Drawn, path: Path) -> None:
    """Draws the picture into a file, .png, .svg or .pdf. Raises Invalid if it cannot be written there."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # only charts need it

    figure = Figure(figsize=(11, 9), layout="constrained")
    grid = figure.subplots(3, 2)
    span = (found.ended - found.began) / 1000
    _, scale, unit = next(one for one in UNITS if span >= one[0])
    times: list[Any] = [(at - found.began) / 1000 / scale for at, *_ in found.evaluations]
    versions: list[Any] = [version for _, version, *_ in found.evaluations]
    undone = [((at - found.began) / 1000 / scale, version) for at, version in found.undone]
    for column, (label, xs) in enumerate(((f"time, {unit}", times), ("version", versions))):
        _accuracy(grid[0, column], label, xs, [one[2] for one in found.evaluations])
        _loss(grid[1, column], label, xs, [one[3] for one in found.evaluations])
        for axes in grid[:2, column]:
            _mark(axes, [one[column] for one in undone])
    _arrivals(grid[2, 0], found, scale, unit)
    _mark(grid[2, 0], [at for at, _ in undone])
    _staleness(grid[2, 1], found.staleness)
    figure.suptitle(_title(found), fontsize="large")
    saved(figure, path)


def learnt(evaluations: Sequence[Evaluation]) -> "Figure":
    """Accuracy and loss by time, beside each other. Raises Missing if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415  # only charts need it
    except ImportError as error:
        raise Missing(NO_MATPLOTLIB) from error
    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    times = [(one.at - evaluations[0].at) / 1000 for one in evaluations]
    _, scale, unit = next(one for one in UNITS if max(times, default=0.0) >= one[0])
    xs: list[Any] = [time / scale for time in times]
    _accuracy(left, f"time, {unit}", xs, [one.accuracy for one in evaluations])
    _loss(right, f"time, {unit}", xs, [one.loss for one in evaluations])
    return figure


def _title(found: Drawn) -> str:
    clients = len(set(found.senders))
    by = "1 client" if clients == 1 else f"{clients:,} clients"
    best = max((one[2] for one in found.evaluations), default=None)
    accuracy = "" if best is None else f", best accuracy {best:.2%}"
    return f"{found.run}: version {found.version:,}, {len(found.arrivals):,} updates by {by}{accuracy}"


def _accuracy(axes: "Axes", label: str, xs: list[Any], accuracies: list[float]) -> None:
    from matplotlib.ticker import PercentFormatter  # noqa: PLC0415  # only charts need it

    _line(axes, label, "accuracy", xs, accuracies, BLUE)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))


def _loss(axes: "Axes", label: str, xs: list[Any], losses: list[float]) -> None:
    _line(axes, label, "loss", xs, losses, ORANGE)
    finite = [loss for loss in losses if np.isfinite(loss)]
    if finite and min(finite) > 0 and max(finite) > 10 * min(finite):
        axes.set_yscale("log")


def _line(axes: "Axes", label: str, what: str, xs: list[Any], ys: list[float], colour: str) -> None:
    axes.plot(xs, ys, color=colour, lw=1.4, marker="o", ms=2.5 if len(xs) <= 2 * BINS else 0)
    if not xs:
        axes.text(0.5, 0.5, "not evaluated", transform=axes.transAxes, ha="center", va="center", color=GREY)
    _plain(axes, label, what)


def _arrivals(axes: "Axes", found: Drawn, scale: int, unit: str) -> None:
    """Updates a second as a filled step; how many clients sent them, in the same pieces of time, as a line."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # only charts need it

    width = max(1, -(-(found.ended - found.began + 1) // BINS))
    pieces = (np.asarray(found.arrivals, np.int64) - found.began) // width
    count = (found.ended - found.began) // width + 1
    edges = np.arange(count + 1) * width / 1000 / scale
    rates = np.bincount(pieces, minlength=count) * 1000 / width
    pairs = np.unique(np.stack([pieces, np.asarray(found.senders, np.int64)]), axis=1)
    clients = np.bincount(pairs[0], minlength=count)
    axes.stairs(rates, edges, fill=True, color=GREEN, alpha=0.35, lw=0)
    _plain(axes, f"time, {unit}", "updates a second")
    axes.yaxis.label.set_color(GREEN)
    beside = axes.twinx()
    beside.stairs(clients, edges, color=VIOLET, lw=1.4, baseline=None)
    beside.set_ylabel("clients", color=VIOLET)
    beside.set_ylim(0, max(1, clients.max(initial=0)) * 1.15)
    beside.yaxis.set_major_locator(MaxNLocator(integer=True))
    beside.spines[["top", "left"]].set_visible(False)


def _staleness(axes: "Axes", counts: Counter[int]) -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # only charts need it

    _plain(axes, "staleness, in versions", "share of updates")
    if not counts:
        axes.text(0.5, 0.5, "no update merged", transform=axes.transAxes, ha="center", va="center", color=GREY)
        return
    width = -(-(max(counts) + 1) // MOST_BARS)
    bars: Counter[int] = Counter()
    for value, count in counts.items():
        bars[value // width * width] += count
    total = counts.total()
    axes.bar([at + (width - 1) / 2 for at in bars], [count / total for count in bars.values()], width=0.85 * width,
             color=VIOLET, alpha=0.55)  # fmt: skip
    for share, name in ((0.5, "p50"), (0.95, "p95")):
        place = percentile(counts, share) or 0
        axes.axvline(place, color=GREY, lw=1, ls="--" if share < 0.9 else ":", label=f"{name}: {place}")
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _plain(axes: "Axes", label: str, what: str) -> None:
    axes.set(xlabel=label, ylabel=what)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.92")
    axes.set_axisbelow(True)


def _mark(axes: "Axes", places: list[Any]) -> None:
    """Where the owner went back: a rollback or an unmerge."""
    for number, place in enumerate(places):
        axes.axvline(place, color=GREY, lw=0.8, ls="--", label=None if number else "rollback or unmerge")
    if places:
        axes.legend(frameon=False, fontsize="small", loc="best")
