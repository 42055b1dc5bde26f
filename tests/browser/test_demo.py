"""`webnn demo` as a stranger runs it, unattended."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.browser

DEMO_SECONDS = 180
MEMBERS = {"run", "accuracy", "version", "updates", "clients", "seconds", "bytes_up", "bytes_down"}


def test_the_demo_ends_by_itself_with_one_line_of_json_and_leaves_nothing_running() -> None:
    result = run_demo("2", os.environ)
    assert result["clients"] == 2


def test_without_a_browser_the_demo_trains_in_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node is not None
    (tmp_path / "node").symlink_to(node)
    result = run_demo("1", {**os.environ, "PATH": str(tmp_path)})
    assert result["clients"] == 1


def run_demo(clients: str, environment: Mapping[str, str]) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("webnn")), "demo", "--clients", clients, "--until", "0.9", "--json"]
    with psutil.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        started = _watch_children(demo)
        output, errors = demo.communicate(timeout=30)

    assert demo.returncode == 0, errors
    (line,) = output.splitlines()
    result: dict[str, Any] = json.loads(line)
    assert set(result) == MEMBERS
    assert result["accuracy"] >= 0.9
    assert result["updates"] >= result["version"] > 0
    assert result["bytes_up"] > 0
    assert result["bytes_down"] > 0
    assert len(started) > 5  # engine, API, pump and clients, each with its leash
    assert [process for process in started if _runs(process)] == []
    return result


def _watch_children(demo: psutil.Popen) -> set[psutil.Process]:
    """Every process the demo ever had below it, looked for until it ends."""
    seen: set[psutil.Process] = set()
    end = time.monotonic() + DEMO_SECONDS
    while demo.poll() is None and time.monotonic() < end:
        seen |= set(demo.children(recursive=True))
        time.sleep(0.2)
    return seen


def _runs(process: psutil.Process) -> bool:
    """A zombie has ended; that nobody asked for its status is the system's affair."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
