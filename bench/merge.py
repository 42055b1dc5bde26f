"""Merging 100 updates of a model of a million parameters: against numpy, against Flower, and in memory.

    python bench/merge.py [--full] [--repetitions N] [--updates N] [--parameters N]

Prints tables, the budgets, and one last line of JSON. README.md says what the figures mean.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import merge_drain
import merge_flower
import numpy as np
from measure import Times, alternate, clocked, machine, median, ratio, table, verdict
from merge_load import RULES, Load, merged

from webnn.core.rules import AnyRule
from webnn.core.wire import Vector, decode_vector
from webnn.store.ports import MAX_COMMIT

FLOWER_REPETITIONS = 5


def numpy_reads_and_adds(load: Load, accumulator: Vector) -> Vector:
    """The least that can be done with the bytes: look at each once and add it up."""
    for body in load.bodies:
        np.add(accumulator, np.frombuffer(body, np.float32), out=accumulator)
    return accumulator


def numpy_reads_and_adds_with_bases(load: Load, accumulator: Vector) -> Vector:
    """The same for rules that look at the base of each update too, which doubles the bytes."""
    base = np.frombuffer(load.head, np.float32)
    for body in load.bodies:
        np.add(accumulator, np.frombuffer(body, np.float32), out=accumulator)
        np.add(accumulator, base, out=accumulator)
    return accumulator


def weights_after(load: Load, rule: AnyRule) -> Vector:
    """What is measured: bytes to the weights of 100 versions later."""
    return merged(load, rule, decode_vector(load.specs, load.head)).weights


def timed(load: Load, repetitions: int, full: bool) -> Times:
    """Seconds of our rules and of numpy, in alternation."""
    accumulator = np.zeros(load.parameters, np.float32)
    candidates: dict[str, Callable[[], object]] = {
        "numpy": lambda: numpy_reads_and_adds(load, accumulator),
        "numpy with bases": lambda: numpy_reads_and_adds_with_bases(load, accumulator),
    }
    for name, rule in RULES.items():
        candidates[name] = partial(weights_after, load, rule)
    if full:
        candidates |= merge_drain.candidates(load, RULES)
    return alternate({name: clocked(work) for name, work in candidates.items()}, repetitions)


def answer(script: str, *arguments: object) -> Any:
    """What a script of this folder prints, run in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603


def against_flower(parameters: int, updates: int) -> dict[str, dict[str, float]]:
    """Flower's times and how many times longer they are than ours; empty where Flower is not installed."""
    if importlib.util.find_spec("flwr") is None:
        return {}
    first: Times = {name: [] for name in merge_flower.CANDIDATES}
    later: Times = {name: [] for name in merge_flower.CANDIDATES}
    for _ in range(FLOWER_REPETITIONS):
        for name in merge_flower.CANDIDATES:
            one, others = answer("merge_flower.py", name, parameters, updates)
            first[name].append(one)
            later[name].append(others)
    found = {}
    for name in merge_flower.CANDIDATES:
        found[name] = {
            "first_ms": round(median(first, name) * 1e3, 1),
            "later_ms": round(median(later, name) * 1e3, 1),
            "first_over_undiscounted": round(ratio(first, name, "undiscounted"), 1),
            "later_over_undiscounted": round(ratio(later, name, "undiscounted"), 1),
            "first_over_webnn": round(ratio(first, name, "webnn"), 1),
            "later_over_webnn": round(ratio(later, name, "webnn"), 1),
        }
    return found


def memory(kind: str, parameters: int, updates: int) -> dict[str, dict[str, float]]:
    """Peak extra memory of each rule in model sizes, each measured in a process of its own."""
    return {
        rule: {
            gauge: round(answer("merge_memory.py", f"{kind}:{rule}", gauge, parameters, updates), 2)
            for gauge in ("tracemalloc", "rss")
        }
        for rule in RULES
    }


def rules_report(times: Times, updates: int) -> dict[str, dict[str, float]]:
    """Each rule's speed, against numpy reading and adding the updates, and all that the rule must read."""
    return {
        name: {
            "ms": round(median(times, name) * 1e3, 1),
            "updates_per_s": round(updates / median(times, name)),
            "to_numpy": round(ratio(times, name, "numpy"), 2),
            "to_numpy_all": round(ratio(times, name, "numpy with bases" if rule.needs_base else "numpy"), 2),
        }
        for name, rule in RULES.items()
    }


def readable(found: dict[str, Any]) -> str:
    """The figures as tables."""
    rules = [
        [
            rule,
            f"{one['ms']:.0f}",
            f"{one['updates_per_s']:.0f}",
            f"{one['to_numpy']:.2f}",
            f"{one['to_numpy_all']:.2f}",
            *(f"{found['merge_peak'][rule][gauge]:.2f}" for gauge in ("tracemalloc", "rss")),
        ]
        for rule, one in found["rules"].items()
    ]
    head = ["rule", "ms", "updates/s", "to numpy", "to numpy, bases too", "peak (tracemalloc)", "peak (RSS)"]
    flower = [[name, *(f"{figure:.1f}" for figure in one.values())] for name, one in found["flower"].items()]
    columns = ["", "first ms", "later ms", "first / undisc.", "later / undisc.", "first / webnn", "later / webnn"]
    others = [[name, f"{ms:.1f} ms"] for name, ms in found["ms"].items()]
    others += [[f"drain:{rule} peak", f"{max(one.values()):.2f} models"] for rule, one in found["drain_peak"].items()]
    parts = [
        table(head, rules),
        table(columns, flower) if flower else "Flower is not installed",
        table(["", ""], others),
    ]
    return "\n\n".join(parts)


def judged(found: dict[str, Any]) -> list[str]:
    """One line per budget, for the default rule."""
    to_numpy = found["rules"]["delta"]["to_numpy"]
    peak = max(found["merge_peak"]["delta"].values())
    lines = [f"time to numpy's: {to_numpy} <= 2: {verdict(to_numpy, 2.0)}"]
    for name, what in (("undiscounted", "equal work"), ("webnn", "with discounts")):
        if found["flower"]:
            over = found["flower"]["aggregate"][f"later_over_{name}"]
            lines.append(f"faster than Flower's aggregate, {what}: {over} >= 10: {verdict(over, 10.0, at_most=False)}")
    lines.append(f"peak extra memory: {peak} <= 4 model sizes: {verdict(peak, 4.0)}")
    return lines


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="also what the merge function does around the merge")
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--parameters", type=int, default=1_000_000)
    asked = parser.parse_args()
    times = timed(Load.of(asked.parameters, asked.updates), asked.repetitions, asked.full)
    one_commit = min(asked.updates, MAX_COMMIT)
    found = {
        "benchmark": "merge",
        "updates": asked.updates,
        "parameters": asked.parameters,
        "rules": rules_report(times, asked.updates),
        "ms": {name: round(median(times, name) * 1e3, 1) for name in times if name not in RULES},
        "flower": against_flower(asked.parameters, asked.updates),
        "merge_peak": memory("merge", asked.parameters, asked.updates),
        "drain_peak": memory("drain", asked.parameters, one_commit) if asked.full else {},
        "machine": machine(),
    }
    print(f"{asked.updates} updates of {asked.parameters:,} parameters\n\n{readable(found)}\n")
    print("\n".join(judged(found)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
