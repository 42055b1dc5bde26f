"""A whole stage on this machine and a browser to look at it with."""

import json
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from histories import trained_before
from playwright.sync_api import Browser
from tabs import Tab, opening

from webnn.cutting import of_dataset
from webnn.datasets import Dataset, digits
from webnn.local.stage import CHECKOUT, LocalStage, local_stage
from webnn.publish import publish

SEED = 7


@pytest.fixture(scope="session")
def stage() -> Iterator[LocalStage]:
    with local_stage(lambda _step: None) as running:
        yield running


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
