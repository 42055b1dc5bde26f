"""An app that has other things to do, with WebNN mounted in it: put into LocalStack by its own `chalice deploy`, and
trained through at its own address."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deployed
import pytest
import requests
from deployed import told
from stages import CHECKOUT

from localstack.clients import Clients
from webnn.local.engine import Engine

STAGE, APP_STAGE = "library", "dev"
SECONDS = 120

pytestmark = pytest.mark.localstack


@dataclass(frozen=True)
class Library:
    """`examples/embedded_app`, deployed."""

    engine: Engine
    checkout: Path
    address: str
    page: str
    http: requests.Session

    @property
    def api(self) -> str:
        """WebNN's, under the prefix that the app gives it."""
        return f"{self.address}/training"

    def webnn(self, *words: str) -> str:
        return told(deployed.webnn(self.engine, self.checkout, *words, "--stage", STAGE))

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.http.get(self.address + path, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def library(localstack: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """As docs/embedding.md goes about it."""
    checkout = deployed.copied_checkout(tmp_path_factory.mktemp("checkout"))
    folder = checkout / "examples" / "embedded_app"
    stage = ("--stage", STAGE)
    told(deployed.webnn(localstack, checkout, "deploy", "--only", "infrastructure", *stage))
    told(deployed.webnn(localstack, checkout, "policies", str(folder), *stage, "--app-stage", APP_STAGE))
    chalice = str(Path(sys.executable).with_name("chalice"))
    told(deployed.ran(localstack, folder, {}, chalice, "deploy", "--stage", APP_STAGE))
    record = json.loads((folder / ".chalice" / "deployed" / f"{APP_STAGE}.json").read_text())
    (rest_api,) = [one["rest_api_id"] for one in record["resources"] if one["resource_type"] == "rest_api"]
    address = f"{localstack.url}/_aws/execute-api/{rest_api}/api"
    site = deployed.webnn(localstack, checkout, "deploy", "--only", "site", "--api", f"{address}/training/", *stage,
                          "--json")  # fmt: skip
    with requests.Session() as http:
        http.trust_env = False
        yield Library(localstack, checkout, address, json.loads(told(site))["page"], http)


def test_a_node_client_trains_through_it_and_a_version_is_merged(library: Library) -> None:
    library.webnn("create", "digits")

    merged = first_merged(library.api, "digits")

    assert merged["state"] == "merged"
    assert library.get("/training/runs/digits").json()["head"]["version"] >= merged["version"] >= 1
    assert json.loads(library.webnn("status", "digits", "--json"))["head"]["version"] >= 1


def test_the_functions_are_named_by_the_app(library: Library, localstack_clients: Clients) -> None:
    found = localstack_clients("lambda").list_functions()["Functions"]
    names = {one["FunctionName"] for one in found if one["FunctionName"].startswith("library-")}
    # Chalice has a function for an authorizer, too.
    assert names == {f"library-dev{rest}" for rest in ("", "-remind", "-readers", "-webnn_merge", "-webnn_sweep")}


def test_its_own_routes_are_as_they_were(library: Library) -> None:
    assert library.get("/books").json()["9780140449136"] == "The Odyssey"
    lost = library.get("/books/0")
    assert (lost.status_code, lost.json()) == (404, {"Code": "NotFoundError", "Message": "no book 0"})
    assert library.get("/loans", Authorization="ticket 7").json() == ["9780140449136"]


def test_the_page_is_told_where_the_api_is(library: Library) -> None:
    config = library.http.get(library.page.replace("index.html", "config.json"), timeout=30)
    assert config.json() == {"api": library.api, "stage": STAGE}


def first_merged(api: str, run: str) -> dict[str, Any]:
    """Lets a client without a browser take part until an update of its own is settled."""
    command = ["node", str(CHECKOUT / "web" / "dist" / "node-client.mjs"), "--api", api, "--run", run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
        too_long = threading.Timer(SECONDS, client.kill)
        too_long.start()
        lines = []
        assert client.stdout is not None
        for line in client.stdout:
            lines.append(line)
            if (event := json.loads(line))["type"] == "settled":
                client.terminate()
                too_long.cancel()
                found: dict[str, Any] = event
                return found
    raise AssertionError("".join(lines[-20:]))
