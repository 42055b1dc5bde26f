"""A stage that `webnn deploy` put into LocalStack, and how to speak to it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from webnn.local.engine import Engine

CHECKOUT = Path(__file__).resolve().parents[1]
COPIED = ("app.py", "requirements.txt", "webnn", "vendor", "infra", "examples", ".chalice")
STAGE = "localstack"


@dataclass(frozen=True)
class Deployment:
    """A deployed stage.

    Attributes:
        checkout: The copy that it was deployed from: Chalice records what it deployed beside its configuration.
    """

    engine: Engine
    checkout: Path
    api: str
    page: str
    http: requests.Session

    def post(self, path: str, body: Any, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.post(self.api + path, json=body, headers=headers, timeout=60)

    def get(self, path: str, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.get(self.api + path, headers=headers, timeout=60)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Runs the `webnn` command for this stage."""
        return webnn(self.engine, self.checkout, *words, "--stage", STAGE)

    def clear(self) -> None:
        """Deletes all runs, as their owner would: those that tests before left there."""
        for run in json.loads(told(self.command("list", "--json"))):
            told(self.command("delete", run["run"], "--yes"))


def copied_checkout(folder: Path) -> Path:
    """A copy to deploy from."""
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


@contextmanager
def deployed(engine: Engine, checkout: Path) -> Iterator[Deployment]:
    """Deploys the stage from a copy of the checkout."""
    found = json.loads(told(webnn(engine, checkout, "deploy", "--json", "--stage", STAGE)).splitlines()[-1])
    with requests.Session() as http:
        http.trust_env = False
        yield Deployment(engine, checkout, found["api"], found["page"], http)


def announcement(delta: bytes, base_version: int = 0) -> dict[str, Any]:
    """What the API is told of an update."""
    return {
        "base_version": base_version,
        "generation": 0,
        "local_steps": 4,
        "examples": 128,
        "bytes": len(delta),
        "sha256": hashlib.sha256(delta).hexdigest(),
        "encoding": "float32",
    }


def webnn(engine: Engine, checkout: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Runs the `webnn` command of a copy."""
    command = [sys.executable, "-c", "from webnn.cli.main import main; main()"]
    return ran(engine, checkout, {"PYTHONPATH": str(checkout)}, *command, *words)


def told(result: "subprocess.CompletedProcess[str]") -> str:
    """What a command printed that did what it should."""
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def ran(engine: Engine, folder: Path, variables: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command that speaks to the engine."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        words,
        cwd=folder,
        env={**kept, **engine.environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
