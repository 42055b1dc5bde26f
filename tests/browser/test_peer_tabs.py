"""Headless tabs that are peers: each trains weights of its own and merges the other's."""

import json
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from tabs import Tab

from webnn.core.records import Status
from webnn.cutting import of_dataset
from webnn.datasets import Dataset
from webnn.errors import Missing
from webnn.local.stage import CHECKOUT, LocalStage
from webnn.publish import publish

pytestmark = pytest.mark.browser

SECONDS = 120


def published(stage: LocalStage, dataset: Dataset, rule: str, accuracy: float) -> str:
    name, random = f"peers-{rule}", np.random.default_rng(7)
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    document |= {"merge": {"where": "peer", "rule": {"name": rule}}, "end": {"accuracy": accuracy}}
    document["training"]["learning_rate"] = 0.3
    document["data"]["own"] = "never"  # what peers learn from data of their own is not for each other's eyes
    publish(stage.services.runs, name, document, of_dataset(document, dataset), random)
    return name


@pytest.mark.parametrize(("rule", "accuracy"), [("average", 0.93), ("weighted", 0.93), ("copy", 0.9)])
def test_two_peers_learn_from_each_other(
    stage: LocalStage, dataset: Dataset, open_tab: Callable[..., Tab], rule: str, accuracy: float
) -> None:
    run = published(stage, dataset, rule, accuracy)
    tabs = [open_tab(run, query="&start") for _ in range(2)]
    for _ in range(SECONDS * 4):
        if stage.services.catalog.head(run).status is Status.FINISHED:
            break
        tabs[0].page.wait_for_timeout(250)
    newest = stage.services.catalog.latest_evaluation(run)
    assert newest is not None
    assert newest.accuracy >= accuracy, [tab.events[-3:] for tab in tabs]
    for tab in tabs:
        assert len(tab.of("met")) > 3
        assert not tab.failures
    updates = [line for entry in stage.services.catalog.ledger(run, 0, 1000) for line in entry.updates]
    assert {line.base_version for line in updates} == {0}
    replayed = [found.entry.version for found in stage.services.replay.replay(run)]
    assert replayed[-1] == stage.services.catalog.head(run).version


def test_no_update_was_given_to_its_own_client_or_to_two(stage: LocalStage) -> None:
    """All that the runs above left behind."""
    given = []
    for rule in ("average", "weighted", "copy"):
        run, catalog = f"peers-{rule}", stage.services.catalog
        for entry in catalog.ledger(run, 0, 1000):
            for line in entry.updates:
                with suppress(Missing):  # the run ended before its client asked
                    exchange = catalog.exchange(run, line.update_id)
                    assert exchange.received_from != exchange.client_id
                    given += [exchange.received] if exchange.received else []
    assert len(given) == len(set(given)) > 10
