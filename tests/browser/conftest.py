"""A whole stage on this machine and a browser to look at it with."""

import json
import os
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from tabs import Tab

from webnn.cutting import of_dataset
from webnn.datasets import Dataset, digits
from webnn.local.stage import CHECKOUT, LocalStage, local_stage
from webnn.local.volunteers import QUIET, browser
from webnn.publish import publish

SEED = 7


@pytest.fixture(scope="session")
def stage() -> Iterator[LocalStage]:
    with local_stage(lambda _step: None) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = browser()
    if found is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=[*QUIET[1:], *root])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return digits(np.random.default_rng(SEED))


@pytest.fixture
def run(stage: LocalStage, dataset: Dataset, request: pytest.FixtureRequest) -> str:
    """A run of its own for each test, that does not end by itself."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:63].strip("-")
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    document["end"] = {"accuracy": getattr(request, "param", None)}
    publish(stage.services.runs, name, document, of_dataset(document, dataset), np.random.default_rng(SEED))
    return name


@pytest.fixture
def open_tab(stage: LocalStage, chromium: Browser) -> Iterator[Callable[..., Tab]]:
    """Opens pages, each in a browser profile of its own unless given one."""
    contexts: list[BrowserContext] = []

    def open_(run: str, address: str | None = None, context: BrowserContext | None = None, query: str = "") -> Tab:
        if context is None:
            context = chromium.new_context()
            contexts.append(context)
        tab = Tab(context.new_page())
        tab.page.on("console", tab.hear)
        tab.page.on("request", tab.asked)
        tab.page.on("pageerror", lambda error: tab.failures.append(str(error)))
        tab.page.goto(f"{address or stage.page}?run={run}&events&backend=wasm{query}")
        return tab

    yield open_
    for context in contexts:
        context.close()
