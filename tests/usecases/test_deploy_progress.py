"""What `webnn deploy` shows of the work of others, and what it makes of their failures."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from webnn.cli import deploy
from webnn.cli import stage as stages
from webnn.cli.main import webnn
from webnn.cli.steps import Steps
from webnn.errors import Invalid, Unavailable
from webnn.settings import Environment

WHERE = Environment("dev", "eu-west-1", None)


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in the place of Chalice."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    return tmp_path / "chalice"


def chalice(script: Path, body: str) -> list[str]:
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    heard: list[str] = []
    deploy._chalice(WHERE, "deploy", heard.append)
    return heard


def test_each_line_of_chalice_is_passed_on(says: Path) -> None:
    body = 'echo "$1 $2 $3 $WEBNN_STAGE $AWS_DEFAULT_REGION"\necho "  Creating role" >&2'
    assert chalice(says, body) == ["deploy --stage dev dev eu-west-1", "Creating role"]


def test_a_failure_carries_the_last_lines(says: Path) -> None:
    with pytest.raises(Unavailable, match="chalice deploy failed") as caught:
        chalice(says, "for n in $(seq 50); do echo line $n; done; echo no leave >&2; exit 2")
    assert caught.value.details["log"].splitlines()[-2:] == ["line 50", "no leave"]
    assert len(caught.value.details["log"].splitlines()) == deploy.LOG_LINES


def test_a_dependency_that_was_left_out_is_no_success(says: Path) -> None:
    with pytest.raises(Invalid, match="left a dependency out"):
        chalice(says, "echo Could not install dependencies: numpy")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--stage", "library"), "add --only infrastructure here, and see docs/embedding.md"),
        (("--stage", "library", "--only", "functions"), "WebNN's own app has no stage library, only local"),
        (("--stage", "dev", "--api", "https://api"), "it goes with --only site"),
        (("--stage", "dev", "--only", "infrastructure", "--api", "https://api"), "it goes with --only site"),
        (("--stage", "library", "--only", "site"), "say where its API is, with --api URL"),
    ],
)
def test_what_cannot_be_deployed_is_said_before_anything_is_done(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stages, "WEB", tmp_path)
    (tmp_path / "index.html").touch()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    result = CliRunner().invoke(webnn, ["deploy", *words])
    assert isinstance(result.exception, Invalid)
    assert said in result.exception.message


def test_a_stage_that_no_stack_can_have_is_a_mistyped_command() -> None:
    result = CliRunner().invoke(webnn, ["deploy", "--stage", "My-Stage"])
    assert (result.exit_code, "'My-Stage' is no stage's name" in result.stderr) == (2, True)


WAIT = "while [ ! -e {} ]; do sleep 0.01; done; kill -INT $PPID"


def interrupted(script: Path, body: str) -> list[str]:
    """What is heard of it; each thing that is heard makes a file of the next number, for the script to wait for."""
    heard: list[str] = []

    def hear(text: str) -> None:
        heard.append(text)
        (script.parent / str(len(heard))).touch()

    script.write_text(f"#!/bin/sh\ncd {script.parent}\n{body}\n")
    script.chmod(0o755)
    with pytest.raises(KeyboardInterrupt):
        deploy._chalice(WHERE, "deploy", hear)
    return heard


def test_ctrl_c_lets_chalice_finish_what_it_would_not_find_again(says: Path) -> None:
    body = f"echo one; {WAIT.format(1)}; while [ ! -e 2 ]; do sleep 0.01; done; echo two"
    assert interrupted(says, body) == ["one", "Chalice finishes what it has begun; Ctrl-C again breaks it off", "two"]


def test_a_second_ctrl_c_breaks_it_off(says: Path) -> None:
    heard = interrupted(says, f"echo one; {WAIT.format(1)}; {WAIT.format(2)}; sleep 60; echo never")
    assert (len(heard), "never" in heard) == (3, False)


def shown(terminal: bool, breaks: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80, legacy_windows=False)
    steps = Steps(["the stack", "the [functions]", "the site"], console)
    with contextlib.suppress(Unavailable), steps.shown():
        with steps.step("the stack") as news:
            news("Table [CREATE_COMPLETE] [/]")
        with steps.step("the [functions]"):
            if breaks:
                raise Unavailable("no leave")
        with steps.step("the site"):
            pass
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", out.getvalue())


def test_a_terminal_shows_what_is_done_what_broke_and_what_was_to_come() -> None:
    last = shown(terminal=True, breaks=True).rpartition("the stack")[2]
    assert re.search(r"✗ the \[functions\] +\d+\.\d s", last)
    assert re.search(r"· the site", last)
    whole = shown(terminal=True, breaks=False)
    assert len(re.findall("✓", whole[whole.rindex("✓ the stack") :])) == 3


def test_elsewhere_there_is_a_line_for_each_step() -> None:
    lines = [re.sub(r"\d+\.\d", "0.0", line) for line in shown(terminal=False, breaks=True).splitlines()]
    assert lines == ["✓ the stack (0.0 s)", "✗ the [functions] (0.0 s)"]


def test_news_are_shown_as_they_are() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80, legacy_windows=False)
    with stages.working(console, "the stack") as news:
        news("Table [CREATE_COMPLETE] [/]")
    assert shown.getvalue().endswith("the stack\n")
