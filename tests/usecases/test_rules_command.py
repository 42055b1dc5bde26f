"""`webnn rules`, and the document that says the same."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from webnn.cli.main import webnn

DOCUMENT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
PLUGIN = """
from typing import ClassVar
from webnn.core.merge import mix
from webnn.core.bases import Mixing

class Elastic(Mixing, frozen=True, tag_field="name", tag="{tag}", forbid_unknown_fields=True):
    \"\"\"W <- W + pull * (W_p - W).\"\"\"

    use: ClassVar[str] = "a test"
    pull: float

    def fold(self, into, update, how, step):
        mix(into.weights, update.base, update.delta, self.pull)
"""


def shown(*arguments: str) -> Any:
    found = CliRunner().invoke(webnn, ["rules", "--json", *arguments])
    assert found.exit_code == 0
    return json.loads(found.stdout)


def test_every_one_says_what_it_does_and_when_to_use_it() -> None:
    for one in shown():
        assert one["does"].rstrip(".")
        assert one["use"]


def test_the_table_names_every_one() -> None:
    found = CliRunner(env={"COLUMNS": "200"}).invoke(webnn, ["rules"]).stdout
    assert [one["name"] for one in shown() if f" {one['name']} " not in found] == []


@pytest.mark.parametrize("one", shown(), ids=lambda one: f"{one['kind']}-{one['name']}")
def test_the_document_has_a_row_for_it_with_all_its_parameters_and_defaults(one: dict[str, Any]) -> None:
    section = re.search(rf"^## `{one['kind']}`$(.*?)(?=^## )", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert section
    rows = [line.split(" | ")[1] for line in section[1].splitlines() if line.startswith(f"| `{one['name']}` | ")]
    assert len(rows) == 1
    for name, default in one["parameters"].items():
        value = f"`{default['name']}`" if isinstance(default, dict) else str(default)
        assert re.search(rf"`{name}`[^,;]* {re.escape(value)}", rows[0]), f"{name} {value} in {rows[0]}"


def installed(folder: Path, tag: str, target: str = "elastic_rule:Elastic") -> None:
    (folder / "elastic_rule.py").write_text(PLUGIN.format(tag=tag))
    information = folder / "elastic_rule-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: elastic-rule\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[webnn.rules]\nelastic = {target}\n")


MISFITS = {  # what a class may lack, and what is said of it
    "the field of the tag": ('tag_field="name", ', "", "tag_field"),
    "a type that can be decoded": ("pull: float", "pull: complex.conjugate", "left out"),
    "a type that is there": ("pull: float", 'pull: "Gone"', "Gone"),
    "a way to fold": ("def fold(", "def unfold(", "lacks fold"),
    "fields with names": ("frozen=True, ", "frozen=True, array_like=True, ", "array_like"),
}


@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS)
def test_a_class_that_does_not_fit_harms_no_other_run(tmp_path: Path, misfit: tuple[str, str, str]) -> None:
    installed(tmp_path, "elastic")
    there, instead, says = misfit
    module = tmp_path / "elastic_rule.py"
    assert there in module.read_text()
    module.write_text(module.read_text().replace(there, instead))
    found = run(tmp_path, "from webnn.core.spec import Spec; import msgspec; msgspec.json.Decoder(Spec); print('fine')")
    assert found.stdout == "fine\n"
    assert re.search(says, found.stderr)
    assert len(found.stderr.splitlines()) == 1


def test_a_module_that_exits_harms_no_other_run(tmp_path: Path) -> None:
    installed(tmp_path, "elastic")
    (tmp_path / "elastic_rule.py").write_text("raise SystemExit(3)")
    assert run(tmp_path, "from webnn.core.spec import Spec; print('fine')").stdout == "fine\n"


def test_a_rules_module_may_be_imported_before_ours(tmp_path: Path) -> None:
    installed(tmp_path, "elastic")
    assert run(tmp_path, f"import elastic_rule\n{CHOOSE}").stdout == "elastic 0.25\n"


def test_parameters_that_a_rule_refuses_in_its_own_way_make_the_spec_invalid(tmp_path: Path) -> None:
    installed(tmp_path, "elastic")
    module = tmp_path / "elastic_rule.py"
    module.write_text(module.read_text() + "\n    def __post_init__(self):\n        raise KeyError('pull')\n")
    parse = """
from webnn.core import spec
from webnn.errors import Invalid
try:
    spec.parse(b'{"merge": {"rule": {"name": "elastic", "pull": 1.0}}, "modelTopology": {}, "weightsManifest": []}')
except Invalid as error:
    print(error.message)
"""
    assert run(tmp_path, parse).stdout == "the spec is wrong: 'pull'\n"


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )


CHOOSE = """
import msgspec
from webnn.core.recipe import Recipe
recipe = msgspec.convert({"rule": {"name": "elastic", "pull": 0.25}}, Recipe)
assert msgspec.convert(msgspec.to_builtins(recipe), Recipe) == recipe
print(recipe.name, recipe.rule.pull)
"""


def test_a_rule_of_another_package_is_chosen_by_its_name(tmp_path: Path) -> None:
    installed(tmp_path, "elastic")
    assert run(tmp_path, CHOOSE).stdout == "elastic 0.25\n"
    listed = run(tmp_path, "from webnn.cli.main import webnn; webnn(['rules', '--json'])")
    found = {one["name"]: one for one in json.loads(listed.stdout)}
    assert found["elastic"]["parameters"] == {"pull": None}


@pytest.mark.parametrize(
    ("tag", "target", "says"),
    [
        ("average", "elastic_rule:Elastic", "there is a 'average' already"),
        ("elastic", "elastic_rule:Gone", "is left out"),
        ("elastic", "not_there:Elastic", "No module named 'not_there'"),
        ("elastic", "elastic_rule:mix", "is left out"),
    ],
)
def test_one_that_cannot_be_had_is_left_out_and_said_and_harms_nobody(
    tmp_path: Path, tag: str, target: str, says: str
) -> None:
    installed(tmp_path, tag, target)
    found = run(tmp_path, "from webnn.core.rules import Average; from webnn.core.spec import Spec; print('fine')")
    assert found.stdout == "fine\n"
    assert says in found.stderr
    refused = run(tmp_path, CHOOSE)
    assert "Invalid value 'elastic'" in refused.stderr
