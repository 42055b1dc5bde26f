"""The docs site, as `make docs` builds it: without a warning, nothing fetched from elsewhere, readable on a phone."""

import functools
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser, Request

from webnn.cli.main import webnn

CHECKOUT = Path(__file__).parents[2]
# What `make setup` makes is there, or these tests would not run.
SET_UP = ("-o", ".venv/.stamp", "-o", "web/node_modules/.stamp", "-o", "web/dist/index.html")
ARTICLE = re.compile(r"<article.*</article>", re.DOTALL)
LITERAL = re.compile(r"<pre.*?</pre>|<code.*?</code>", re.DOTALL)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def site() -> Path:
    built = subprocess.run(["make", *SET_UP, "docs"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return CHECKOUT / "build" / "docs"


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def articles(site: Path) -> dict[str, str]:
    pages = {path.relative_to(site).as_posix(): path.read_text() for path in site.rglob("*.html")}
    return {name: ARTICLE.findall(page)[0] for name, page in pages.items() if name != "404.html"}


def test_every_file_in_docs_is_a_page_or_belongs_to_one(site: Path) -> None:
    pages = [path.relative_to(CHECKOUT / "docs") for path in (CHECKOUT / "docs").rglob("*.md")]
    assert [str(page) for page in pages if not (site / page.with_suffix(".html")).is_file()] == []


def test_lists_and_tables_are_lists_and_tables(site: Path) -> None:
    """mkdocs wants a line free before a list, and its inner items 4 columns in; a code host does without."""
    raw = re.compile(r"<p>[^<]*\n *(?:[-*]|\d+\.) |\|---|\]\(")
    told = {name: raw.findall(LITERAL.sub("", article)) for name, article in articles(site).items()}
    assert {name: found for name, found in told.items() if found} == {}


def test_inner_items_of_lists_stand_4_columns_in() -> None:
    pages = [*(CHECKOUT / "docs").rglob("*.md"), CHECKOUT / "docs" / "openapi.yaml"]
    inner = re.compile(r"^ *\d+\. .*\n(?:(?! *\d+\.|\s*$) .*\n)*?( *)[-*] ", re.MULTILINE)
    for page in pages:
        text = (
            re.sub(r"^    ", "", page.read_text(), flags=re.MULTILINE) if page.suffix == ".yaml" else page.read_text()
        )
        assert {len(found) for found in inner.findall(text)} <= {4}, page


def test_each_command_and_option_has_its_line(site: Path) -> None:
    page = re.sub(r"<[^>]+>", "", articles(site)["command.html"])
    for name, command in webnn.commands.items():
        assert f"webnn {name} [OPTIONS]" in page
        for parameter in command.params:
            assert all(option in page for option in parameter.opts if option.startswith("-")), (name, parameter.opts)


def test_each_call_of_the_api_has_its_heading(site: Path) -> None:
    document = yaml.safe_load((CHECKOUT / "docs" / "openapi.yaml").read_text())
    page = re.sub(r"<[^>]+>", "", articles(site)["developers/http.html"])
    for path, calls in document["paths"].items():
        for method in set(calls) & {"get", "post", "put", "delete"}:
            assert f"{method.upper()} {path}&para;" in page


@pytest.mark.browser
@pytest.mark.parametrize("page", ["index", "developers/http", "developers/python", "protocol"])
def test_a_page_fetches_nothing_from_elsewhere_and_fits_a_phone(address: str, chromium: Browser, page: str) -> None:
    asked: list[str] = []

    def heard(request: Request) -> None:
        asked.append(request.url)

    with chromium.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark") as context:
        opened = context.new_page()
        opened.on("request", heard)
        opened.goto(f"{address}/{page}.html", wait_until="networkidle")
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390
        assert opened.evaluate("document.body.dataset.mdColorScheme") == "slate"
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert len(asked) > 3
