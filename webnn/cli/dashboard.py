"""What `webnn watch` draws: one picture of a run, from where it stands and what was new lately."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from webnn.cli import troubles
from webnn.core.records import Evaluation, LedgerEntry, Status
from webnn.story import Standing, Story

BARS = "▁▂▃▄▅▆▇█"
SPARKS = 48
BINS = 12
COLOURS = {"running": "green", "paused": "yellow", "finished": "cyan"}
ROWS_BESIDE_LISTS = 16  # of the picture
LISTED = 3, 12


def picture(
    story: Story, standing: Standing, note: str | None, height: int, foot: str = "q leaves; the run goes on"
) -> RenderableType:
    """The whole picture, in about `height` lines; at its foot the note, or else this while the run is not over."""
    rows = max(LISTED[0], min(LISTED[1], height - ROWS_BESIDE_LISTS))
    lists = Table.grid(expand=True, padding=(0, 2))
    lists.add_row(
        _commits(islice(reversed(story.commits), rows)), _evaluations(islice(reversed(story.evaluations), rows))
    )
    foot = "The run is finished." if _is_over(standing) else foot
    below = Text(note, "yellow", overflow="ellipsis", no_wrap=True) if note else Text(foot, "dim")
    title = Text.assemble((standing.run, "bold"), "  ", (str(standing.status), COLOURS[standing.status]))
    return Panel(Group(_facts(story, standing), Text(), lists, Text(), below), title=title, title_align="left")


def _is_over(standing: Standing) -> bool:
    """Whether this is the last look: while there is more to read of a finished run, it is looked at again."""
    return standing.status is Status.FINISHED and not standing.catching_up


def _facts(story: Story, standing: Standing) -> Table:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    version = f"{standing.version:,}"
    if standing.generation:
        version += f"  (generation {standing.generation})"
    facts.add_row("version", version + ("  still reading what has happened" if standing.catching_up else ""))
    facts.add_row("accuracy", _curve(standing.accuracy, "{:.2%}", [one.accuracy for one in story.evaluations]))
    facts.add_row("loss", _curve(standing.loss, "{:.4f}", [one.loss for one in story.evaluations]))
    facts.add_row("clients now", f"{standing.clients}")
    pace = "" if _is_over(standing) else f", {standing.updates_per_second:.2f} a second in the last minute"
    facts.add_row("updates", f"{standing.updates:,}{pace}")
    facts.add_row("staleness", _staleness(story.staleness, standing))
    facts.add_row(
        "bytes", f"{size(standing.update_bytes)} of updates, {size(standing.checkpoint_bytes)} of checkpoints"
    )
    facts.add_row("time running", duration(standing.seconds))
    if failing := troubles.in_short(standing.failures):
        facts.add_row("trouble", Text(failing, "yellow", overflow="ellipsis", no_wrap=True))
    return facts


def _curve(value: float | None, form: str, values: Sequence[float]) -> Text:
    if value is None:
        return Text("not evaluated")
    return Text.assemble((form.format(value).ljust(8), "bold"), "  ", (sparkline(values, SPARKS), "cyan"))


def _staleness(counts: Counter[int], standing: Standing) -> Text:
    if standing.staleness_p50 is None:
        return Text("no update merged")
    said = f"p50 {standing.staleness_p50}, p95 {standing.staleness_p95}".ljust(16)
    bars, last = histogram(counts, BINS)
    return Text.assemble(said, "  0 ", (bars, "magenta"), f" {last}")


def sparkline(values: Sequence[float], width: int) -> str:
    """The newest values as bars between the lowest and the highest of them; what is no number is a gap."""
    shown = list(values)[-width:]
    finite = [value for value in shown if value - value == 0]
    if not finite:
        return ""
    low, span = min(finite), (max(finite) - min(finite)) or 1.0
    top = len(BARS) - 1
    return "".join(BARS[round((value - low) / span * top)] if value - value == 0 else " " for value in shown)


def histogram(counts: Counter[int], bins: int) -> tuple[str, int]:
    """How often each staleness occurred, as bars of equal width from 0 on, and the highest of all."""
    width = -(-(max(counts) + 1) // bins)
    sums = [0] * -(-(max(counts) + 1) // width)
    for value, count in counts.items():
        sums[value // width] += count
    most = max(sums)
    return "".join(BARS[-(-total * len(BARS) // most) - 1] if total else " " for total in sums), max(counts)


def _commits(entries: Iterable[LedgerEntry]) -> Table:
    table = Table("commit", "updates", "clients", "at (UTC)", box=None, header_style="dim", padding=(0, 1, 0, 0))
    for entry in entries:
        clients = len({line.client_id for line in entry.updates})
        table.add_row(what(entry), str(len(entry.updates)), str(clients), _time(entry.at))
    return table


def _evaluations(evaluations: Iterable[Evaluation]) -> Table:
    table = Table("evaluated", "accuracy", "loss", "at (UTC)", box=None, header_style="dim", padding=(0, 1, 0, 0))
    for one in evaluations:
        table.add_row(str(one.version), f"{one.accuracy:.2%}", f"{one.loss:.4f}", _time(one.at))
    return table


def what(entry: LedgerEntry) -> str:
    """The versions of an entry, or what else it is."""
    if entry.restores is not None:
        return f"{entry.version} back to {entry.restores}"
    if entry.without is not None:
        return f"{entry.version} unmerge"
    return f"{entry.from_version + 1}-{entry.version}" if len(entry.updates) > 1 else str(entry.version)


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%H:%M:%S")


def size(count: int) -> str:
    """Bytes for people."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} byte{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Hours, minutes and seconds; days before them, where there are any."""
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    clock = f"{hours}:{rest // 60:02}:{rest % 60:02}"
    return f"{days} d {clock}" if days else clock
