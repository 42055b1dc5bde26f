"""An app that WebNN is mounted in, served on this machine as `webnn dev --app` does, with clients without a browser."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests

from webnn.cutting import of_dataset
from webnn.datasets import digits
from webnn.local.stage import CHECKOUT, App, LocalStage, local_stage
from webnn.publish import publish

SEED = 7
SECONDS = 120
DOCUMENT = (CHECKOUT / "examples" / "digits" / "spec.json").read_text()


@pytest.fixture(scope="module")
def library() -> Iterator[LocalStage]:
    with local_stage(lambda _step: None, App(CHECKOUT / "examples" / "embedded_app", "/training")) as running:
        yield running


def start(stage: LocalStage, run: str, document: dict[str, Any]) -> None:
    random = np.random.default_rng(SEED)
    publish(stage.services.runs, run, document, of_dataset(document, digits(random)), random)


def client(stage: LocalStage, run: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and events of a client that takes part until it is over, one way or the other."""
    command = ["node", str(CHECKOUT / "web" / "dist" / "node-client.mjs"), "--api", stage.api, "--run", run]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]


def test_the_apps_own_routes_answer_beside_webnns(library: LocalStage) -> None:
    own = library.api.removesuffix("/training")
    assert "9780140449136" in requests.get(f"{own}/books", timeout=30).json()
    assert requests.get(f"{library.api}/runs", timeout=30).json() == {"runs": []}


def test_a_client_trains_through_it_to_the_end(library: LocalStage) -> None:
    start(library, "digits", json.loads(DOCUMENT) | {"end": {"versions": 2}})
    code, events = client(library, "digits")
    assert code == 0
    settled = [event["state"] for event in events if event["type"] == "settled"]
    assert settled.count("merged") >= 2
    assert library.services.catalog.head("digits").version >= 2
    assert library.services.failures.look("digits").alike == ()


def test_a_model_that_no_page_can_build_is_told_to_its_owner_by_the_client_that_found_out(library: LocalStage) -> None:
    start(library, "unknown", json.loads(DOCUMENT.replace('"relu"', '"fancy"')))
    code, events = client(library, "unknown")
    (error,) = [event for event in events if event["type"] == "error"]
    assert (code, error["fatal"]) == (1, True)
    found = library.services.failures.look("unknown")
    assert found.clients == 1
    assert (found.alike[0].code, found.alike[0].version) == (error["code"], 0)
    assert "fancy" in found.alike[0].message, found
