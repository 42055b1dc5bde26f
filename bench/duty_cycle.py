"""Does the power slider hold? The share of the time that a tab's worker computes, at several settings, on a real run.

    python bench/duty_cycle.py [--seconds N] [--powers 25 50 75]

Wants the built client (`make web`) and a Chromium on Linux. Prints a table, the budget, and one last line of JSON.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from measure import machine, table, verdict
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from webnn.cutting import of_dataset
from webnn.datasets import Dataset, Split, digits
from webnn.local.speakers import EVENT_MARK
from webnn.local.stage import CHECKOUT, LocalStage, local_stage
from webnn.local.volunteers import QUIET, browser
from webnn.publish import publish

BUDGET = 0.1
LOCAL_STEPS = {"digits": 512, "mnist": 16}  # so many that the network is little of it: then the power is what limits


@dataclass
class Heard:
    """What a tab told."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        _, mark, rest = message.text.partition(EVENT_MARK)
        if mark:
            self.events.append(json.loads(rest))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


def noise(order: np.random.Generator) -> Dataset:
    """Pictures of MNIST's size: what they show changes nothing of the time that a step takes."""

    def split(examples: int) -> Split:
        images = order.integers(0, 256, (examples, 28, 28, 1), dtype=np.uint8)
        return Split(images, order.integers(0, 10, examples, dtype=np.uint8))

    return Dataset(split(4096), split(64))


def made(stage: LocalStage, name: str) -> str:
    """A run of an example's model that never ends and is hardly ever evaluated."""
    order = np.random.default_rng(1)
    document = json.loads((CHECKOUT / "examples" / name / "spec.json").read_text())
    document["training"]["local_steps"] = LOCAL_STEPS[name]
    document["validation"]["every_versions"] = 1_000_000
    document["end"] = {"accuracy": None}
    publish(
        stage.services.runs,
        name,
        document,
        of_dataset(document, digits(order) if name == "digits" else noise(order)),
        order,
    )
    return name


def worker_seconds() -> float:
    """Processor time of all Web Workers' threads of our browser so far."""
    ticks = 0
    for process in psutil.Process().children(recursive=True):
        for thread in Path(f"/proc/{process.pid}/task").glob("*"):
            name, _, rest = (thread / "stat").read_text().partition("(")[2].rpartition(")")
            if name.startswith("DedicatedWorker"):
                user, system = rest.split()[11:13]
                ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def training(launched: Browser, page: str, run: str, power: int) -> Iterator[tuple[Heard, Page]]:
    """A tab that trains, from its first update on."""
    heard = Heard()
    context = launched.new_context()
    terms = json.dumps({"power": power, "battery": False, "hidden": False})
    context.add_init_script(f"localStorage.setItem('webnn:lending', {json.dumps(terms)})")
    tab = context.new_page()
    tab.on("console", heard.hear)
    tab.goto(f"{page}?run={run}&start&events&backend=wasm")
    while len(heard.of("uploaded")) < 1:
        tab.wait_for_timeout(100)
    yield heard, tab
    context.close()


def shares(launched: Browser, page: str, run: str, power: int, seconds: float) -> tuple[float, float]:
    """Of the time: what the worker counted as computing, and what the processor spent on its thread."""
    with training(launched, page, run, power) as (heard, tab):
        start, before, known = time.perf_counter(), worker_seconds(), len(heard.events)
        tab.wait_for_timeout(1000 * seconds)
        wall = time.perf_counter() - start
        spent = worker_seconds() - before
        steps = [event for event in heard.events[known:] if event["type"] == "step"]
    return sum(computing(steps)) * batch(run) / wall, spent / wall


def batch(name: str) -> int:
    """Examples in a step."""
    size: int = json.loads((CHECKOUT / "examples" / name / "spec.json").read_text())["training"]["batch_size"]
    return size


def computing(events: list[dict[str, Any]]) -> Iterator[float]:
    """Seconds for each example of a batch, between the steps that were told of: steps over examples per second."""
    for before, event in pairwise(events):
        within_task = event["step"] > before["step"]
        yield (event["step"] - before["step"] if within_task else event["step"]) / event["imagesPerSecond"]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--powers", type=int, nargs="+", default=[25, 50, 75])
    asked = parser.parse_args()
    found: list[dict[str, Any]] = []
    with local_stage(lambda _step: None) as stage, sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=browser(), args=[*QUIET[1:], *root])
        for run in (made(stage, name) for name in LOCAL_STEPS):
            for power in asked.powers:
                counted, processor = shares(launched, stage.page, run, power, asked.seconds)
                found.append({"model": run, "power": power, "counted": 100 * counted, "processor": 100 * processor})
        launched.close()
    rows = [[one["model"], *(f"{one[what]:.1f} %" for what in ("power", "counted", "processor"))] for one in found]
    print(table(["model", "power", "counted by the worker", "processor time of its thread"], rows) + "\n")
    for one in found:
        off = abs(one["counted"] / one["power"] - 1)
        print(f"{one['model']} at {one['power']} %, off by {off:.3f} <= {BUDGET}: {verdict(off, BUDGET)}")
    print(json.dumps({"benchmark": "duty_cycle", "found": found, "machine": machine()}))


if __name__ == "__main__":
    main()
