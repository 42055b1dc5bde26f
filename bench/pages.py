"""What Lighthouse says of every page, on a whole stage on this machine.

    python bench/pages.py [--times N]

Wants the built web client, Lighthouse in build/lighthouse (`make lighthouse` puts it there) and a Chromium. Prints a
table of medians, and one last line of JSON. Of performance Lighthouse works out what a phone with a slow processor on
a slow 4G line, and a desk, would have felt; the other categories do not depend on the machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measure import machine, table

from webnn.cutting import of_dataset
from webnn.datasets import digits
from webnn.local.stage import CHECKOUT, WEB, LocalStage, local_stage
from webnn.local.volunteers import browser
from webnn.publish import publish

LIGHTHOUSE = CHECKOUT / "build" / "lighthouse" / "node_modules" / ".bin" / "lighthouse"
CATEGORIES = ("performance", "accessibility", "best-practices")
TIMINGS = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
LEAST = 95
PRESETS = {"phone": (), "desk": ("--preset=desktop",)}

Report = dict[str, Any]


def report(address: str, preset: str, chromium: str) -> Report:
    """One run of Lighthouse."""
    root = " --no-sandbox" if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "report.json"
        command = [
            str(LIGHTHOUSE), address, "--quiet", "--output=json", f"--output-path={path}", *PRESETS[preset],
            f"--only-categories={','.join(CATEGORIES)}", f"--chrome-flags=--headless=new --disable-dev-shm-usage{root}",
        ]  # fmt: skip
        subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chromium}, timeout=180)  # noqa: S603
        found: Report = json.loads(path.read_text())
        return found


def medians(reports: list[Report]) -> dict[str, float]:
    """Of scores, in percent, and of timings, in milliseconds."""
    scores = {one: [round(100 * each["categories"][one]["score"]) for each in reports] for one in CATEGORIES}
    timings = {one: [each["audits"][one]["numericValue"] for each in reports] for one in TIMINGS}
    return {name: round(statistics.median(values), 3) for name, values in (scores | timings).items()}


def failings(reports: list[Report]) -> list[str]:
    """What does not have the full score, and counts."""
    audits = reports[-1]["audits"]
    weighed = {
        one["id"] for name in CATEGORIES for one in reports[-1]["categories"][name]["auditRefs"] if one["weight"]
    }
    return [f"{one}: {audits[one].get('displayValue') or audits[one]['title']}" for one in sorted(weighed)
            if (audits[one]["score"] if audits[one]["score"] is not None else 1) < 0.9]  # fmt: skip


def started(stage: LocalStage) -> str:
    """The name of a run to look at."""
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    random = np.random.default_rng(1)
    publish(stage.services.runs, "digits", document, of_dataset(document, digits(random)), random)
    return "digits"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3, help="of each page on each device")
    asked = parser.parse_args()
    chromium = browser()
    if chromium is None:
        sys.exit("there is no Chromium on this machine: apt-get install chromium")
    found: dict[str, dict[str, float]] = {}
    with local_stage(lambda _: None) as stage:
        run = started(stage)
        for path in sorted(WEB.glob("*.html")):
            for preset in PRESETS:
                address = f"{stage.page.replace('index.html', path.name)}?run={run}"
                reports = [report(address, preset, chromium) for _ in range(asked.times)]
                found[f"{path.name}, {preset}"] = medians(reports)
                for line in failings(reports):
                    print(f"{path.name}, {preset}: {line}", file=sys.stderr)
    rows = [[name, *(f"{one[what]:g}" for what in (*CATEGORIES, *TIMINGS))] for name, one in found.items()]
    print(table(["page", "performance", "accessibility", "best practices", "FCP ms", "LCP ms", "TBT ms", "CLS"], rows))
    lowest = min(one[category] for one in found.values() for category in CATEGORIES)
    print(f"\nlowest of all scores: {lowest:g} >= {LEAST}: {'ok' if lowest >= LEAST else 'MISSED'}")
    print(json.dumps({"benchmark": "pages", "times": asked.times, **found, "machine": machine()}))


if __name__ == "__main__":
    main()
