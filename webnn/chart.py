"""A run as a picture: how well it learnt, by time and by version, how stale its updates were, and how many came."""

from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct, field

from webnn.core.records import ACTIVE_MILLISECONDS, Evaluation, LedgerEntry
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
        target: The accuracy at which the run ends, if it does at one.
        crowd: When how many clients were seen, as watchers are shown it; empty if nobody counted.
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
    target: float | None = None
    crowd: list[tuple[int, int]] = field(default_factory=list)


def collected(catalog: Catalog, run: str, target: float | None = None, crowd: Sequence[tuple[int, int]] = ()) -> Drawn:
    """Reads a run from its beginning: some bytes of memory for each update. Raises Missing."""
    found = Drawn(run, target=target, crowd=list(crowd))
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
    saved(pictured(found), path)


def pictured(found: Drawn) -> "Figure":
    """The picture: at the left accuracy, loss and updates by time; at the right the first two by version, staleness."""
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
        _aim(grid[0, column], found.target)
        for axes in grid[:2, column]:
            _mark(axes, [one[column] for one in undone])
    _arrivals(grid[2, 0], found, scale, unit)
    _mark(grid[2, 0], [at for at, _ in undone])
    _from_nought(grid[:, 0], span / scale)
    _from_nought(grid[:2, 1], found.version, whole=True)
    _staleness(grid[2, 1], found.staleness)
    figure.suptitle(_title(found), fontsize="large")
    return figure


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
        _logarithmic(axes, max(finite) / min(finite))


def _logarithmic(axes: "Axes", ratio: float) -> None:
    """With plain numbers beside it, and some between powers of ten where there are few of these."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415  # only charts need it

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio <= 1000 else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _aim(axes: "Axes", target: float | None) -> None:
    if target is not None:
        axes.axhline(target, color=GREY, lw=1, ls="--", label=f"ends at {100 * target:g}%")
        axes.legend(frameon=False, fontsize="small", loc="best")


def _from_nought(column: Sequence["Axes"], end: float, *, whole: bool = False) -> None:
    """One x axis for all of a column."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # only charts need it

    for axes in column:
        axes.set_xlim(0, 1.02 * end or 1)  # no dot is cut off
        if whole:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _line(axes: "Axes", label: str, what: str, xs: list[Any], ys: list[float], colour: str) -> None:
    axes.plot(xs, ys, color=colour, lw=1.4, marker="o", ms=2.5 if len(xs) <= 2 * BINS else 0)
    if not xs:
        axes.text(0.5, 0.5, "not evaluated", transform=axes.transAxes, ha="center", va="center", color=GREY)
    _plain(axes, label, what)


def _arrivals(axes: "Axes", found: Drawn, scale: int, unit: str) -> None:
    """Updates a second as a filled step; how many clients there were as a line."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415  # only charts need it

    width = max(1, -(-(found.ended - found.began + 1) // BINS))
    pieces = (np.asarray(found.arrivals, np.int64) - found.began) // width
    count = (found.ended - found.began) // width + 1
    edges = np.arange(count + 1) * width / 1000 / scale
    rates = np.bincount(pieces, minlength=count) * 1000 / width
    axes.stairs(rates, edges, fill=True, color=GREEN, alpha=0.35, lw=0)
    _plain(axes, f"time, {unit}", "updates a second")
    axes.yaxis.label.set_color(GREEN)
    beside = axes.twinx()
    seen = _clients(found)
    beside.step([(at - found.began) / 1000 / scale for at, _ in seen], [count for _, count in seen], where="post",
                color=VIOLET, lw=1.4)  # fmt: skip
    beside.set_ylabel("clients", color=VIOLET)
    beside.set_ylim(0, max(1, *(count for _, count in seen)) * 1.15)
    beside.yaxis.set_major_locator(MaxNLocator(integer=True))
    beside.spines[["top", "left"]].set_visible(False)


def _clients(found: Drawn) -> list[tuple[int, int]]:
    """When how many clients there were, to the end: as watchers are shown it, or else who sent in the minute before."""
    seen = [(at, count) for at, count in found.crowd if found.began <= at <= found.ended] or _senders(found)
    return [*seen, (found.ended, seen[-1][1])]


def _senders(found: Drawn) -> list[tuple[int, int]]:
    """Who leaves is seen to leave a minute after the last update."""
    active: Counter[int] = Counter()
    moves = [(at, 1, one) for at, one in zip(found.arrivals, found.senders, strict=True)]
    moves += [(at + ACTIVE_MILLISECONDS, -1, one) for at, _, one in moves]
    seen, there = [(found.began, 0)], 0
    for at, change, one in sorted(moves):
        before, active[one] = active[one], active[one] + change
        there += (active[one] > 0) - (before > 0)
        if there != seen[-1][1] and at <= found.ended:
            seen.append((at, there))
    return seen


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
