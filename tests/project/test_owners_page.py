"""`docs/owners.md`: its modules run, its tables list every key with what it is left out for, its commands exist."""

import re
import subprocess
from pathlib import Path

import pytest
from folders import a_folder, told, two_sided
from msgspec.structs import fields
from test_data_kinds import TWO_SIDED

from webnn.cli.main import webnn
from webnn.project.sections import KINDS, Stored

PAGE = (Path(__file__).parents[2] / "docs" / "owners.md").read_text()
MODULES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TENSORFLOW = Path(__file__).parents[2] / "build" / "experiments" / "bin" / "python"
CHECK = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from folders import told
print(told(Path(sys.argv[3])))
"""


def test_there_is_a_module_for_each_kind() -> None:
    assert ["tensorflow" in module for module in MODULES] == [False, True, False, False]


@pytest.mark.parametrize("at", [0, 2])
def test_nothing_is_wrong_with_arrays_and_generators(at: int, tmp_path: Path) -> None:
    assert told(a_folder(tmp_path, data=MODULES[at])) == []


def test_nothing_is_wrong_with_a_dataset_of_tensorflow(tmp_path: Path) -> None:
    if not TENSORFLOW.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    here = Path(__file__).parent
    arguments = [str(here), str(here.parents[1]), str(a_folder(tmp_path, data=MODULES[1]))]
    done = subprocess.run([TENSORFLOW, "-c", CHECK, *arguments], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stdout + done.stderr[-2000:]


def test_nothing_is_wrong_with_several_inputs_and_targets(tmp_path: Path) -> None:
    assert told(a_folder(tmp_path, toml=TWO_SIDED, model=two_sided(), data=MODULES[3])) == []


@pytest.mark.parametrize("section", [*KINDS, "data.inputs.NAME"])
def test_every_key_of_a_section_is_in_its_table(section: str) -> None:
    kind = Stored if section.startswith("data.") else KINDS[section]
    after = PAGE.split(f"\n`[{section}]`", 1)[1]
    table = after.split("|---|---|---|\n", 1)[1].split("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(one.encode_name for one in fields(kind))


def test_the_commands_are_there() -> None:
    named = set(re.findall(r"^\$ webnn (\w+)", PAGE, re.MULTILINE))
    assert named == {"new", "validate", "push", "train"}
    assert named <= set(webnn.commands)
