"""Writes docs/experiments.md and its charts from the results: text from page.md, figures from the runs' own JSON."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from cases import CROWDS, RATES, Case, everything
from matplotlib.figure import Figure
from run import kept

CHECKOUT = Path(__file__).parents[1]
IMAGES = CHECKOUT / "docs" / "images"
Result = dict[str, Any]
Groups = dict[tuple[str, str, str], list[Result]]

REPORTED = {  # seconds to its "98 %", 2, 4 and 8 clients: WebNN report, section 1.7.2
    "average": {2: 227.9, 4: 244.2, 8: 260.0},
    "weighted": {2: 253.9, 4: 178.9, 8: 267.3},
}


def told(case: Case) -> str:
    """What a case was given, but for its seed."""
    return json.dumps(case.given, sort_keys=True)


def found() -> Groups:
    """All results there are, of all seeds together: by kind, label and what was given."""
    groups: Groups = defaultdict(list)
    for case in everything():
        if kept(case).exists():
            groups[case.kind, case.label, told(case)].append(json.loads(kept(case).read_text()))
    return groups


def of(groups: Groups, kind: str, label: str, **given: Any) -> list[Result]:
    """The results of one set-up; empty if it was not run."""
    return groups.get((kind, label, json.dumps(given, sort_keys=True)), [])


def times(results: Sequence[Result]) -> list[float]:
    """To the target; infinite where it was not reached."""
    return [result["time"] if result["time"] is not None else float("inf") for result in results]


def shown(results: Sequence[Result]) -> str:
    """Mean and standard deviation of the times; who did not get there is counted."""
    reached = [time for time in times(results) if np.isfinite(time)]
    if not results:
        return ""
    if not reached:
        return f"never ({max(result['accuracy'] for result in results):.1%})"
    text = f"{np.mean(reached):.0f} ± {np.std(reached, ddof=1) if len(reached) > 1 else 0:.0f}"
    return text if len(reached) == len(results) else f"{text} ({len(reached)} of {len(results)})"


def typical(results: Sequence[Result]) -> float:
    """The mean time; infinite if any did not get there, or none was run."""
    return float(np.mean(times(results))) if results else float("inf")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def best(groups: Groups, clients: int) -> tuple[float, str, list[Result]]:
    """The best yardstick for so many clients: its mean time, what it was, its results."""
    tried = [
        (typical(results), f"{optimizer}, {rate:g}", results)
        for optimizer, rates in RATES.items()
        for rate in rates
        if (results := of(groups, "synchronous", optimizer, clients=clients, rate=rate))
    ]
    return min(tried, key=lambda one: one[0], default=(float("inf"), "not run", []))


def limits(groups: Groups) -> str:
    """Auto beside the two yardsticks."""
    single, _, _ = best(groups, 1)
    rows = []
    for clients in CROWDS:
        limit, what, results = best(groups, clients)
        auto = of(groups, "run", "auto", recipe="auto", clients=clients)
        mean = typical(auto)
        share = f"{limit / mean:.2f}" if np.isfinite(mean) and np.isfinite(limit) else ""
        faster = f"{single / mean:.1f}" if np.isfinite(mean) and np.isfinite(single) else ""
        rows.append([str(clients), what, shown(results), shown(auto), share, faster])
    return table(["clients", "limit: best optimizer", "limit", "auto", "limit / auto", "single client / auto"], rows)


def all_rules(groups: Groups) -> str:
    """Every rule, from 1 to 64 clients."""
    labels = list(dict.fromkeys(case.label for case in everything() if case.part == "rules"))
    rows = [
        [f"`{label}`", *(shown(of(groups, "run", label, recipe=label, clients=clients)) for clients in CROWDS)]
        for label in labels
    ]
    return table(["rule", *(f"{clients} clients" for clients in CROWDS)], rows)


def hardship(groups: Groups) -> str:
    """What each rule survives."""
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for case in everything():
        if case.part == "hardship" and case.kind == "run":
            rule, _, condition = case.label.partition(", ")
            rows[rule][condition] = shown(of(groups, "run", case.label, **case.given))
    conditions = list(dict.fromkeys(condition for row in rows.values() for condition in row))
    body = [[f"`{rule}`", *(row.get(condition, "") for condition in conditions)] for rule, row in rows.items()]
    return table(["rule", *conditions], body)


def flower(groups: Groups) -> str:
    """Flower's FedAvg at its best, beside auto."""
    rows = []
    for sigma in (0.0, 1.0):
        tried = [(typical(results), told_, results) for (kind, _, told_), results in groups.items()
                 if kind == "flower" and json.loads(told_)["sigma"] == sigma]  # fmt: skip
        mean, what, results = min(tried, key=lambda one: one[0], default=(float("inf"), "{}", []))
        given = json.loads(what)
        auto = of(groups, "run", "auto, equal" if sigma == 0 else "auto, sigma 1", **_auto(sigma))
        faster = f"{mean / typical(auto):.1f}" if np.isfinite(mean) and np.isfinite(typical(auto)) else ""
        how = f"{given.get('steps')} steps at {given.get('rate')}"
        rows.append([f"sigma {sigma:g}", how, shown(results), shown(auto), faster])
    return table(["speeds", "FedAvg's best", "FedAvg", "auto", "FedAvg / auto"], rows)


def _auto(sigma: float) -> dict[str, Any]:
    return {"recipe": "auto", "clients": 16} | ({"sigma": sigma} if sigma else {})


def history(groups: Groups) -> str:
    """2018 again."""
    rows = []
    for rule in ("average", "weighted", "mimic", "copy"):
        for kind, words in (("as_it_ran", "as it ran"), ("as_described", "as described")):
            cells = [shown(of(groups, kind, rule, clients=clients)) for clients in (1, 2, 4, 8)]
            reported = ", ".join(f"{n}: {time}" for n, time in REPORTED.get(rule, {}).items())
            rows.append([f"`{rule}`", words, *cells, reported if kind == "as_it_ran" else ""])
    return table(["rule", "", "1 client", "2", "4", "8", "report, seconds"], rows)


def chart(groups: Groups) -> str:
    """Time to the target by the number of clients."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for label in ("auto", "delta", "average", "weighted", "fedbuff"):
        points = [(n, typical(of(groups, "run", label, recipe=label, clients=n))) for n in CROWDS]
        points = [(n, time) for n, time in points if np.isfinite(time)]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", ms=4, lw=2.2 if label == "auto" else 1, label=label)
    bound = [(n, best(groups, n)[0]) for n in CROWDS]
    bound = [(n, time) for n, time in bound if np.isfinite(time)]
    if bound:
        axes.plot(*zip(*bound, strict=True), color="0.3", ls="--", label="synchronous limit")
    axes.set(xscale="log", yscale="log", xlabel="clients", ylabel="time to 98 %, in mini-batches of one client")
    axes.set_xticks(CROWDS, [str(n) for n in CROWDS])
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(IMAGES / "experiments.png", dpi=150)
    return "![Time to 98 % by the number of clients](images/experiments.png)"


FILLED: dict[str, Callable[[Groups], str]] = {
    "limits": limits,
    "chart": chart,
    "all_rules": all_rules,
    "hardship": hardship,
    "flower": flower,
    "history": history,
}


def main() -> None:
    """Fills the text in."""
    groups = found()
    text = Path(__file__).with_name("page.md").read_text()
    filled = re.sub(r"\{\{(\w+)\}\}", lambda match: FILLED[match[1]](groups), text)
    (CHECKOUT / "docs" / "experiments.md").write_text(filled)


if __name__ == "__main__":
    main()
