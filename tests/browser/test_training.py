"""Headless tabs against a whole stage: they train, they recover, and what they report is true."""

import json
from collections.abc import Callable
from urllib.parse import urlparse

import numpy as np
import pytest
from playwright.sync_api import Route, expect
from tabs import Tab

from webnn import checkpoints
from webnn.core.records import Evaluation, Status
from webnn.core.wire import Vector
from webnn.datasets import Dataset
from webnn.local.stage import LocalStage

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]

# A page that nobody looks at asks seldom how the run gets on; here never, once it has.
AWAY = """Object.defineProperty(document, "hidden", { get: () => true });
const soon = globalThis.setTimeout;
globalThis.setTimeout = (call, pause, ...rest) => pause > 10_000 ? 0 : soon(call, pause, ...rest);"""


def accuracy_of(weights: Vector, dataset: Dataset) -> float:
    """The digits network in plain numpy, on the whole validation set: nothing of the browser's code."""
    sizes = [64 * 32, 32, 32 * 10, 10]
    kernel1, bias1, kernel2, bias2 = np.split(weights, np.cumsum(sizes)[:-1])
    images = dataset.validation.inputs.reshape(-1, 64).astype(np.float32) / 16
    hidden = np.maximum(images @ kernel1.reshape(64, 32) + bias1, 0)
    scores = hidden @ kernel2.reshape(32, 10) + bias2
    return float(np.mean(scores.argmax(axis=1) == dataset.validation.targets))


def weights_of(stage: LocalStage, run: str, version: int) -> Vector:
    services = stage.services
    entry = services.catalog.ledger_entry(run, version)
    spec = services.runs.describe(run).spec
    return checkpoints.weights_of(services.blobs, spec, entry)


def finished(stage: LocalStage, run: str, tab: Tab, timeout: float = 90.0) -> Evaluation:
    for _ in range(int(timeout / 0.25)):
        if stage.services.catalog.head(run).status is Status.FINISHED:
            break
        tab.page.wait_for_timeout(250)
    newest = stage.services.catalog.latest_evaluation(run)
    assert newest is not None, (tab.events[-5:], tab.failures)
    return newest


@pytest.mark.parametrize("run", [0.95], indirect=True)
def test_two_tabs_train_to_95_percent_and_tell_the_truth(
    stage: LocalStage, run: str, dataset: Dataset, open_tab: Open
) -> None:
    tabs = [open_tab(run, query="&start", prepare=lambda page: page.add_init_script(AWAY)) for _ in range(2)]
    first, second = tabs

    newest = finished(stage, run, first)

    assert newest.accuracy >= 0.95
    assert newest.examples == len(dataset.validation.targets)
    ours = accuracy_of(weights_of(stage, run, newest.version), dataset)
    assert newest.accuracy == pytest.approx(ours, abs=1.5 / newest.examples)
    assert first.wait_for("stopped")
    assert second.wait_for("stopped")
    for tab in tabs:
        expect(tab.page.locator("#status")).to_contain_text("This run is finished.")
        expect(tab.page.locator("#accuracy")).to_have_text(f"{100 * newest.accuracy:.1f} %")
        assert not tab.failures


def test_a_shard_is_never_downloaded_twice_not_even_after_a_reload(run: str, open_tab: Open) -> None:
    tab = open_tab(run, query="&start")
    tab.wait_for("uploaded", 12)
    before = len(tab.of("uploaded"))
    tab.page.reload()
    tab.wait_for("uploaded", before + 6)

    shards = [urlparse(url).path for url in tab.requests if "/shards/" in url]

    assert len(shards) >= 2
    assert len(shards) == len(set(shards))


def test_a_lost_network_is_waited_out_without_a_person(run: str, open_tab: Open) -> None:
    tab = open_tab(run, query="&start")
    tab.wait_for("uploaded", 2)
    tab.page.context.set_offline(True)
    tab.page.wait_for_timeout(3000)
    tab.page.context.set_offline(False)

    before = len(tab.of("uploaded"))

    tab.wait_for("uploaded", before + 2, timeout=60)
    assert not tab.failures


def test_answers_of_503_and_401_are_recovered_from(run: str, open_tab: Open) -> None:
    tab = open_tab(run, query="&start")
    tab.wait_for("uploaded", 2)
    refused: list[int] = []

    def refuse(route: Route) -> None:
        status = 503 if len(refused) < 3 else 401
        refused.append(status)
        if len(refused) > 5:
            route.continue_()
            return
        code = "unavailable" if status == 503 else "unauthorized"
        body = json.dumps({"error": {"code": code, "message": "", "details": {}}})
        route.fulfill(
            status=status, body=body, content_type="application/json", headers={"Access-Control-Allow-Origin": "*"}
        )

    tab.page.context.route("**/tasks", refuse)
    joined = len(tab.of("joined"))
    before = len(tab.of("uploaded"))

    tab.wait_for("uploaded", before + 3, timeout=90)

    assert len(refused) > 5
    assert len(tab.of("joined")) > joined


def test_a_visitor_starts_pauses_and_goes_on(run: str, open_tab: Open) -> None:
    tab = open_tab(run)
    assert tab.events == []
    clients = tab.page.locator("#clients")
    expect(clients).to_have_text("0")
    tab.page.get_by_role("button", name="Start").click()
    assert int(clients.inner_text()) >= 1  # who trains is one of them, though nobody has counted yet
    tab.wait_for("uploaded", 2)
    tab.page.get_by_role("button", name="Pause").click()
    tab.wait_for("paused")
    tab.page.wait_for_timeout(500)
    before = len(tab.of("task"))
    tab.page.wait_for_timeout(1500)

    assert len(tab.of("task")) == before
    tab.page.get_by_role("button", name="Continue").click()
    tab.wait_for("task", before + 2)


def test_the_watcher_shows_the_version_and_the_accuracy(stage: LocalStage, run: str, open_tab: Open) -> None:
    client = open_tab(run, query="&start")
    client.wait_for("evaluated", 2)
    watcher = open_tab(run, address=stage.watcher)

    newest = stage.services.catalog.latest_evaluation(run)

    assert newest is not None
    watcher.page.get_by_text(f"{newest.accuracy * 100:.1f}").first.wait_for(timeout=20_000)
    assert not watcher.failures
