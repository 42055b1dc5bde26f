"""The tutorials, done as they say, by somebody in a fresh folder."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import deployed
import pytest
from playwright.sync_api import Browser, Page
from reader import Reader
from steps import steps

CHECKOUT = Path(__file__).parents[2]
TUTORIALS = CHECKOUT / "docs" / "tutorials"
TENSORFLOW = CHECKOUT / "build" / "experiments" / "bin" / "python"
KEPT = ("PATH", "LANG", "TMPDIR", "CI")

pytestmark = pytest.mark.browser


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[[], Page]]:
    with chromium.new_context() as context:
        yield context.new_page


def home(folder: Path, python: str, checkout: Path = CHECKOUT) -> dict[str, str]:
    """What a shell needs in which `webnn` and `python` are those of an environment, and nothing else is known."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "webnn").write_text(f'#!/bin/sh\nexec {python} -c "from webnn.cli.main import main; main()" "$@"\n')
    (programs / "webnn").chmod(0o755)
    (programs / "python").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    (programs / "python").chmod(0o755)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        "PATH": f"{programs}:{kept['PATH']}",
        "HOME": str(folder),
        "WEBNN_STATE": str(folder / "state"),
        "PYTHONPATH": str(checkout),
        "COLUMNS": "100",
    }


def followed(name: str, folder: Path, environment: dict[str, str], new_page: Callable[[], Page]) -> None:
    """Does all that a page says."""
    work = folder / "work"
    work.mkdir()
    with Reader(work, environment, new_page) as reader:
        for step in steps((TUTORIALS / f"{name}.md").read_text()):
            reader.do(step)


def test_the_first_run(tmp_path: Path, new_page: Callable[[], Page]) -> None:
    followed("first-run", tmp_path, home(tmp_path, sys.executable), new_page)


def test_embedding_in_an_app(tmp_path: Path) -> None:
    def no_page() -> Page:
        raise AssertionError("it has no step in a browser")

    followed("../embedding", tmp_path, home(tmp_path, sys.executable), no_page)


def test_private_data(tmp_path: Path) -> None:
    def no_page() -> Page:
        raise AssertionError("it has no step in a browser")

    followed("../private-data", tmp_path, home(tmp_path, sys.executable), no_page)


def test_choosing_a_merge_rule(tmp_path: Path, new_page: Callable[[], Page]) -> None:
    followed("rule", tmp_path, home(tmp_path, sys.executable), new_page)


def test_a_keras_model_of_ones_own(tmp_path: Path, new_page: Callable[[], Page]) -> None:
    if not TENSORFLOW.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    followed("keras", tmp_path, home(tmp_path, str(TENSORFLOW)), new_page)


@pytest.mark.localstack
def test_a_stage_of_ones_own(deployment: deployed.Deployment, tmp_path: Path, new_page: Callable[[], Page]) -> None:
    """On the stage that other tests have deployed: deploying again puts the real pages there. Their runs go first."""
    deployment.clear()
    checkout = deployment.checkout
    shutil.copytree(CHECKOUT / "web" / "dist", checkout / "web" / "dist", dirs_exist_ok=True)
    there = {**deployment.engine.environment(), "WEBNN_STAGE": deployed.STAGE}
    followed("deploy", tmp_path, {**home(tmp_path, sys.executable, checkout), **there}, new_page)
