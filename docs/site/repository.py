"""A hook of mkdocs: pages from outside docs/, and links that work on a code host as well as in the site.

In the sources a link names a file of the repository. In the site it leads to the page that is made of that file; else
to the file at `repo_url`; where no `repo_url` is set, only its text is left.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs/"
TYPEDOC = ROOT / "build" / "typedoc"
CLIENT = "developers/client/"

BROUGHT = {
    "CHANGELOG.md": "repository/changelog.md",
    "CONTRIBUTING.md": "repository/contributing.md",
    "bench/README.md": "repository/bench.md",
    "infra/README.md": "repository/infra.md",
    "localstack/README.md": "repository/localstack.md",
    "spec/README.md": "repository/spec.md",
    "tests/golden/README.md": "repository/golden.md",
}
SOURCES = {page: source for source, page in BROUGHT.items()}
INSTEAD = {"docs/openapi.yaml": "developers/http.md", "README.md": "index.md"}

CODE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the repository's other pages, and those that TypeDoc made."""
    for source, page in BROUGHT.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    if not TYPEDOC.is_dir():
        raise PluginError("TypeDoc's pages are not there: run `make docs`")
    for path in sorted(TYPEDOC.rglob("*.md")):
        files.append(File.generated(config, CLIENT + path.relative_to(TYPEDOC).as_posix(), content=path.read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """The page with its links led to where they lead in the site."""
    here = page.file.src_uri
    if here.startswith(CLIENT):
        return markdown
    source = SOURCES.get(here, DOCS + here)
    parts, last = [], 0
    for code in CODE.finditer(markdown):
        parts += [_led(markdown[last : code.start()], source, here, config), code[0]]
        last = code.end()
    return "".join([*parts, _led(markdown[last:], source, here, config)])


def on_page_content(html: str, **_: Any) -> str:
    """The page without the name that click has for no default, which mkdocs-click prints."""
    return html.replace("<code>Sentinel.UNSET</code>", "")


def _led(text: str, source: str, here: str, config: MkDocsConfig) -> str:
    return LINK.sub(lambda link: _link(link, source, here, config), text)


def _link(link: re.Match[str], source: str, here: str, config: MkDocsConfig) -> str:
    image, text, address = link.groups()
    path, mark, anchor = address.partition("#")
    if not path or ":" in path:
        return link[0]
    named = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    page = BROUGHT.get(named) or INSTEAD.get(named) or (named.removeprefix(DOCS) if named.startswith(DOCS) else None)
    if page is not None:
        return f"{image}[{text}]({posixpath.relpath(page, posixpath.dirname(here) or '.')}{mark}{anchor})"
    if not (ROOT / named).exists():
        return link[0]  # mkdocs says that it leads nowhere
    return f"[{text}]({config.repo_url.rstrip('/')}/tree/main/{named})" if config.repo_url else text
