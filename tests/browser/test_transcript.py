"""The README's way from an empty folder to a Keras CNN that a browser trains: its own commands, typed as they stand."""

import os
import re
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

CHECKOUT = Path(__file__).resolve().parents[2]
TENSORFLOW = CHECKOUT / "build" / "experiments" / "bin"
BLOCK = re.compile(r"<!-- transcript: .*? -->\n```console\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*?<<'(\w+)'\n.*?^\2$|[^\n]*)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"http://\S+\?run=\S+")


def commands() -> list[str]:
    found = BLOCK.search((CHECKOUT / "README.md").read_text())
    assert found is not None
    return [whole for whole, _ in COMMAND.findall(found[1])]


class Shell:
    """One command at a time in a folder, with what it prints as it comes."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder, self.variables = folder, variables
        self.said: list[str] = []

    def start(self, command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=self.folder, env=self.variables,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.reader = threading.Thread(target=lambda: self.said.extend(process.stdout or ()), daemon=True)
        self.reader.start()
        return process

    def heard(self, process: "subprocess.Popen[str]") -> None:
        """Reads the rest of what it has printed."""
        self.reader.join()
        assert process.stdout is not None
        process.stdout.close()

    def link(self) -> str | None:
        return next((found[0] for line in list(self.said) if (found := LINK.search(line))), None)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An empty folder, with `python` being one that has TensorFlow and WebNN."""
    if not TENSORFLOW.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    (tmp_path / "empty").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WEBNN_"))}
    paths = [str(CHECKOUT), *filter(None, [kept.get("PYTHONPATH")])]
    return Shell(tmp_path / "empty", {
        **kept,
        "PATH": f"{TENSORFLOW}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": os.pathsep.join(paths),
        "WEBNN_STATE": str(tmp_path / "state"),
    })  # fmt: skip


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def test_an_empty_folder_becomes_a_cnn_trained_in_a_browser_in_at_most_five_commands(shell: Shell, page: Page) -> None:
    typed = commands()
    assert 0 < len(typed) <= 5
    uploads: list[str] | None = None
    for command in typed:
        process = shell.start(command)
        while process.poll() is None:
            if uploads is None and (link := shell.link()):
                uploads = train(page, link)
            page.wait_for_timeout(200)
        shell.heard(process)
        assert process.returncode == 0, "".join(shell.said[-40:])
    said = "".join(shell.said)
    assert uploads, said
    assert re.search(r"cnn finished: version \d+, accuracy 9", said), said
    assert {path.name for path in shell.folder.iterdir()} == {"cnn.py", "cnn.keras"}
    assert zipfile.is_zipfile(shell.folder / "cnn.keras")


def train(page: Page, link: str) -> list[str]:
    """Opens the printed link and presses the button, as a visitor does; gives the updates that the page announces."""
    announced: list[str] = []
    page.on("request", lambda asked: announced.append(asked.url) if asked.url.endswith("/updates") else None)
    page.goto(link)
    page.get_by_role("button", name=re.compile("start", re.IGNORECASE)).click()
    return announced
