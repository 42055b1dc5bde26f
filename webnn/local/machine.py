"""Whether this machine has what WebNN takes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from webnn.finding import Finding, fail, ok, warn
from webnn.local.volunteers import browser

OLDEST_PYTHON, BEFORE_PYTHON = (3, 11), (3, 14)
OLDEST_NODE = (20, 19)
NODE_SECONDS = 20
# What each extra of pyproject.toml is for, and the modules that show whether it is there.
EXTRAS = {
    "local": ("webnn dev, webnn demo", ("ministack", "sklearn")),
    "simulate": ("webnn simulate, webnn plot", ("greenlet", "matplotlib", "sklearn")),
    "tf": ("webnn import, export, evaluate and simulate with TensorFlow, 2.5 GB", ("tensorflow", "tf_keras")),
}


def machine(checkout: Path) -> Iterator[Finding]:
    """Looks at the machine; `checkout` is where the package and the web client are."""
    yield python(sys.version_info[:3])
    yield chalice()
    built = (checkout / "web" / "dist" / "index.html").is_file()
    yield node(needed=not built)
    yield web_client(checkout)
    yield chromium()
    for extra in EXTRAS:
        yield packages(extra)


def python(version: tuple[int, ...]) -> Finding:
    """The Python that runs this."""
    said = ".".join(map(str, version))
    if OLDEST_PYTHON <= version[:2] < BEFORE_PYTHON:
        return ok("Python", said)
    return fail("Python", f"{said}; 3.11 to 3.13 are tested", "rm -rf .venv && make setup PYTHON=python3.13")


def chalice() -> Finding:
    """What serves the API here, and deploys it."""
    if Path(sys.executable).with_name("chalice").exists() or shutil.which("chalice"):
        return ok("Chalice", "installed")
    return fail("Chalice", "not installed: neither webnn dev nor webnn deploy work", "make setup")


def node(*, needed: bool) -> Finding:
    """What builds the web client, and runs clients where there is no browser."""
    said, version = _node()
    if version >= OLDEST_NODE:
        return ok("Node", said)
    wrong = fail if needed else warn
    return wrong("Node", f"{said}; 20.19 or newer builds the web client", _install("node", "nodejs npm"))


def _node() -> tuple[str, tuple[int, ...]]:
    path = shutil.which("node")
    if path is None:
        return "not installed", ()
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=NODE_SECONDS, check=True)
        return said.stdout.strip(), tuple(map(int, said.stdout.strip().removeprefix("v").split(".")[:2]))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return f"does not run: {error}", ()


def web_client(checkout: Path) -> Finding:
    """The pages."""
    page = checkout / "web" / "dist" / "index.html"
    if not page.is_file():
        return fail("web client", "not built", "make setup")
    sources = [path for path in (checkout / "web" / "src").rglob("*") if path.is_file()]
    if any(path.stat().st_mtime > page.stat().st_mtime for path in sources):
        return warn("web client", "built before its sources were changed", "make web")
    return ok("web client", "built")


def chromium() -> Finding:
    """What `webnn demo` trains in."""
    found = browser()
    if found:
        return ok("Chromium", found)
    said = "not found: webnn demo trains in Node instead, tests in browsers are skipped"
    return warn("Chromium", said, _install("--cask chromium", "chromium"))


def packages(extra: str) -> Finding:
    """The packages of an extra."""
    purpose, modules = EXTRAS[extra]
    absent = [name for name in modules if find_spec(name) is None]
    if not absent:
        return ok(f"extra {extra}", f"installed, for {purpose}")
    said = f"{', '.join(absent)} not installed; only {purpose} need it"
    return warn(f"extra {extra}", said, f"{_quoted(sys.executable)} -m pip install -e '.[{extra}]'")


def _install(brew: str, apt: str) -> str:
    """With what this system has."""
    if shutil.which("brew"):
        return f"brew install {brew}"
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install {apt}"


def _quoted(path: str) -> str:
    return f"'{path}'" if " " in path else path
