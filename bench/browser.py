"""Training in the browser's worker: the client against a bare TF.js loop, on the same backend in the same tab.

    python bench/browser.py [--repetitions N] [--backend wasm]

Wants the bench page, which `make bench` builds into build/web-bench, and a Chromium. Prints a table, the budgets, and
one last line of JSON.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from measure import machine, table, verdict
from playwright.sync_api import sync_playwright

from webnn.local.volunteers import QUIET, browser

PAGE = Path(__file__).resolve().parents[1] / "build" / "web-bench"
BUDGET = 0.9
MODELS = ("digits", "mnist")


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's word
        """Nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder's address on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def measured(chromium: str, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What the page finds, and the browser's version."""
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with served(PAGE) as address, sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=[*QUIET[1:], *root])
        page = launched.new_page()
        page.set_default_timeout(600_000)
        page.goto(f"{address}/bench/index.html")
        found: dict[str, Any] = page.evaluate("options => webnnBench(options)", options)
        version = launched.version
        launched.close()
    return found, version


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=25)
    parser.add_argument("--backend", default="wasm", choices=["wasm", "webgl", "webgpu"])
    asked = parser.parse_args()
    chromium = browser()
    if chromium is None:
        sys.exit("there is no Chromium on this machine: apt-get install chromium")
    found, version = measured(chromium, {"repetitions": asked.repetitions, "backend": asked.backend})
    rows = [[name, *(f"{found[name][what]:.0f}" for what in ("bare", "trainer", "client"))] for name in MODELS]
    print(f"images per second in a worker, {found['backend']}, Chromium {version}\n")
    print(table(["model", "bare trainOnBatch", "training", "the whole client"], rows) + "\n")
    for name in MODELS:
        share = round(found[name]["trainerShare"], 3)
        print(f"{name}, training to the bare loop: {share} >= {BUDGET}: {verdict(share, BUDGET, at_most=False)}")
        print(f"{name}, the whole client to the bare loop: {found[name]['clientShare']:.3f}")
    print(json.dumps({"benchmark": "browser", "chromium": version, **found, "machine": machine()}))


if __name__ == "__main__":
    main()
