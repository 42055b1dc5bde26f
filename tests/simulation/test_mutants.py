"""The simulation bites: every bug of `mutants.py` breaks a promise in one of the first lives."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mutants import MUTANTS, Mutant

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
LAST, SECONDS = 7999, 600  # on a machine that is busy with other tests


def lived(package: Path, first: int) -> subprocess.CompletedProcess[str]:
    """Lives with the package that lies in this folder, from this seed on."""
    path = os.pathsep.join(map(str, (package, HERE.parent, HERE)))
    command = [sys.executable, str(HERE / "lives.py"), f"{first}-{LAST}"]
    return subprocess.run(
        command, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=SECONDS
    )


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_bug_breaks_a_promise(mutant: Mutant, tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "webnn", tmp_path / "webnn", ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "webnn" / mutant.module
    source = module.read_text()
    assert source.count(mutant.line) == 1, "the line is no longer there: see to the mutant"
    module.write_text(source.replace(mutant.line, mutant.becomes))
    found = lived(tmp_path, mutant.first)
    assert found.returncode == 1, "survived"
    assert "breaks a promise" in found.stdout


def test_there_are_enough_of_them() -> None:
    assert len({mutant.name for mutant in MUTANTS}) >= 12
