"""A store behind a certificate of one's own: whom AWS's configuration trusts is trusted by all that speaks to it."""

import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from webnn import aws
from webnn.errors import Invalid, Unavailable
from webnn.settings import Environment, Settings
from webnn.store.ports import Blobs


class Handler(BaseHTTPRequestHandler):
    """Answers whatever is asked for with the same bytes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
        self.send_header("ETag", '"x"')
        self.end_headers()
        self.wfile.write(b"hello")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "own.pem")),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "own.pem"


@pytest.fixture(scope="module")
def endpoint(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_port}"
        server.shutdown()


def blobs(endpoint: str) -> Blobs:
    where = Environment("dev", "us-east-1", endpoint)
    return aws.stores(Settings(where, "bucket", "site", "table", "queue", "s" * 64))[1]


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("webnn.aws.TRIES", 0)


def test_a_certificate_that_is_trusted_is_enough(
    endpoint: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    assert blobs(endpoint).get("shards/a.bin") == b"hello"


def test_a_certificate_that_nobody_trusts_is_not(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with pytest.raises(Unavailable):
        blobs(endpoint).get("shards/a.bin")


def test_a_file_of_certificates_that_is_not_there_is_named(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/own.pem")
    with pytest.raises(Invalid, match="own"):
        blobs(endpoint)
