"""The site: what a browser is told about each file, and that it can be read by anybody."""

import gzip
from pathlib import Path

import pytest
import requests

from webnn.errors import Invalid
from webnn.stack import StackClients, StackOutputs, upload_site
from webnn.stack.site import ASK_AGAIN, FOREVER, site_file, site_files

SCRIPT = b"export const answer = 42;\n" * 100
CONFIG = {"api": "https://api.example/api", "stage": "looked"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "index.html": b"<!doctype html><script type=module src=assets/main-D3adB33f.js></script>",
        "watch.html": b"<!doctype html>",
        "assets/main-D3adB33f.js": SCRIPT,
        "assets/main-D3adB33f.js.map": b"{}",
        "assets/style-a_b-C-1z.css": b"body{}",
        "assets/tfjs-backend-wasm-BxY12345.wasm": b"\0asm" + bytes(4096),
        "config.json": b'{"api": "of the build"}',
    }
    for name, body in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(body)
    return tmp_path


def test_the_page_is_there_for_everybody(clients: StackClients, standing: StackOutputs, folder: Path) -> None:
    told: list[str] = []
    url = upload_site(clients.s3, standing.site, folder, CONFIG, told.append)
    page = requests.get(url, timeout=10)
    assert (page.status_code, page.content) == (200, (folder / "index.html").read_bytes())
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == ASK_AGAIN
    assert told[-2:] == ["config.json", "index.html"], "the page comes when all it names is there"


def test_its_parts_are_found_beside_it(clients: StackClients, standing: StackOutputs, folder: Path) -> None:
    url = upload_site(clients.s3, standing.site, folder, CONFIG)
    script = requests.get(url.replace("index.html", "assets/main-D3adB33f.js"), timeout=10)
    assert script.content == SCRIPT
    assert script.headers["Content-Encoding"] == "gzip"
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert script.headers["Cache-Control"] == FOREVER
    wasm = requests.get(url.replace("index.html", "assets/tfjs-backend-wasm-BxY12345.wasm"), timeout=10)
    assert wasm.content == b"\0asm" + bytes(4096)
    assert wasm.headers["Content-Type"] == "application/wasm"


def test_the_page_learns_where_the_api_is(clients: StackClients, standing: StackOutputs, folder: Path) -> None:
    url = upload_site(clients.s3, standing.site, folder, CONFIG)
    config = requests.get(url.replace("index.html", "config.json"), timeout=10)
    assert config.json() == CONFIG
    assert config.headers["Cache-Control"] == ASK_AGAIN


def test_a_new_version_leaves_the_old_parts_to_the_tabs_that_are_open(
    clients: StackClients, standing: StackOutputs, folder: Path
) -> None:
    upload_site(clients.s3, standing.site, folder, CONFIG)
    (folder / "assets/main-D3adB33f.js").rename(folder / "assets/main-New00000.js")
    url = upload_site(clients.s3, standing.site, folder, CONFIG)
    for name in ("main-D3adB33f.js", "main-New00000.js"):
        assert requests.get(url.replace("index.html", f"assets/{name}"), timeout=10).content == SCRIPT


def test_a_page_elsewhere_may_embed_the_client(clients: StackClients, standing: StackOutputs, folder: Path) -> None:
    url = upload_site(clients.s3, standing.site, folder, CONFIG)
    answer = requests.get(url, headers={"Origin": "https://elsewhere.example"}, timeout=10)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_an_empty_folder_is_no_site(clients: StackClients, standing: StackOutputs, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no built web client"):
        upload_site(clients.s3, standing.site, tmp_path, CONFIG)


def test_a_file_that_browsers_would_misread_is_refused(folder: Path) -> None:
    (folder / "notes.docx").write_bytes(b"")
    with pytest.raises(Invalid, match=r"notes\.docx"):
        site_files(folder)


def test_pages_go_after_what_they_name(folder: Path) -> None:
    keys = [file.key for file in site_files(folder)]
    assert keys[-2:] == ["watch.html", "index.html"]
    assert "config.json" not in keys


@pytest.mark.parametrize(
    ("key", "cache"),
    [
        ("assets/main-D3adB33f.js", FOREVER),
        ("assets/style-a_b-C-1z.css", FOREVER),
        ("assets/main-D3adB33f.js.map", FOREVER),
        ("assets/worker.D3adB33f.js", FOREVER),
        ("assets/web-polyfill.js", ASK_AGAIN),
        ("assets/tfjs-backend-wasm.wasm", ASK_AGAIN),
        ("main-D3adB33f.js", ASK_AGAIN),
        ("index.html", ASK_AGAIN),
        ("logo.svg", ASK_AGAIN),
    ],
)
def test_only_names_with_a_hash_are_kept_for_ever(key: str, cache: str) -> None:
    assert site_file(key, b"x").cache_control == cache


def test_what_gains_nothing_is_not_compressed() -> None:
    small, large = site_file("a.js", b"x = 1"), site_file("a.js", SCRIPT)
    assert (small.gzipped, small.body) == (False, b"x = 1")
    assert large.gzipped
    assert gzip.decompress(large.body) == SCRIPT
    assert site_file("a.js", SCRIPT).body == large.body, "the same bytes every time"
    assert not site_file("photo.png", b"\x89PNG" * 1000).gzipped
