"""How what a run's watchers are shown goes on from what they were shown before: see `webnn.shown`. Pure."""

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.records import Evaluation, Head, LedgerEntry, Run
from webnn.core.spec import Spec
from webnn.shown import STALENESS_COUNTS, Evaluated, Note, Page, Row, Shown
from webnn.spending import estimate

MOST_SAMPLES, SAMPLE_SECONDS = 60, 5


class Moment(Struct, frozen=True):
    """How the run stands at some moment; `joined` is None if nobody counted."""

    head: Head
    clients: int
    joined: int | None
    at: int


def nothing_yet(run: Run, spec: Spec) -> Shown:
    """What is shown of a run of which nothing was read yet."""
    pages = f"{run.run}/{run.created_at}/"
    return Shown(run.run, run.title, run.description, run.created_at, spec.end.accuracy, pages)


def read_on(shown: Shown, entries: list[LedgerEntry], evaluations: list[Evaluation]) -> Shown:
    """What is shown after these too, which come next."""
    spent = replace(shown.spent)
    spent.add(entries, evaluations)
    notes = [note for note in map(_note, entries) if note is not None]
    genesis = [entry for entry in entries if entry.version == 0]
    return replace(
        shown,
        first_generation=genesis[0].generation if genesis else shown.first_generation,
        updates=spent.updates,
        examples=shown.examples + sum(entry.examples for entry in entries),
        update_bytes=shown.update_bytes + sum(entry.update_bytes for entry in entries),
        checkpoint_bytes=shown.checkpoint_bytes + sum(entry.bytes + entry.state_bytes for entry in entries),
        staleness=_counted(shown.staleness, entries),
        commits=shown.commits + Page([_row(entry) for entry in entries], notes),
        evaluations=shown.evaluations + Page([_evaluated(one) for one in evaluations]),
        spent=spent,
    )


def standing(shown: Shown, now: Moment, spec: Spec) -> Shown:
    """The same history, and how the run stands now."""
    joined = shown.joined if now.joined is None else now.joined
    cost = estimate(shown.run, spec, shown.spent, joined, now.at)
    return replace(
        shown,
        status=now.head.status,
        at=now.at,
        version=now.head.version,
        steps=now.head.steps,
        generation=now.head.generation,
        sha256=now.head.sha256,
        clients=now.clients,
        dollars=_short(cost.dollars) or 0.0,
        dollars_per_version=None if cost.per_version is None else _short(cost.per_version),
        dollars_a_month=_short(cost.storage_a_month) or 0.0,
        prices_noted=cost.noted,
        crowd=_sampled(shown.crowd, (now.at - shown.created_at) // 1000, now.clients),
        joined=joined,
        counted_at=shown.counted_at if now.joined is None else now.at,
    )


def _row(entry: LedgerEntry) -> Row:
    staleness = [line.staleness for line in entry.updates]
    discounts = [line.discount for line in entry.updates]
    return Row(
        entry.version,
        entry.at,
        entry.steps,
        len(entry.updates),
        len({line.client_id for line in entry.updates}),
        entry.examples,
        entry.update_bytes,
        entry.bytes,
        min(staleness, default=-1),
        max(staleness, default=-1),
        round(sum(discounts) / len(discounts), 4) if discounts else 1.0,
    )


def _note(entry: LedgerEntry) -> Note | None:
    if entry.restores is not None:
        return Note(entry.version, "rollback", to=entry.restores, text=entry.note)
    if entry.without is not None:
        left_out = entry.without
        return Note(
            entry.version, "unmerge", clients=len(left_out.clients), updates=len(left_out.updates), text=entry.note
        )
    return None


def _evaluated(one: Evaluation) -> Evaluated:
    return Evaluated(one.version, one.at, _short(one.loss), _short(one.accuracy))


def _short(number: float) -> float | None:
    """Six digits, which tell people enough; JSON knows no NaN."""
    return float(f"{number:.6g}") if abs(number) < float("inf") else None


def _counted(counts: list[int], entries: list[LedgerEntry]) -> list[int]:
    counts = list(counts)
    for entry in entries:
        for line in entry.updates:
            place = min(line.staleness, STALENESS_COUNTS - 1)
            counts += [0] * (place + 1 - len(counts))
            counts[place] += 1
    return counts


def _sampled(crowd: list[tuple[int, int]], seconds: int, clients: int) -> list[tuple[int, int]]:
    """Samples over all of the run's time, ever further apart, so that there are never many."""
    apart = max(SAMPLE_SECONDS, (seconds - crowd[0][0]) // MOST_SAMPLES) if crowd else 0
    if crowd and seconds < crowd[-1][0] + apart:
        return crowd
    sampled = [*crowd, (seconds, clients)]
    return sampled if len(sampled) <= MOST_SAMPLES else sampled[::2]
