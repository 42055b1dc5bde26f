"""A whole stage on this machine and a browser to look at it with."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from histories import trained_before
from playwright.sync_api import Browser, Playwright, sync_playwright
from tabs import Tab, opening

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
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    found = browser()
    if found is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    launched = playwright.chromium.launch(executable_path=found, args=[*QUIET[1:], *root])
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Firefox as people have it, spoken to in WebDriver BiDi; not the one that Playwright makes for itself."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        pytest.skip("there is no Firefox on this machine: apt-get install firefox-esr")
    # Else it asks nobody for what lies on this machine, and a test could not cut its line.
    proxied = {"network.proxy.allow_hijacking_localhost": True}
    launched = playwright.firefox.launch(executable_path=found, channel="moz-firefox", firefox_user_prefs=proxied)
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return digits(np.random.default_rng(SEED))


@pytest.fixture(scope="session")
def trained(stage: LocalStage, dataset: Dataset) -> str:
    """A run that has a history, always the same. Who trains it on changes what other tests see."""
    return trained_before(stage.services, dataset)


@pytest.fixture
def run(stage: LocalStage, dataset: Dataset, request: pytest.FixtureRequest) -> str:
    """A run of its own for each test, that does not end by itself."""
    name = re.sub("[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[-63:].strip("-")
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    document["end"] = {"accuracy": getattr(request, "param", None)}
    publish(stage.services.runs, name, document, of_dataset(document, dataset), np.random.default_rng(SEED))
    return name


@pytest.fixture
def open_tab(stage: LocalStage, chromium: Browser) -> Iterator[Callable[..., Tab]]:
    """Opens pages in Chromium, each in a browser profile of its own unless given one."""
    with opening(chromium, stage.page) as open_:
        yield open_


@pytest.fixture(params=["chromium", "firefox"])
def visit(stage: LocalStage, request: pytest.FixtureRequest) -> Iterator[Callable[..., Tab]]:
    """Opens pages as `open_tab` does, in Chromium and in Firefox."""
    with opening(request.getfixturevalue(request.param), stage.page) as open_:
        yield open_
