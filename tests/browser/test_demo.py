"""`webnn demo` as a stranger runs it, unattended."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.browser

MEMBERS = {"run", "accuracy", "version", "updates", "clients", "seconds", "bytes_up", "bytes_down"}


def test_the_demo_ends_by_itself_with_one_line_of_json_and_leaves_nothing_running() -> None:
    command = [str(Path(sys.executable).with_name("webnn")), "demo", "--clients", "2", "--until", "0.9", "--json"]
    before = {process.pid for process in psutil.process_iter()}

    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    result = json.loads(lines[0])
    assert set(result) == MEMBERS
    assert result["accuracy"] >= 0.9
    assert result["clients"] == 2
    assert result["updates"] >= result["version"] > 0
    assert result["bytes_up"] > 0
    assert result["bytes_down"] > 0
    assert _left_running(before) == []


def _left_running(before: set[int]) -> list[str]:
    names = ("chromium", "chalice", "engine_process", "webnn.local", "node-client")
    left = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if process.pid not in before and any(name in line for name in names):
            left.append(line)
    return left
