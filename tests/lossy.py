"""A proxy between a client and an engine that loses what a test tells it to lose."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit


class Proxy:
    """Forwards requests.

    Attributes:
        url: Where it answers.
        lose_answer_to: Of the request line and the operation's header; the next request of which it is true is
            forwarded, and the connection closed without the answer.
        lost: Requests whose answers were lost.
        seen: Requests in all.
    """

    def __init__(self, url: str, engine: str) -> None:
        self.url = url
        self.engine = urlsplit(engine)
        self.lose_answer_to: Callable[[str], bool] | None = None
        self.lost = 0
        self.seen = 0

    def loses(self, request: str) -> bool:
        """Whether to lose the answer to this one; at most one is lost for each time it was told to."""
        self.seen += 1
        if self.lose_answer_to is None or not self.lose_answer_to(request):
            return False
        self.lose_answer_to = None
        self.lost += 1
        return True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        status, headers, answer = self.forwarded(self.body())
        if self.proxy.loses(f"{self.command} {self.path} {self.headers.get('x-amz-target', '')}"):
            self.close_connection = True
            return
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.send(answer)

    def send(self, answer: bytes) -> None:
        self.wfile.write(answer)

    def aim(self) -> tuple[str, int | None, str]:
        """Whom to forward to, and what to ask for."""
        return self.proxy.engine.hostname or "", self.proxy.engine.port, self.path

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def forwarded(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        host, port, path = self.aim()
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            # With the client's own Host: the signature covers it.
            connection.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "proxy-connection", "expect"):
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


@contextmanager
def lossy(engine: str) -> Iterator[Proxy]:
    """A proxy to the engine at this URL, on a free port of 127.0.0.1."""
    handler = type("BoundHandler", (Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}", engine)
        handler.proxy = proxy
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield proxy
        server.shutdown()
        thread.join()
