"""What S3 says no with, as the reader and the command line understand it."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from webnn import aws
from webnn.errors import Missing, Unavailable
from webnn.settings import Environment, Settings
from webnn.store.s3 import S3Blobs

Answering = Callable[[int, bytes], S3Blobs]
REFUSED = b"<Error><Code>AccessDenied</Code><Message>not you</Message></Error>"


class Handler(BaseHTTPRequestHandler):
    """Answers everything alike."""

    answer = (200, b"")

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("webnn.aws.TRIES", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()

        def blobs(status: int, body: bytes) -> S3Blobs:
            monkeypatch.setattr(Handler, "answer", (status, body))
            where = Environment("dev", "us-east-1", f"http://127.0.0.1:{server.server_port}")
            return aws.stores(Settings(where, "bucket", "site", "table", "queue", "s" * 64))[1]

        yield blobs
        server.shutdown()


@pytest.mark.parametrize(("status", "means"), [(404, Missing), (400, Unavailable), (500, Unavailable)])
def test_a_refusal_that_a_caller_can_act_on_is_ours(answering: Answering, status: int, means: type[Exception]) -> None:
    with pytest.raises(means):
        answering(status, b"<Error><Code>Odd</Code></Error>").get("shards/a.bin")


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_is_lacking_is_told_in_one_line(answering: Answering, status: int) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011  # obstore has one for each; what matters is below
        answering(status, REFUSED).get("shards/a.bin")
    told = aws.refusal(refused.value)
    assert told is not None
    assert "\n" not in told
    assert "shards/a.bin" in told


def test_what_s3_did_not_delete_is_named(answering: Answering) -> None:
    left = b"<Error><Key>b</Key><Code>InternalError</Code><Message>again</Message></Error>"
    blobs = answering(200, b"<DeleteResult>" + left + b"</DeleteResult>")
    with pytest.raises(Unavailable, match="did not delete b: again"):
        blobs.delete(["a", "b"])
