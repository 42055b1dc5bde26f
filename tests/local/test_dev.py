"""`webnn dev` as somebody uses it: one terminal keeps the stage up, another works on it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

COMMAND = [sys.executable, "-c", "from webnn.cli.main import main; main()"]
SECONDS = 60


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """An environment that knows nothing of any engine, and has a state folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WEBNN_"))}
    return {**kept, "WEBNN_STATE": str(tmp_path)}


@pytest.fixture
def running(elsewhere: dict[str, str]) -> Iterator[psutil.Popen]:
    command = [*COMMAND, "dev", "--json"]
    with psutil.Popen(command, env=elsewhere, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        yield started
        if started.poll() is None:
            started.kill()


def typed(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], env=environment, capture_output=True, text=True, check=False)


def test_a_stage_is_up_for_other_commands_until_it_is_told_to_stop(
    running: psutil.Popen, elsewhere: dict[str, str], tmp_path: Path
) -> None:
    ready = json.loads(running.stdout.readline())
    below = running.children(recursive=True)
    assert len(below) > 3
    for address in (ready["page"], ready["watch"], f"{ready['api']}/runs"):
        assert requests.get(address, timeout=30).status_code == 200

    made = json.loads(typed(elsewhere, "create", "digits", "--stage", "local", "--json").stdout)
    assert made["page"] == f"{ready['page']}?run=digits"
    (run,) = json.loads(typed(elsewhere, "list", "--stage", "local", "--json").stdout)
    assert run["run"] == "digits"
    exports = typed(elsewhere, "dev", "--env").stdout
    assert f"export AWS_ENDPOINT_URL={ready['endpoint']}\n" in exports
    second = typed(elsewhere, "dev")
    assert (second.returncode, second.stderr.startswith("Error: `webnn dev` runs already (process ")) == (1, True)

    running.send_signal(signal.SIGTERM)
    output, errors = running.communicate(timeout=SECONDS)
    assert (running.returncode, output) == (0, ""), errors
    assert [one for one in below if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    assert [path.name for path in tmp_path.iterdir()] == ["local.lock"]
    assert typed(elsewhere, "list", "--stage", "local").stderr.startswith("Error: ")


def test_a_stage_that_is_stopped_while_it_comes_up_ends_well_too(running: psutil.Popen, tmp_path: Path) -> None:
    while not (tmp_path / "local.lock").exists():
        assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    _, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 0, errors


def test_a_stage_that_loses_a_part_says_so_and_ends(running: psutil.Popen, tmp_path: Path) -> None:
    running.stdout.readline()
    (pump,) = [one for one in running.children(recursive=True) if one.cmdline()[-1:] == ["webnn.local.pump"]][-1:]
    pump.kill()
    _, errors = running.communicate(timeout=SECONDS)
    assert running.returncode == 1
    assert "Error: the pump ended" in errors
    assert [path.name for path in tmp_path.iterdir()] == ["local.lock"]
