"""The commands about a folder, on a stage of the embedded engine."""

import json
import threading
from pathlib import Path
from typing import Any

import click.testing
import pytest
from folders import a_folder
from rich.console import Console
from samples import a_world
from stages import Stage

from webnn import wiring
from webnn.cli.follow import follow
from webnn.cli.main import webnn
from webnn.clients import Evaluate
from webnn.core.records import Status
from webnn.errors import Conflict, Invalid, Unavailable
from webnn.evaluations import Report
from webnn.runs import Description
from webnn.wiring import Services


def run(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(webnn, arguments)


def last_line(result: click.testing.Result) -> Any:
    (line,) = result.stdout.splitlines()
    return json.loads(line)


@pytest.fixture
def stage(embedded_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    for name, value in embedded_stage.variables.items():
        monkeypatch.setenv(name, value)
    return embedded_stage


@pytest.fixture
def services(stage: Stage) -> Services:
    assert stage.settings is not None
    return wiring.services_of(stage.settings)


def named(folder: Path, name: str) -> Path:
    """The same folder, with a name for its run that no other test uses."""
    toml = (folder / "webnn.toml").read_text()
    (folder / "webnn.toml").write_text(toml.replace('# name = "blank"', f'name = "{name}"'))
    return folder


def test_new_makes_a_folder_that_validate_finds_nothing_wrong_with(tmp_path: Path) -> None:
    folder = str(tmp_path / "iris")
    made = run("new", folder, "--json")
    assert last_line(made) == {"folder": folder, "files": ["model.json", "webnn.toml", "data.py", ".gitignore"]}
    assert f"with: webnn push {folder}, or webnn train {folder}: push" in run("validate", folder).output
    checked = run("validate", folder, "--json")
    assert (checked.exit_code, last_line(checked)) == (
        0,
        {"folder": folder, "run": "iris", "problems": [], "remarks": []},
    )


def test_validate_tells_all_that_is_wrong_and_exits_with_1(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, toml="[training]\nbatch_size = 0\nencodin = 'float16'")
    found = run("validate", str(folder))
    assert found.exit_code == 1
    assert found.stderr.splitlines() == [
        f"{folder}/webnn.toml:2: batch_size: expected `int` >= 1",
        f"{folder}/webnn.toml:3: [training] has no key 'encodin'; did you mean 'encoding'?",
        "2 problems; nothing was uploaded.",
    ]
    lines = [one["line"] for one in last_line(run("validate", str(folder), "--json"))["problems"]]
    assert lines == [2, 3]


def test_nothing_is_uploaded_of_a_folder_in_which_something_is_wrong(
    tmp_path: Path, services: Services, run_name: str
) -> None:
    data = "import numpy as np\ndef train():\n    return np.ones((9, 4)), np.full(9, 7)\nvalidation = train\n"
    before = len(services.blobs.listed("shards/", "", 1000))
    found = run("push", str(named(a_folder(tmp_path, data=data), run_name)), "--stage", "local")
    assert found.exit_code == 1
    assert "they must be 0 to 2" in found.stderr
    assert len(services.blobs.listed("shards/", "", 1000)) == before


def test_push_makes_a_paused_run_and_sends_nothing_twice(tmp_path: Path, services: Services, run_name: str) -> None:
    folder = named(a_folder(tmp_path), run_name)
    (folder / "data.py").write_text((folder / "data.py").read_text().replace("seed=1", "seed=11"))
    first, again = (last_line(run("push", str(folder), "--stage", "local", "--json")) for _ in range(2))
    assert first["run"] == run_name
    assert first["page"].endswith(f"/index.html?run={run_name}")
    assert first["bytes"] == again["bytes"] == 3600 * 17
    assert (first["sent"] >= 3000 * 17, again["sent"]) == (True, 0)
    assert services.catalog.head(run_name).status is Status.PAUSED


def test_train_pushes_sets_running_and_follows_to_the_end(tmp_path: Path, services: Services, run_name: str) -> None:
    folder = named(a_folder(tmp_path), run_name)

    def volunteer() -> None:
        """Waits for the run, and finds that it is good enough."""
        for _ in wiring.paced(60.0, 0.1):
            names = {found.run.run for found in services.runs.all()}
            if run_name in names and services.catalog.head(run_name).status is Status.RUNNING:
                break
        member = services.clients.join(run_name)
        task = services.clients.next_task(member)
        assert isinstance(task, Evaluate)
        services.evaluations.report(member, Report(task.lease.evaluation_id, 0, 0.1, 0.99, 600))

    thread = threading.Thread(target=volunteer)
    thread.start()
    found = run("train", str(folder), "--stage", "local", "--json")
    thread.join()
    assert found.exit_code == 0, found.output
    said = last_line(found)
    assert (said["run"], said["status"], said["version"], said["accuracy"]) == (run_name, "finished", 0, 0.99)
    assert f"index.html?run={run_name}" in found.stderr
    (ended,) = [line for line in found.stderr.splitlines() if "accuracy" in line]  # once, and whole
    assert ended == f"Run {run_name} is over: finished, accuracy 99.00% of 95%, version 0, 1 client."
    later = run("train", str(folder), "--stage", "local")
    assert isinstance(later.exception, Conflict)
    assert f"`webnn retrain {run_name} --stage local`" in later.exception.message
    assert "index.html" not in later.output


@pytest.fixture
def looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who follows a run presses Ctrl-C after the first look."""

    def interrupted(*_: object) -> Any:
        yield
        raise KeyboardInterrupt

    monkeypatch.setattr("webnn.wiring.paced", interrupted)


@pytest.mark.usefixtures("looked_at_once")
def test_ctrl_c_ends_the_following_and_not_the_run(tmp_path: Path, services: Services, run_name: str) -> None:
    found = run("train", str(named(a_folder(tmp_path), run_name)), "--stage", "local")
    assert found.exit_code == 130
    assert "goes on" in found.output
    assert services.catalog.head(run_name).status is Status.RUNNING


@pytest.mark.usefixtures("stage", "looked_at_once")
def test_a_terminal_shows_the_join_link_as_a_qr_code_where_others_can_open_it(
    tmp_path: Path, run_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(named(a_folder(tmp_path), run_name))
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}.items():
        monkeypatch.setenv(name, value)
    assert "▀" not in run("train", folder, "--stage", "local").output  # of this machine's own address
    monkeypatch.setattr("webnn.cli.stage.site_url", lambda *_: "https://pages.test/index.html")
    assert run("train", folder, "--stage", "local").stdout.count("▀") > 50
    assert "▀" not in run("train", folder, "--stage", "local", "--json").output
    monkeypatch.delenv("FORCE_COLOR")
    piped = run("train", folder, "--stage", "local")
    assert f"https://pages.test/index.html?run={run_name}" in piped.stdout
    assert "▀" not in piped.output


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    found = run("validate", str(tmp_path / "nothing"))
    assert found.exit_code == 1
    assert "webnn new" in str(found.exception)


@pytest.mark.parametrize("data", ["raise SystemExit(0)\n", "def train(): exit(3)\nvalidation = train\n"])
def test_a_data_module_that_exits_is_wrong_like_one_that_fails(tmp_path: Path, data: str) -> None:
    folder = a_folder(tmp_path, data=data)
    found = run("validate", str(folder))
    assert found.exit_code == 1
    assert "data.py:" in found.stderr
    assert "SystemExit" in found.stderr


def test_what_a_data_module_prints_is_not_among_what_a_program_reads(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    data = folder / "data.py"
    data.write_text(f'print("loading")\n{data.read_text()}')
    found = run("validate", str(folder), "--json")
    assert last_line(found)["problems"] == []
    assert "loading" in found.stderr


def test_a_new_folder_names_its_run_after_itself(tmp_path: Path) -> None:
    run("new", str(tmp_path / "Iris_Two"))
    assert '# name = "iris-two"' in (tmp_path / "Iris_Two" / "webnn.toml").read_text()
    refused = run("new", str(tmp_path / "Bad Name!"))
    assert isinstance(refused.exception, Invalid)
    assert not (tmp_path / "Bad Name!").exists()


def test_a_model_that_is_imported_first_is_kept_and_each_step_names_the_next(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    for name in ("webnn.toml", "data.py", ".gitignore"):
        (folder / name).unlink()
    before = (folder / "model.json").read_text()
    assert run("validate", str(folder)).stderr.splitlines() == [
        f"{folder}/webnn.toml: the file is not there: `webnn new {folder}` makes it, for the model",
        f"{folder}/data.py: the file is not there: `webnn new {folder}` makes it, for the model",
        "2 problems; nothing was uploaded.",
    ]
    made = run("new", str(folder))
    assert f"They go with {folder}/model.json, which was there. Put your own data into {folder}/data.py" in made.output
    assert run("validate", str(folder)).exit_code == 0
    assert (folder / "model.json").read_text() == before


@pytest.mark.usefixtures("stage")
def test_a_push_that_is_interrupted_says_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webnn.cli.project.check", interrupted)
    found = run("push", str(a_folder(tmp_path)), "--stage", "local")
    assert found.exit_code == 130
    assert "the same command goes on" in found.stderr


def test_following_goes_on_though_the_stage_does_not_answer_for_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    world = a_world()
    world.start()
    silent = Unavailable("no answer")
    looks = iter([None, silent, silent, None])

    class Silent:
        def describe(self, name: str) -> Description:
            look = next(looks)
            if look is None:
                return world.services.runs.describe(name)
            world.catalog.set_status(world.head, Status.FINISHED)
            raise look

    found, finished = follow(Silent(), world.services.failures, "line", Console(stderr=True))  # type: ignore[arg-type]
    assert (found.run.run, finished) == ("line", True)
    assert next(looks, "all") == "all"
    told = [line for line in capsys.readouterr().err.splitlines() if "The stage" in line]
    assert told == ["The stage does not answer: trying again.", "The stage answers again."]
