"""Takes the README's pictures from a real run: `python bench/screenshots.py docs/images`."""

import json
import os
import sys
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from webnn.cutting import of_dataset
from webnn.datasets import digits
from webnn.local.stage import CHECKOUT, local_stage
from webnn.local.volunteers import QUIET, browser
from webnn.publish import publish

VIEW = {"width": 1100, "height": 1180}
ACCURACY = 0.93
LOOKS = 360


def main(folder: Path) -> None:
    """Runs the digits until they are fairly good, then takes both pages."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    document["end"] = {"accuracy": 0.95}
    random = np.random.default_rng(1)
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with local_stage(print) as stage, sync_playwright() as playwright:
        publish(stage.services.runs, "digits", document, of_dataset(document, digits(random)), random)
        launched = playwright.chromium.launch(executable_path=browser(), args=[*QUIET[1:], *root])
        volunteer, second, watcher = (launched.new_page(viewport=VIEW) for _ in range(3))
        volunteer.goto(f"{stage.page}?run=digits&start")
        second.goto(f"{stage.page}?run=digits&start")
        watcher.goto(f"{stage.watcher}?run=digits")
        for _ in range(LOOKS):
            newest = stage.services.catalog.latest_evaluation("digits")
            if newest is not None and newest.accuracy >= ACCURACY:
                break
            volunteer.wait_for_timeout(500)
        watcher.wait_for_timeout(4000)
        for name, page in (("volunteer", volunteer), ("watcher", watcher)):
            page.screenshot(path=folder / f"{name}.png")
            _dark(page).screenshot(path=folder / f"{name}-dark.png")
        launched.close()


def _dark(page: Page) -> Page:
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)
    return page


if __name__ == "__main__":
    main(Path(sys.argv[1]))
