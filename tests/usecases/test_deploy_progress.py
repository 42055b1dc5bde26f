"""What `webnn deploy` shows of the work of others, and what it makes of their failures."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from webnn.cli import deploy
from webnn.cli import stage as stages
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


def test_news_are_shown_as_they_are() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=80, legacy_windows=False)
    with stages.working(console, "the stack") as news:
        news("Table [CREATE_COMPLETE] [/]")
    assert shown.getvalue().endswith("the stack\n")
