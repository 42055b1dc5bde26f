"""The tables of docs/experiments.md, in Markdown, from results alone."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from cases import (
    CROWDS,
    FAR_CROWDS,
    GUARDED,
    LONGEST_FLOWER,
    MUON,
    PARTS,
    RATES,
    RULES,
    TUNED_CROWD,
    TUNED_LONGEST,
    UNTUNED,
    Case,
    hardship,
    harm,
    rules,
    wall,
)

from webnn.simulate.population import ATTACKS

Result = dict[str, Any]
TUNED = [label for label in RULES | PARTS if label not in UNTUNED]
REPORTED = {  # seconds to its "98 %", 2, 4 and 8 clients: WebNN report, section 1.7.2
    "average": {2: 227.9, 4: 244.2, 8: 260.0},
    "weighted": {2: 253.9, 4: 178.9, 8: 267.3},
}


class Results:
    """All there are, of all seeds together."""

    def __init__(self, cases: Iterable[Case], kept: Mapping[str, Result]) -> None:
        """Takes all cases, and the results by the names of their cases."""
        self._groups: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
        for case in cases:
            if case.name in kept:
                self._groups[case.kind, case.label, _told(case.given)].append(kept[case.name])

    def of(self, kind: str, label: str, **given: Any) -> list[Result]:
        """Of one set-up; empty if it was not run."""
        return self._groups.get((kind, label, _told(given)), [])

    def best(self, kind: str, labels: Iterable[str], **given: Any) -> tuple[float, str, dict[str, Any], list[Result]]:
        """The set-up with the lowest mean time of those that have these among what they were given.

        Only those that ran with the most seeds count: others were not worth more of them.
        """
        tried = [
            (label, json.loads(told), results)
            for (one, label, told), results in self._groups.items()
            if one == kind and label in labels and given.items() <= json.loads(told).items()
        ]
        most = max((len(results) for _, _, results in tried), default=0)
        fair = [(typical(results), label, told, results) for label, told, results in tried if len(results) == most]
        return min(fair, key=_worth, default=(float("inf"), "not run", {}, []))


def _worth(one: tuple[float, str, dict[str, Any], list[Result]]) -> tuple[float, int, float]:
    """Sorts set-ups: the quickest, then those that got there most often, then those that came nearest."""
    mean, _, _, results = one
    return mean, missed(results), -max((result["accuracy"] for result in results), default=0.0)


def _told(given: Mapping[str, Any]) -> str:
    return json.dumps(given, sort_keys=True)


def times(results: Sequence[Result]) -> list[float]:
    """To the target; infinite where it was not reached."""
    return [result["time"] if result["time"] is not None else float("inf") for result in results]


def missed(results: Sequence[Result]) -> int:
    """How many did not get there."""
    return sum(time == float("inf") for time in times(results))


def typical(results: Sequence[Result]) -> float:
    """The mean time; infinite if any did not get there, or none was run."""
    return float(np.mean(times(results))) if results else float("inf")


def shown(results: Sequence[Result]) -> str:
    """Mean and standard deviation of the times; who did not get there is counted."""
    reached = [time for time in times(results) if np.isfinite(time)]
    if not results:
        return ""
    if not reached:
        return f"never ({max(result['accuracy'] for result in results):.1%})"
    spread = f" ± {np.std(reached, ddof=1):.0f}" if len(reached) > 1 else ""
    text = f"{np.mean(reached):.0f}{spread}" + (" (one seed)" if len(results) == 1 else "")
    return text if len(reached) == len(results) else f"{text} ({len(reached)} of {len(results)})"


def stopped(results: Sequence[Result]) -> str:
    """The times of those that stopped of themselves, and what accuracy they had then on all test images."""
    accuracy = [result["accuracy"] for result in results if result["time"] is not None]
    return f"{shown(results)}: {np.mean(accuracy):.1%}" if accuracy else shown(results)


def share(one: float, other: float, digits: int = 1) -> str:
    """One divided by the other, if there are both."""
    return f"{one / other:.{digits}f}" if np.isfinite(one) and np.isfinite(other) else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def limits(results: Results) -> str:
    """Auto beside the two yardsticks."""
    single = results.best("synchronous", RATES, clients=1)[0]
    alone = typical(results.of("run", "auto", recipe="auto", clients=1))
    rows = []
    for clients in CROWDS:
        limit, optimizer, given, runs = results.best("synchronous", RATES, clients=clients)
        muon = results.best("synchronous", MUON, clients=clients)
        auto = results.of("run", "auto", recipe="auto", clients=clients)
        cells = [shown(runs), f"{optimizer}, {given.get('rate', '')}", shown(muon[3]), shown(auto)]
        shares = [share(limit, typical(auto), 2), share(single, typical(auto)), share(alone, typical(auto))]
        rows.append([str(clients), *cells, *shares])
    head = ["clients", "limit", "its optimizer and rate", "limit with Muon", "auto"]
    return table([*head, "limit / auto", "single / auto", "auto alone / auto"], rows)


def far(results: Results) -> str:
    """The same to a farther target."""
    given = {case.given["clients"]: case.given for case in wall(lambda _: None) if case.kind == "run"}
    goal = {clients: {k: v for k, v in told.items() if k != "recipe"} for clients, told in given.items()}
    single, alone = results.best("synchronous", ["adam"], **goal[1])[0], typical(results.of("run", "auto", **given[1]))
    rows = []
    for clients in FAR_CROWDS:
        limit, _, found, runs = results.best("synchronous", ["adam"], **goal[clients])
        auto = results.of("run", "auto", **given[clients])
        cells = [shown(runs), str(found.get("rate", "")), shown(auto)]
        shares = [share(limit, typical(auto), 2), share(single, typical(auto)), share(alone, typical(auto))]
        rows.append([str(clients), *cells, *shares])
    head = ["clients", "limit", "Adam's rate", "auto", "limit / auto", "single / auto", "auto alone / auto"]
    return table(head, rows)


def all_rules(results: Results) -> str:
    """Every rule, from 1 to 64 clients."""
    rows: dict[str, dict[int, str]] = defaultdict(dict)
    for case in rules():
        rows[case.label][case.given["clients"]] = shown(results.of(case.kind, case.label, **case.given))
    body = [[f"`{label}`", *(row.get(clients, "") for clients in CROWDS)] for label, row in rows.items()]
    return table(["rule", *(f"{clients} client{'s' * (clients > 1)}" for clients in CROWDS)], body)


def best_tuned(results: Results, label: str) -> tuple[dict[str, Any], list[Result]]:
    """A rule with 8 clients at its best rate: what it was given, and how it went."""
    given = {"recipe": label, "clients": TUNED_CROWD, "limit": TUNED_LONGEST}
    _, _, found, runs = results.best("run", [label], **given)
    return found, runs


def tuned_rules(results: Results) -> str:
    """Every rule with 8 clients at its best rate, beside auto."""
    auto = results.of("run", "auto", recipe="auto", clients=TUNED_CROWD)
    rows = [["`auto`", "nothing tuned", shown(auto), ""]]
    for label in TUNED:
        found, runs = best_tuned(results, label)
        rows.append([f"`{label}`", str(found.get("rate", "")), shown(runs), share(typical(runs), typical(auto))])
    return table(["rule", "its best rate", f"{TUNED_CROWD} clients", "times as long as auto"], rows)


def hardships(results: Results) -> str:
    """What each rule survives."""
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for case in hardship():
        if case.kind == "run":
            rule, _, condition = case.label.partition(", ")
            rows[rule][condition] = shown(results.of("run", case.label, **case.given))
    conditions = list(dict.fromkeys(condition for row in rows.values() for condition in row))
    body = [[f"`{rule}`", *(row.get(condition, "") for condition in conditions)] for rule, row in rows.items()]
    return table(["rule", *conditions], body)


def harms(results: Results) -> str:
    """What accuracy is left, by attack."""
    rows: dict[str, dict[str, str]] = defaultdict(dict)
    for case in harm():
        found = [result["accuracy"] for result in results.of("run", case.label, **case.given)]
        rows[case.label][case.given.get("attack", "nobody")] = f"{np.mean(found):.1%}" if found else ""
    attacks = ("nobody", *ATTACKS)
    names = {label: f"`auto` + `{label}`" if label == "norm_clip" else f"`{label}`" for label in rows}
    names |= {label: f"`delta` + `{label}`" for label in GUARDED if label != "norm_clip"}
    body = [[names[label], *(row.get(attack, "") for attack in attacks)] for label, row in rows.items()]
    return table(["rule", *attacks], body)


def flower(results: Results) -> str:
    """Flower's FedAvg at its best, beside auto."""
    rows = []
    for sigma, label in ((0.0, "auto, equal"), (1.0, "auto, sigma 1")):
        mean, _, given, runs = results.best("flower", ["Flower's FedAvg"], sigma=sigma)
        asked = {"recipe": "auto", "clients": 16} | ({"sigma": sigma} if sigma else {})
        auto = results.of("run", label, **asked)
        how = f"{given.get('steps')} steps at {given.get('rate')}"
        at_least = np.mean([min(time, LONGEST_FLOWER) for time in times(runs)]) if runs else np.nan
        faster = share(mean, typical(auto)) or f"over {np.floor(at_least / typical(auto)):.0f}"
        rows.append([f"sigma {sigma:g}", how, shown(runs), shown(auto), faster])
    return table(["speeds", "FedAvg's best", "FedAvg", "auto", "FedAvg / auto"], rows)


