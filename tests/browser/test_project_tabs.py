"""An owner's folder in a browser: what `webnn push` made of it trains, several inputs and targets included."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tabs import Tab

from webnn.core.records import Evaluation, Status
from webnn.local.stage import LocalStage
from webnn.project.folder import check, read
from webnn.project.push import push, set_running
from webnn.project.template import scaffold

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]

MODEL = """
{"modelTopology": {"class_name": "Functional", "config": {"name": "sides", "layers": [
  {"class_name": "InputLayer", "name": "left", "inbound_nodes": [],
   "config": {"name": "left", "batch_input_shape": [null, 2], "dtype": "float32", "sparse": false}},
  {"class_name": "InputLayer", "name": "right", "inbound_nodes": [],
   "config": {"name": "right", "batch_input_shape": [null, 1], "dtype": "float32", "sparse": false}},
  {"class_name": "Concatenate", "name": "both", "config": {"name": "both", "axis": -1},
   "inbound_nodes": [[["left", 0, 0, {}], ["right", 0, 0, {}]]]},
  {"class_name": "Dense", "name": "kind", "inbound_nodes": [[["both", 0, 0, {}]]],
   "config": {"name": "kind", "trainable": true, "units": 3, "activation": "softmax", "use_bias": true}},
  {"class_name": "Dense", "name": "sign", "inbound_nodes": [[["both", 0, 0, {}]]],
   "config": {"name": "sign", "trainable": true, "units": 2, "activation": "softmax", "use_bias": true}}
 ], "input_layers": [["left", 0, 0], ["right", 0, 0]], "output_layers": [["kind", 0, 0], ["sign", 0, 0]]}},
 "weightsManifest": [{"paths": [], "weights": [
  {"name": "kind/kernel", "shape": [3, 3], "dtype": "float32"}, {"name": "kind/bias", "shape": [3], "dtype": "float32"},
  {"name": "sign/kernel", "shape": [3, 2], "dtype": "float32"}, {"name": "sign/bias", "shape": [2], "dtype": "float32"}
 ]}]}
"""
TOML = """
[data.inputs.right]
[data.inputs.left]
store = "uint8"
min = -4
scale = 0.03125

[data.targets.sign]
dtype = "int32"
store = "uint8"
[data.targets.kind]
dtype = "int32"
store = "uint8"

[training]
batch_size = 16
decay = { factor = 0.9, every_versions = 10 }

[validation]
every_seconds = 1

[end]
"""
DATA = """
import numpy as np

def made_up(count, seed):
    random = np.random.default_rng(seed)
    for _ in range(count):
        kind, sign = random.integers(0, 3, 100), random.integers(0, 2, 100)
        left = np.stack([kind == 0, kind == 1], axis=1) * 2.0 + random.normal(0, 0.1, (100, 2))
        yield {"left": left, "right": sign[:, None] * 2.0 - 1}, (kind, sign)

def train():
    return made_up(20, 1)

def validation():
    return made_up(3, 2)
"""


def started(stage: LocalStage, parent: Path, end: str) -> str:
    """The name of a run of a functional model of two inputs and two outputs."""
    folder = parent / f"sides-{end.split(maxsplit=1)[0]}"
    scaffold(folder, "blank")
    (folder / "model.json").write_text(MODEL)
    # Targets given as a tuple come in the order of the tables, which is the model's if their names are its layers'.
    (folder / "webnn.toml").write_text(f"{TOML}{end}\n")
    (folder / "data.py").write_text(DATA)
    project = read(folder)
    check(project)
    push(project, stage.services.runs, "local", lambda _: None)
    set_running(stage.services.catalog, project.name)
    return project.name


def await_end(stage: LocalStage, run: str, tab: Tab) -> list[Evaluation]:
    for _ in range(240):
        if stage.services.catalog.head(run).status is Status.FINISHED:
            break
        tab.page.wait_for_timeout(250)
    assert stage.services.catalog.head(run).status is Status.FINISHED, (tab.of("evaluated")[-2:], tab.of("error"))
    return stage.services.catalog.evaluations(run, -1, 100)


def test_two_inputs_and_two_targets_are_learnt_while_the_learning_rate_falls(
    stage: LocalStage, open_tab: Open, tmp_path: Path
) -> None:
    run = started(stage, tmp_path, "accuracy = 0.95")
    tab = open_tab(run, query="&start")
    evaluations = await_end(stage, run, tab)
    assert evaluations[-1].accuracy >= 0.95
    assert evaluations[-1].examples == 300
    assert tab.wait_for("stopped")
    assert not tab.failures


def test_a_run_ends_when_its_time_is_up(stage: LocalStage, open_tab: Open, tmp_path: Path) -> None:
    run = started(stage, tmp_path, "seconds = 4")
    tab = open_tab(run, query="&start")
    evaluations = await_end(stage, run, tab)
    assert len(evaluations) >= 2
    assert tab.wait_for("stopped")
    assert not tab.failures
