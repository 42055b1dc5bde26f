"""The whole road on a real deployment: `webnn deploy` puts the functions into LocalStack, and an update travels
through the deployed API, S3, SQS and the merge function to a new head."""

import hashlib
import time
from typing import Any

import numpy as np
import pytest
from deployed import Deployment, announcement, told

MERGE_SECONDS = 60

pytestmark = pytest.mark.localstack


@pytest.fixture(scope="module", autouse=True)
def _digits(deployment: Deployment) -> None:
    told(deployment.command("create", "digits"))


def test_an_update_travels_from_the_deployed_api_to_a_new_head(deployment: Deployment) -> None:
    joined = deployment.post("/runs/digits/clients", {})
    assert joined.status_code == 201, joined.text
    token = joined.json()["token"]
    task = deployment.post("/runs/digits/tasks", {}, token).json()
    base = deployment.http.get(task["checkpoint"]["url"], timeout=30).content
    assert hashlib.sha256(base).hexdigest() == task["checkpoint"]["sha256"]

    delta = np.full(len(base) // 4, 0.25, "<f4").tobytes()
    announced = deployment.post("/runs/digits/updates", announcement(delta), token)
    assert announced.status_code == 201, announced.text
    ticket = announced.json()
    uploaded = deployment.http.post(
        ticket["upload"]["url"], data=ticket["upload"]["fields"], files={"file": delta}, timeout=30
    )
    assert uploaded.status_code in (201, 204), uploaded.text

    update = await_settled(deployment, f"/runs/digits/updates/{ticket['update_id']}", token)

    assert (update["state"], update["version"], update["staleness"]) == ("merged", 1, 0)
    assert deployment.get("/runs/digits").json()["head"]["version"] == 1
    another = deployment.post("/runs/digits/clients", {}).json()["token"]  # the first is still asked to evaluate
    later = deployment.post("/runs/digits/tasks", {}, another).json()
    merged = deployment.http.get(later["checkpoint"]["url"], timeout=30).content
    # Under rule auto the first of all updates counts as that of one client among 4.
    moved = np.frombuffer(merged, "<f4") - np.frombuffer(base, "<f4")
    np.testing.assert_allclose(moved, 0.25 * (4 / 7) ** (1 / 3) / 4, atol=1e-6)


def test_an_upload_of_other_bytes_never_reaches_the_head(deployment: Deployment) -> None:
    token = deployment.post("/runs/digits/clients", {}).json()["token"]
    before = deployment.get("/runs/digits").json()["head"]
    size = deployment.http.get(_checkpoint(deployment, token), timeout=30).content
    announced, sent = np.zeros(len(size) // 4, "<f4").tobytes(), np.ones(len(size) // 4, "<f4").tobytes()
    ticket = deployment.post("/runs/digits/updates", announcement(announced, before["version"]), token).json()

    uploaded = deployment.http.post(
        ticket["upload"]["url"], data=ticket["upload"]["fields"], files={"file": sent}, timeout=30
    )

    # Storage refuses a body with another checksum; where an engine does not look, the merge function does.
    if uploaded.status_code in (201, 204):
        update = await_settled(deployment, f"/runs/digits/updates/{ticket['update_id']}", token)
        assert update["state"] == "rejected"
        assert "SHA-256" in update["reason"]
    assert deployment.get("/runs/digits").json()["head"] == before


def test_the_page_is_served_from_the_site_bucket(deployment: Deployment) -> None:
    page = deployment.http.get(deployment.page, timeout=30)
    config = deployment.http.get(deployment.page.replace("index.html", "config.json"), timeout=30)

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert config.json() == {"api": deployment.api, "stage": "localstack"}


def await_settled(deployment: Deployment, path: str, token: str) -> dict[str, Any]:
    """Polls an update until it is settled."""
    end = time.monotonic() + MERGE_SECONDS
    update: dict[str, Any] = {}
    while time.monotonic() < end:
        update = deployment.get(path, token).json()
        if update["state"] != "pending":
            return update
        time.sleep(0.5)
    raise AssertionError(f"still pending after {MERGE_SECONDS} s: {update}")


def _checkpoint(deployment: Deployment, token: str) -> str:
    url: str = deployment.post("/runs/digits/tasks", {}, token).json()["checkpoint"]["url"]
    return url