def reality(found: Mapping[str, Any] | None) -> str:
    """Two tabs, and what the simulator said of them."""
    if found is None:
        return "Not run yet."
    rows = []
    for words, key in (("time to 98 %, in mini-batches", "time"), ("updates to 98 %", "updates")):
        rows.append([words, *(_spread([one[key] for one in found[who]]) for who in ("real", "forecast"))])
    percentiles = [", ".join(f"{p:g}" for p in found[who][0]["staleness"]) for who in ("real", "forecast")]
    rows.append(["staleness, median and 95th percentile", *percentiles])
    head = ["", f"two tabs, {len(found['real'])} trials", f"forecast, {len(found['forecast'])} seeds"]
    return table(head, rows)


def _spread(values: Sequence[float | None]) -> str:
    reached = [value for value in values if value is not None]
    if len(reached) < len(values):
        return f"reached by {len(reached)} of {len(values)}"
    return f"{np.mean(reached):.0f} ± {np.std(reached, ddof=1):.0f} ({min(reached):.0f} to {max(reached):.0f})"


def history(results: Results) -> str:
    """2018 again."""
    rows = []
    for rule in ("average", "weighted", "mimic", "copy"):
        for kind, words in (("as_it_ran", "as it ran"), ("as_described", "as described")):
            groups = [results.of(kind, rule, clients=clients) for clients in (1, 2, 4, 8)]
            cells = [stopped(group) if kind == "as_it_ran" else shown(group) for group in groups]
            reported = ", ".join(f"{n}: {time}" for n, time in REPORTED.get(rule, {}).items())
            rows.append([f"`{rule}`", words, *cells, reported if kind == "as_it_ran" else ""])
    return table(["rule", "", "1 client", "2", "4", "8", "report, seconds"], rows)
