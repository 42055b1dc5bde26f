"""The whole road on a real deployment: `webnn deploy` puts the functions into LocalStack, and an update travels
through the deployed API, S3, SQS and the merge function to a new head."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

CHECKOUT = Path(__file__).resolve().parents[2]
COPIED = ("app.py", "requirements.txt", "webnn", "vendor", "infra", "examples", ".chalice")
MERGE_SECONDS = 60

pytestmark = pytest.mark.localstack


@dataclass(frozen=True)
class Deployment:
    """A deployed stage, and how to speak to it."""

    api: str
    page: str
    http: requests.Session

    def post(self, path: str, body: Any, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.post(self.api + path, json=body, headers=headers, timeout=60)

    def get(self, path: str, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.get(self.api + path, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to deploy from: Chalice records what it deployed beside its configuration."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        if (CHECKOUT / name).is_dir():
            shutil.copytree(
                CHECKOUT / name,
                folder / name,
                symlinks=True,
                ignore=shutil.ignore_patterns("__pycache__", "deployed", "deployments"),
            )
        else:
            shutil.copy(CHECKOUT / name, folder / name)
    (folder / "web" / "dist").mkdir(parents=True)
    (folder / "web" / "dist" / "index.html").write_text("<!doctype html><title>WebNN</title>")
    return folder


@pytest.fixture(scope="module")
def deployment(localstack: Any, checkout: Path) -> Iterator[Deployment]:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        **localstack.environment(),
        "PYTHONPATH": str(checkout),
    }
    webnn = [sys.executable, "-c", "from webnn.cli.main import main; main()"]
    deployed = subprocess.run(
        [*webnn, "deploy", "--stage", "localstack", "--json"],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    created = subprocess.run(
        [*webnn, "create", "digits", "--stage", "localstack"],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert created.returncode == 0, created.stdout + created.stderr
    found = json.loads(deployed.stdout.splitlines()[-1])
    with requests.Session() as http:
        http.trust_env = False
        yield Deployment(found["api"], found["page"], http)


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
    np.testing.assert_array_equal(np.frombuffer(merged, "<f4"), np.frombuffer(base, "<f4") + np.float32(0.25))


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


def announcement(delta: bytes, base_version: int = 0) -> dict[str, Any]:
    return {
        "base_version": base_version,
        "generation": 0,
        "local_steps": 4,
        "examples": 128,
        "bytes": len(delta),
        "sha256": hashlib.sha256(delta).hexdigest(),
        "encoding": "float32",
    }


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
