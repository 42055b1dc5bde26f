"""`webnn.Client` against a server that says little: what ends it, and what it refuses at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import msgspec
import pytest

import webnn
from webnn import wiring
from webnn.contributing.time import Time
from webnn.errors import Invalid, Missing

Answer = tuple[int, dict[str, object]]
MEMBER: Answer = (200, {"client_id": "c", "token": "t", "expires_in": 3600})
REFUSED: Answer = (401, {"error": {"code": "unauthorized", "message": "the token is none", "details": {}}})
GONE: Answer = (404, {"error": {"code": "missing", "message": "there is no run digits", "details": {}}})


def made(at: int) -> Answer:
    """What there is to read of a run that was made at this moment."""
    return 200, {"run": "digits", "created_at": at}


class Hasty(Time):
    """Its waits take no time."""

    def __init__(self) -> None:
        super().__init__(wiring.elapsed, lambda: 0.5)

    def sleep(self, seconds: float) -> None:
        super().sleep(0 * seconds)


@contextmanager
def serving(answers: dict[str, list[Answer]]) -> Iterator[tuple[str, list[str]]]:
    """A server that says these, by the end of the path, the last of them again and again; and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def do_GET(self) -> None:
            asked.append(self.path.rpartition("/")[2])
            left = answers[asked[-1]]
            status, body = left.pop(0) if len(left) > 1 else left[0]
            encoded = msgspec.json.encode(body)
            self.send_response(status)
            self.send_header("content-length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_run_that_is_deleted_while_it_takes_part_ends_it() -> None:
    with serving({"digits": [made(1), GONE], "clients": [MEMBER], "tasks": [GONE]}) as (api, asked):
        client = webnn.Client(api, "digits", time=Hasty())
        with pytest.raises(Missing, match="there is no run digits"):
            client.contribute(until={"seconds": 5})
    assert asked == ["digits", "clients", "tasks", "digits"]


def test_another_run_of_the_name_is_not_the_one_that_was_joined() -> None:
    with serving({"digits": [made(1), made(2)], "clients": [MEMBER], "tasks": [REFUSED]}) as (api, asked):
        client = webnn.Client(api, "digits", time=Hasty())
        with pytest.raises(Missing, match="the run digits was deleted, and another of its name was made since"):
            client.contribute(until={"seconds": 5})
    assert asked == ["digits", "clients", "tasks", "digits"]


def test_whom_the_run_only_does_not_know_any_more_joins_it_again() -> None:
    stop: Answer = (200, {"kind": "stop", "reason": "the run is finished"})
    with serving({"digits": [made(1)], "clients": [MEMBER], "tasks": [REFUSED, stop]}) as (api, asked):
        done = webnn.Client(api, "digits", time=Hasty()).contribute(until={"seconds": 5})
    assert done.finished
    assert asked == ["digits", "clients", "tasks", "digits", "clients", "tasks"]


@pytest.mark.parametrize(("api", "run"), [(None, "x"), ("", "x"), (None, None), ("http://127.0.0.1:9", 5)])
def test_what_is_no_address_or_no_name_is_refused_at_once(api: Any, run: Any) -> None:
    with pytest.raises(Invalid, match=r"webnn\.Client\(api, run\): (api|run) is "):
        webnn.Client(api, run)
