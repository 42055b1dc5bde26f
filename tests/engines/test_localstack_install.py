"""Setting LocalStack up: what is made anew and when, and what is said where it cannot be."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from localstack import install, java
from localstack.install import Part
from webnn.errors import Missing, Unavailable


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where nothing is set up."""
    found = tmp_path / ".localstack"
    found.mkdir()
    monkeypatch.setattr(install, "ROOT", found)
    monkeypatch.setattr(install, "CHECKOUT", tmp_path)
    return found


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(install, "HERE", tmp_path)
    found = tmp_path / "source"
    found.write_text("one")
    return found


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Leaves just these programs on PATH."""

    def left(**programs: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, script in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        return folder

    return left


def test_a_part_is_made_once_and_again_when_its_source_changes(root: Path, source: Path) -> None:
    made: list[str] = []
    part = Part("part", "a part", [source], lambda: made.append(source.read_text()))
    for _ in range(2):
        install._bring_up_to_date(part, lambda _: None)
    source.write_text("two")
    install._bring_up_to_date(part, lambda _: None)
    assert made == ["one", "two"]


@pytest.mark.usefixtures("root")
def test_a_part_that_failed_is_not_taken_for_made(source: Path) -> None:
    def fail() -> None:
        raise Unavailable("no network")

    good = Part("part", "a part", [source], lambda: None)
    install._bring_up_to_date(good, lambda _: None)
    source.write_text("two")
    with pytest.raises(Unavailable):
        install._bring_up_to_date(Part("part", "a part", [source], fail), lambda _: None)
    source.write_text("one")
    assert not good.is_current()


def test_a_checkout_that_moved_is_set_up_anew(root: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment does not work elsewhere."""
    part = Part("part", "a part", [source], lambda: None)
    install._bring_up_to_date(part, lambda _: None)
    monkeypatch.setattr(install, "ROOT", root.rename(root.with_name("moved")))
    assert part.stamp.exists()
    assert not part.is_current()


@pytest.mark.usefixtures("root")
def test_without_the_right_python_it_says_so_and_ends_with_3(
    only: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only()
    monkeypatch.setattr(install, "PYTHON", (3, 99))
    assert install.main() == 3
    assert "needs Python 3.99" in capsys.readouterr().err
    with pytest.raises(Missing, match=r"needs Python 3\.99"):
        install.check_installed()


@pytest.mark.usefixtures("root")
def test_where_it_is_not_set_up_the_way_to_do_it_is_told() -> None:
    with pytest.raises(Missing, match="make localstack"):
        install.check_installed()


@pytest.mark.usefixtures("root")
def test_a_download_that_fails_ends_with_1_and_its_last_words(
    only: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = only(broken="echo no route to host; exit 9")
    monkeypatch.setattr(install, "_find_python", lambda: str(programs / "broken"))
    assert install.main() == 1
    assert "no route to host" in capsys.readouterr().err


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("programs", "why"),
    [
        ({}, "no java"),
        ({"java": "echo '    java.specification.version = 11' >&2"}, "too old"),
        ({"java": "echo '    java.specification.version = 1.8' >&2"}, "too old"),
        ({"java": "echo '    java.specification.version = 17' >&2; echo '    java.home = /nowhere' >&2"}, "libjvm"),
    ],
    ids=["none", "11", "8", "without its library"],
)
def test_where_java_will_not_do_the_reason_is_named(
    only: Callable[..., Path], programs: dict[str, str], why: str
) -> None:
    only(**programs)
    assert why in str(install.dynamodb_obstacle())


@pytest.mark.usefixtures("root")
def test_where_maven_is_missing_the_reason_is_named(
    only: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only()
    monkeypatch.setattr(install, "find_libjvm", lambda: tmp_path)
    assert "no mvn" in str(install.dynamodb_obstacle())


@pytest.mark.skipif(shutil.which("java") is None, reason="there is no java on PATH")
def test_the_library_of_this_machines_java_is_found() -> None:
    assert java.find_libjvm().name.startswith("libjvm.")


def test_the_command_leaves_alone_what_is_current() -> None:
    """The one test of the real thing: where LocalStack is set up, doing it again does nothing."""
    try:
        install.check_installed()
    except Missing as error:
        pytest.skip(error.message)
    command = [str(install.LOCALSTACK_PYTHON), str(install.HERE / "install.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "setting up" not in done.stdout
