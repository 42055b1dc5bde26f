"""Clients for the demo: headless Chromium tabs where there is a browser, else Node. Both run the page's own code."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

from webnn.errors import Missing
from webnn.local.processes import child
from webnn.local.speakers import Speaker

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# What a browser does of its own accord would only slow the training of a machine without a network.
QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--enable-logging=stderr",
)


def browser() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def kind_of_clients() -> str:
    """What `volunteers` starts on this machine, in words."""
    return "headless Chromium" if browser() else "Node, as there is no Chromium on PATH"


@contextmanager
def volunteers(count: int, page: str, api: str, run: str, web: Path) -> Iterator[list[Speaker]]:
    """Runs `count` clients of a run for as long as the block lasts.

    Args:
        count: How many.
        page: Address of the volunteer page, for browsers.
        api: Base URL of the API, for Node.
        run: Its name.
        web: Folder of the built web client.

    Raises:
        Missing: There is neither a Chromium nor Node.
    """
    chromium, node = browser(), shutil.which("node")
    if count and not chromium and not node:
        raise Missing("there is neither Chromium nor Node on this machine to run clients with")
    with ExitStack() as stack:
        started = []
        for number in range(count):
            profile = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            if chromium:
                command = _tab(chromium, profile, page, run)
            else:
                command = [str(node), str(web / "node-client.mjs"), "--api", api, "--run", run]
            process = child(f"client {number + 1}", command, _environment(profile), web)
            started.append(Speaker(stack.enter_context(process)))
        yield started


def _tab(chromium: str, profile: str, page: str, run: str) -> list[str]:
    # Chromium's sandbox refuses to start for root, as in a container.
    root = ["--no-sandbox"] if sys.platform == "linux" and os.geteuid() == 0 else []
    address = f"{page}?{urlencode({'run': run, 'start': '', 'events': ''})}"
    return [chromium, *QUIET, *root, f"--user-data-dir={profile}", address]


def _environment(scratch: str) -> Mapping[str, str]:
    """Nothing of the owner's keys; a home, because Chromium insists. What it leaves in its TMPDIR goes with that."""
    kept = ("PATH", "LANG", "HOME", "XDG_RUNTIME_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"TMPDIR": scratch}
