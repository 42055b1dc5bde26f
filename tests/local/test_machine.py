"""`webnn doctor`: what is found out of this machine, and how it is told."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from webnn.cli import doctor as command
from webnn.cli.main import webnn
from webnn.finding import Finding, ok, warn
from webnn.local import machine as module
from webnn.local.machine import node, packages, python, web_client


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10, 9), "fail"), ((3, 11, 0), "ok"), ((3, 13, 5), "ok"), ((3, 14, 0), "fail"), ((4, 0, 0), "fail")],
)
def test_python(version: tuple[int, ...], state: str) -> None:
    assert python(version).state == state


@pytest.mark.parametrize(
    ("says", "state"),
    [
        ("echo v20.19.0", "ok"),
        ("echo v24.1.0", "ok"),
        ("echo v20.18.3", "fail"),
        ("echo v9.0.0", "fail"),
        ("echo hello", "fail"),
        ("exit 3", "fail"),
        (None, "fail"),
    ],
)
def test_node(says: str | None, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if says is not None:
        (tmp_path / "node").write_text(f"#!/bin/sh\n{says}\n")
        (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert node(needed=True).state == state
    assert node(needed=False).state == ("ok" if state == "ok" else "warn")


@pytest.mark.parametrize(
    ("built", "changed", "state", "mend"),
    [(None, 5, "fail", "make setup"), (10, 5, "ok", None), (10, 15, "warn", "make web")],
)
def test_the_web_client(built: int | None, changed: int, state: str, mend: str | None, tmp_path: Path) -> None:
    for name, at in (("src/deep/main.ts", changed), ("dist/index.html", built)):
        path = tmp_path / "web" / name
        path.parent.mkdir(parents=True)
        if at is not None:
            path.touch()
            os.utime(path, (at, at))
    assert (web_client(tmp_path).state, web_client(tmp_path).mend) == (state, mend)


def test_an_extra_that_is_absent_names_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.EXTRAS, "made-up", ("nothing", ("json", "no_such_module")))
    found = packages("made-up")
    assert (found.state, found.said) == ("warn", "no_such_module not installed; only nothing need it")
    assert found.mend is not None
    assert found.mend.endswith(" -m pip install -e '.[made-up]'")


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def machine(_: Path) -> Iterator[Finding]:
            yield ok("Python", "3.12")
            yield warn("Chromium", "not [found]", "apt-get install chromium")

        monkeypatch.setattr(command, "machine", machine)
        for name in ("WEBNN_STAGE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)

    def test_tells_each_finding_and_what_mends_it(self) -> None:
        shown = CliRunner().invoke(webnn, ["doctor"])
        assert (shown.exit_code, shown.stdout.splitlines()) == (
            0,
            ["✓ Python: 3.12", "! Chromium: not [found]", "    mend it with: apt-get install chromium"],
        )

    def test_exits_with_1_if_something_fails(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEBNN_STATE", str(tmp_path))
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        shown = CliRunner().invoke(webnn, ["doctor", "--stage", "local", "--json"])
        (line,) = shown.stdout.splitlines()
        found = json.loads(line)
        assert (shown.exit_code, found["ok"], found["stage"]) == (1, False, "local")
        assert [(one["what"], one["state"]) for one in found["findings"]][1:] == [
            ("Chromium", "warn"),
            ("configuration", "fail"),
        ]
        assert found["findings"][-1]["mend"] == "webnn dev"

    def test_does_not_end_at_a_stage_that_cannot_be_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "no region!")
        shown = CliRunner().invoke(webnn, ["doctor", "--stage", "dev"])
        assert shown.exit_code == 1
        assert "✗ configuration: AWS's configuration in this environment is wrong" in shown.stdout


def test_this_machine_is_fit_for_its_own_tests(tmp_path: Path) -> None:
    states = {one.what: one.state for one in module.machine(tmp_path)}
    assert states["Python"] == states["Chalice"] == states["extra local"] == "ok"
    assert states["web client"] == "fail"
