"""Tries, pauses, tries again, within limits of time, and counts bytes: `web/src/http.ts` in Python."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from msgspec import Struct, field

from webnn.contributing.time import Time
from webnn.errors import Unavailable, WebnnError

ATTEMPTS = 4
TIMEOUT_SECONDS, CONNECT_SECONDS = 20.0, 10.0
SLOWEST_BYTES = 20_000  # a second
LONGEST_RETRY_AFTER = 60.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")

T = TypeVar("T")


class Call(Struct, frozen=True):
    """A request.

    Attributes:
        bytes: That it moves, as far as known beforehand.
        attempts: Tries.
        timeout: Seconds for one try with small bodies; big ones get longer by their size.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    form: Mapping[str, str] | None = None
    file: bytes | None = None
    bytes: int = 0
    attempts: int = ATTEMPTS
    timeout: float = TIMEOUT_SECONDS


class Retry(Exception):  # no error yet: the next try may do better
    """One try failed; when tries run out, `outcome` is raised."""

    def __init__(self, outcome: WebnnError, after: float | None = None) -> None:
        super().__init__(outcome.message)
        self.outcome, self.after = outcome, after


class Http:
    """Sends requests. To be used by one thread.

    Attributes:
        up: Bytes of bodies sent so far.
        down: Bytes of bodies received.
    """

    def __init__(self, time: Time) -> None:
        """Takes what measures and passes time."""
        self._time = time
        self._sessions: dict[bool, requests.Session] = {}
        self.up = self.down = 0

    def call(self, call: Call, read: Callable[[requests.Response], T]) -> T:
        """What `read` makes of an answer; it raises Retry where another try may do better.

        Raises:
            Unavailable: Nothing answers.
            Left: The client is told to stop meanwhile.
        """
        for attempt in range(call.attempts):
            self._time.check()
            try:
                return self._once(call, read)
            except Retry as failed:
                if attempt + 1 >= call.attempts:
                    raise failed.outcome from failed
                pause = self._time.backoff(attempt) if failed.after is None else failed.after
            self._time.sleep(pause)
        raise AssertionError("a call is tried at least once")

    def _once(self, call: Call, read: Callable[[requests.Response], T]) -> T:
        timeout = (CONNECT_SECONDS, call.timeout + call.bytes / SLOWEST_BYTES)
        files: Any = None if call.file is None else {"file": ("update.bin", call.file, "application/octet-stream")}
        try:
            answer = self._session(call.url).request(
                call.method, call.url, headers=dict(call.headers), data=call.form or call.body, files=files,
                timeout=timeout, allow_redirects=False,
            )  # fmt: skip
        except (requests.RequestException, OSError) as error:
            raise Retry(Unavailable("the server does not answer, or there is no network")) from error
        return read(answer)

    def _session(self, url: str) -> requests.Session:
        """Past any proxy to this machine's loopback: it could not reach that."""
        direct = urlsplit(url).hostname in LOOPBACK
        if direct not in self._sessions:
            self._sessions[direct] = requests.Session()
            self._sessions[direct].trust_env = not direct
        return self._sessions[direct]

    def close(self) -> None:
        """Lets go of all connections."""
        for session in self._sessions.values():
            session.close()


def is_later(answer: requests.Response) -> bool:
    """Whether it says "later": 429 and 5xx, from whomever."""
    return answer.status_code == 429 or answer.status_code >= 500


def later(answer: requests.Response) -> Retry:
    """Another try, when the server says that it may be worth it."""
    try:
        after: float | None = min(LONGEST_RETRY_AFTER, max(0.0, float(answer.headers.get("retry-after", ""))))
    except ValueError:
        after = None
    return Retry(Unavailable(f"the server answered {answer.status_code}"), after)
