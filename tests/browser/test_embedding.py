"""The library in other people's programs: each example does what it is for, against a whole stage."""

import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from webnn.local.stage import CHECKOUT, LocalStage

pytestmark = pytest.mark.browser

WEB = CHECKOUT / "web"
EXAMPLES = CHECKOUT / "examples"
PATIENCE_MS = 90_000


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class Shared(Quiet):
    """As those who serve files for other people's pages do."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()


@contextmanager
def serving(folder: Path, handler: type[Quiet] = Quiet) -> Iterator[str]:
    """A site of its own: another origin than the stage's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as npm would publish it."""
    folder = tmp_path_factory.mktemp("package")
    npm("pack", "--silent", "--pack-destination", str(folder), cwd=WEB / "client")
    (found,) = folder.glob("*.tgz")
    return found


def npm(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(["npm", *arguments], check=False, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    opened = context.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    context.close()
    assert failures == []


def test_a_page_of_another_origin_trains_and_predicts_with_one_script_tag(
    stage: LocalStage, run: str, page: Page
) -> None:
    with serving(EXAMPLES / "html") as address:
        page.goto(f"{address}?{urlencode({'site': stage.page, 'run': run})}")
        expect(page.get_by_text("2 updates sent from this machine")).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("button", name="Ask the model").click()
        expect(page.locator("#answer")).to_contain_text("takes noise for class", timeout=PATIENCE_MS)
        page.get_by_role("button", name="Stop training").click()
        expect(page.get_by_text("left", exact=True)).to_be_visible()


def test_a_react_app_is_type_checked_and_bundled_with_the_package_and_trains(
    stage: LocalStage, run: str, page: Page, package: Path
) -> None:
    npm("run", "--silent", "react-example", cwd=WEB)
    with serving(CHECKOUT / "build" / "examples" / "react") as address:
        page.goto(f"{address}?{urlencode({'api': stage.api, 'run': run})}")
        page.get_by_role("button", name="Lend this machine").click()
        expect(page.get_by_text("2 updates sent from here")).to_be_visible(timeout=PATIENCE_MS)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("left", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Lend this machine")).to_be_visible()


@pytest.mark.parametrize("bundler", ["vite", "webpack"])
def test_an_app_trains_that_a_bundler_made_for_files_at_another_origin_than_its_page(
    bundler: str, stage: LocalStage, run: str, page: Page, package: Path, tmp_path: Path
) -> None:
    app, public, bundled = tmp_path / "app", tmp_path / "public", WEB / "test" / "bundled"
    shutil.copytree(bundled, app)
    installed(package, app)
    public.mkdir()
    (app / "dist").mkdir()
    with serving(app / "dist", Shared) as files, serving(public) as address:
        base = files.removesuffix("index.html")
        command = ["node", str(bundled / "build.js"), bundler, str(app), base]
        done = subprocess.run(command, check=False, cwd=WEB, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        (app / "dist" / "index.html").rename(public / "index.html")
        page.goto(f"{address}?{urlencode({'api': stage.api, 'run': run})}")
        expect(page.get_by_role("status")).to_have_text("Sent an update", timeout=PATIENCE_MS)
        assert [worker.url.split(":")[0] for worker in page.workers] == ["blob"]


def installed(package: Path, app: Path) -> None:
    """As npm does it."""
    with tarfile.open(package) as files:
        files.extractall(app / "node_modules" / "@webnn", filter="data")
    (app / "node_modules" / "@webnn" / "package").rename(app / "node_modules" / "@webnn" / "client")


def test_the_package_asks_for_nothing_that_webpack_promises_and_does_not_give(package: Path) -> None:
    with tarfile.open(package) as files:
        programs = [one for one in files.getmembers() if one.name.endswith(".js") and not one.name.endswith("node.js")]
        assert "package/dist/worker.js" in [one.name for one in programs]
        asking = [one.name for one in programs if b"typeof __filename" in files.extractfile(one).read()]  # type: ignore[union-attr]
    assert asking == []


def test_its_types_are_known_to_a_program_without_a_page(package: Path, tmp_path: Path) -> None:
    with tarfile.open(package) as files:
        declared: bytes = files.extractfile("package/dist/index.d.ts").read()  # type: ignore[union-attr]
    (tmp_path / "client.ts").write_bytes(declared)  # a .d.ts would be checked with all that comes with Node's
    types = WEB / "node_modules" / "@types"
    options = [
        "--noEmit",
        "--skipLibCheck",
        "--target",
        "es2022",
        "--lib",
        "es2023",
        "--types",
        "node",
        "--typeRoots",
        str(types),
    ]
    command = [str(WEB / "node_modules" / ".bin" / "tsc"), *options, str(tmp_path / "client.ts")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_a_page_that_is_told_of_no_site_says_so(page: Page) -> None:
    with serving(EXAMPLES / "html") as address:
        page.goto(address)
        expect(page.get_by_text("Open this page with ?site=ADDRESS&run=NAME")).to_be_visible()


@pytest.mark.parametrize("name", ["node", "react"])
def test_an_examples_readme_types_what_packs_and_installs_the_library(name: str, package: Path) -> None:
    typed = re.findall(r"^\$ (.*)$", (EXAMPLES / name / "README.md").read_text(), re.MULTILINE)
    assert typed[:3] == ["make client", "(cd web/client && npm pack)", f"cd examples/{name}"]
    assert typed[3] == f"npm install --no-save ../../web/client/{package.name}"


def test_a_node_program_installs_the_package_trains_and_predicts(
    stage: LocalStage, run: str, package: Path, tmp_path: Path
) -> None:
    for name in ("package.json", "train.mjs"):
        (tmp_path / name).write_bytes((EXAMPLES / "node" / name).read_bytes())
    npm("install", "--silent", "--no-save", "--no-audit", "--no-fund", "--offline", str(package), cwd=tmp_path)
    wrong = {"usage: node train.mjs API RUN": [], "no run 'nobody'": [stage.api, "nobody"], "api has to be": ["x", run]}
    for told, arguments in wrong.items():
        command = ["node", "train.mjs", *arguments]
        done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        (line,) = done.stderr.splitlines()
        assert (done.returncode, told in line) == (1, True), line
    command = ["node", "train.mjs", stage.api, run, "2"]
    done = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert [line.split(":")[0] for line in said[:4]] == ["Handwritten digits", "update 1", "update 2", "training ended"]
    *_, probabilities = said
    assert len(probabilities.split(": ")[1].split()) == 10
