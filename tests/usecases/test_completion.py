"""Completion as a shell does it: the printed script, sourced by a real bash, asked what may follow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from samples import a_spec, a_world
from stages import Stage

from webnn import census
from webnn.cli.completion import SHELLS
from webnn.cli.main import webnn
from webnn.core import spec as specs
from webnn.wiring import assemble

ASK = """
eval "$SCRIPT"
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_webnn_completion webnn
printf '%s\\n' "${COMPREPLY[@]}"
"""


def followers(variables: dict[str, str], *words: str) -> list[str]:
    """What bash offers in the place of the last of the words, which was begun."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash on this machine")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WEBNN_"))}
    kept["SCRIPT"] = CliRunner().invoke(webnn, ["completion", "bash"]).stdout
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    shown = subprocess.run(
        [bash, "-c", ASK, "bash", "webnn", *words], env=kept | variables, capture_output=True, text=True, check=True
    )
    assert shown.stderr == ""
    return shown.stdout.split()


def test_commands_options_and_stages_are_completed() -> None:
    assert followers({}, "re") == ["redrive", "replay", "reset", "retrain"]
    assert followers({}, "status", "--stage", "lo") == ["local", "localstack"]


def test_names_of_runs_are_completed_from_the_stage_that_was_typed(
    embedded_stage: Stage, run_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in embedded_stage.variables.items():
        monkeypatch.setenv(variable, value)
    catalog, blobs = embedded_stage.make()
    runs = assemble(catalog, blobs, "secret" * 10, lambda _: None).runs
    for name in (f"{run_name}-cats", f"{run_name}-dogs", f"other-{run_name}"):
        runs.start(name, "", "", specs.encode(a_spec()), np.zeros(3, np.float32))
    asked = ("pause", "--stage", "local", f"{run_name}-")
    variables = {**embedded_stage.variables, "WEBNN_COMPLETION_SECONDS": "60"}
    assert sorted(followers(variables, *asked)) == [f"{run_name}-cats", f"{run_name}-dogs"]


def test_not_the_newest_runs_alone_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "PAGE", 2)
    world = a_world()
    names = [f"run-{number}" for number in range(5)]
    for name in names:
        world.services.runs.start(name, "", "", specs.encode(a_spec()), np.zeros(3, np.float32))
    assert set(census.all_runs(world.catalog)) >= set(names)


def test_where_no_stage_can_be_reached_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    assert followers({"WEBNN_STATE": str(tmp_path)}, "pause", "--stage", "local", "") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str) -> None:
    shown = CliRunner().invoke(webnn, ["completion", shell])
    assert shown.exit_code == 0
    assert f"_WEBNN_COMPLETE={shell}_complete" in shown.stdout
