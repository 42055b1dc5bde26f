"""The line between a browser and everything that it asks for: a proxy that can be cut, and that can be slow."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

import lossy

LOOPBACK = "127.0.0.1"
CHUNK = 4096

Asked = Callable[[str], bool]


class Pipe:
    """One direction of a line, which all who use it share."""

    def __init__(self, bits_per_second: float) -> None:
        self._rate = bits_per_second / 8
        self._free = 0.0
        self._lock = Lock()

    def carry(self, size: int) -> None:
        """Waits until so many bytes are through."""
        with self._lock:
            self._free = max(self._free, time.monotonic()) + size / self._rate
            free = self._free
        time.sleep(max(free - time.monotonic(), 0.0))


class Line(lossy.Proxy):
    """A browser's line.

    Attributes:
        down: Whether it is cut.
        cut_amid: Of the request line. At the next request of which it is true the line is cut, half of the body sent.
        cut_after: The same, but the request arrives, and it is the answer that is lost.
        delay: Seconds that every request takes beside what its bytes take.
        sending, receiving: What bytes take; None: no time.
        heard: What the browser has sent: the first line and the headers of each request, and its body.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, "")
        self.down = False
        self.cut_amid: Asked | None = None
        self.cut_after: Asked | None = None
        self.delay = 0.0
        self.sending: Pipe | None = None
        self.receiving: Pipe | None = None
        self.heard: list[tuple[str, bytes]] = []
        self._open: set[socket] = set()

    def slow_to(self, bits_per_second: float, delay: float) -> None:
        self.delay = delay
        self.sending, self.receiving = Pipe(bits_per_second), Pipe(bits_per_second)

    def cut(self) -> None:
        """Breaks off all that is under way, and lets nothing through until it is mended."""
        self.down = True
        self.cut_amid = self.cut_after = None
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(SHUT_RDWR)

    def mend(self) -> None:
        self.down = False

    def opened(self, connection: socket) -> None:
        self._open.add(connection)

    def closed(self, connection: socket) -> None:
        self._open.discard(connection)

    def loses(self, request: str) -> bool:
        self.seen += 1
        if self.cut_after is not None and self.cut_after(request):
            self.cut()
        return self.down


class Handler(lossy.Handler):
    line: Line

    def setup(self) -> None:
        super().setup()
        self.line.opened(self.connection)

    def finish(self) -> None:
        self.line.closed(self.connection)
        super().finish()

    def handle_one_request(self) -> None:
        if self.line.down:
            self.close_connection = True
            return
        super().handle_one_request()

    def aim(self) -> tuple[str, int | None, str]:
        """A browser tells its proxy the whole address. Nothing but this machine is let be reached."""
        target = urlsplit(self.path)
        if target.hostname != LOOPBACK:
            raise ConnectionRefusedError(self.path)
        return target.hostname, target.port, target._replace(scheme="", netloc="").geturl()

    def body(self) -> bytes:
        size = int(self.headers.get("content-length", 0))
        if self.line.cut_amid is not None and self.line.cut_amid(f"{self.command} {self.path}"):
            self.rfile.read(size // 2)
            self.line.cut()
            raise ConnectionAbortedError(self.path)
        time.sleep(self.line.delay)
        read = bytearray()
        while len(read) < size:
            read += self.rfile.read(min(CHUNK, size - len(read)))
            if self.line.sending is not None:
                self.line.sending.carry(CHUNK)
        self.line.heard.append((f"{self.command} {self.path}\n{self.headers}", bytes(read)))
        return bytes(read)

    def send(self, answer: bytes) -> None:
        if self.line.receiving is None:
            super().send(answer)
            return
        for start in range(0, len(answer), CHUNK):
            self.line.receiving.carry(CHUNK)
            super().send(answer[start : start + CHUNK])


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that break are what this is for."""


@contextmanager
def line() -> Iterator[Line]:
    """A line for as long as the block lasts: give its URL to a browser as its proxy."""
    handler = type("BoundHandler", (Handler,), {})
    with Server((LOOPBACK, 0), handler) as server:
        found = Line(f"http://{LOOPBACK}:{server.server_address[1]}")
        handler.line = handler.proxy = found
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        yield found
        found.cut()
        server.shutdown()
        thread.join()
