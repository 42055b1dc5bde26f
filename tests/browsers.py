"""The browsers that tests look with, each started once: Playwright can be started but once in a process."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from webnn.local.volunteers import QUIET, browser


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    found = browser()
    if found is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    launched = playwright.chromium.launch(executable_path=found, args=[*QUIET[1:], *root])
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Firefox as people have it, spoken to in WebDriver BiDi; not the one that Playwright makes for itself."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        pytest.skip("there is no Firefox on this machine: apt-get install firefox-esr")
    # Else it asks nobody for what lies on this machine, and a test could not cut its line.
    proxied = {"network.proxy.allow_hijacking_localhost": True}
    launched = playwright.firefox.launch(executable_path=found, channel="moz-firefox", firefox_user_prefs=proxied)
    yield launched
    launched.close()
