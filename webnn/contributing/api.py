"""The server as a client sees it: `docs/openapi.yaml`, and blobs by presigned URL. What it gives has been checked."""

from typing import Any, Literal, cast
from urllib.parse import quote

import msgspec
import requests
from msgspec import Struct, field

from webnn.contributing.faults import NotUnderstood, Refused, Stale
from webnn.contributing.http import ATTEMPTS, TIMEOUT_SECONDS, Call, Http, Retry, is_later, later
from webnn.core.records import Encoding
from webnn.core.wire import Quantization, sha256
from webnn.errors import Corrupt, Unavailable

VERDICTS = ("corrupt", "internal")  # the server's own, that trying again is in vain
CURIOUS = {"attempts": 1, "timeout": 5.0}


class Membership(Struct, frozen=True):
    """What joining gives."""

    client_id: str
    token: str
    expires_in: float


class Blob(Struct, frozen=True):
    """Where a blob is, and what it must be. Examples are those of a shard."""

    url: str
    sha256: str
    bytes: int
    examples: int = 0


class Training(Struct, frozen=True):
    """How to train."""

    optimizer: str
    learning_rate: float
    loss: str
    local_steps: int
    batch_size: int
    encoding: Encoding


class PeerTraining(Struct, frozen=True):
    """Where clients merge each other's updates in weights of their own."""

    rule: str
    genesis: Blob
    steps: int


class TrainTask(Struct, frozen=True, tag_field="kind", tag="train"):
    """Train and send."""

    version: int
    generation: int
    model: Blob
    checkpoint: Blob
    shard: Blob | None
    offset: int
    seed: int
    training: Training
    expires_in: float
    peer: PeerTraining | None = None
    validation: Blob | None = None


class EvaluateTask(Struct, frozen=True, tag_field="kind", tag="evaluate"):
    """Evaluate on all shards and report."""

    evaluation_id: str
    version: int
    generation: int
    model: Blob
    checkpoint: Blob
    shards: tuple[Blob, ...]
    batch_size: int
    loss: str
    expires_in: float


class WaitTask(Struct, frozen=True, tag_field="kind", tag="wait"):
    """Ask again later."""

    seconds: float
    reason: str


class StopTask(Struct, frozen=True, tag_field="kind", tag="stop"):
    """The run is over."""

    reason: str


Task = TrainTask | EvaluateTask | WaitTask | StopTask


class Upload(Struct, frozen=True):
    """A form to send the body with."""

    url: str
    fields: dict[str, str]


class Ticket(Struct, frozen=True):
    """The leave to upload what was announced."""

    update_id: str
    upload: Upload
    expires_in: float


class Settled(Struct, frozen=True):
    """What became of an update, or that it is pending."""

    state: Literal["pending", "merged", "discarded", "rejected"]
    reason: str | None = None
    version: int | None = None
    staleness: int | None = None


class PeerUpdate(Struct, frozen=True):
    """Another client's update, to be added to the genesis."""

    update_id: str
    local_steps: int
    examples: int
    accuracy: float | None
    encoding: Encoding
    body: Blob
    quantization: tuple[dict[str, float], ...] = ()

    @property
    def packing(self) -> tuple[Quantization, ...]:
        """How its tensors are quantised."""
        return tuple(Quantization(one["min"], one["scale"]) for one in self.quantization)


class Exchanged(Struct, frozen=True):
    """What another client left, if there is any."""

    peer: PeerUpdate | None


class _Described(Struct, frozen=True):
    created_at: int


class _Problem(Struct, frozen=True):
    code: str
    message: str
    details: dict[str, Any] = field(default_factory=dict)


class _Refusal(Struct, frozen=True):
    error: _Problem


class Api:
    """The API at an address. All calls raise Refused, Unavailable (NotUnderstood, too), or Left."""

    def __init__(self, base: str, run: str, http: Http) -> None:
        """Takes the API's base URL, the run's name, and what sends requests."""
        self.run = run
        self._at = f"{base.rstrip('/')}/runs/{quote(run, safe='')}"
        self._http = http

    def created_at(self) -> int:
        """`GET` of the run: when it was made, which tells it from another that is given its name."""
        return cast(_Described, self._json(_Described, "", None, None)).created_at

    def join(self) -> Membership:
        """`POST clients`."""
        return cast(Membership, self._json(Membership, "/clients", None, {}))

    def next_task(self, token: str) -> Task:
        """`POST tasks`."""
        return cast(Task, self._json(Task, "/tasks", token, {}))

    def announce(self, token: str, announcement: dict[str, Any]) -> Ticket:
        """`POST updates`."""
        return cast(Ticket, self._json(Ticket, "/updates", token, announcement))

    def settled(self, token: str, update_id: str) -> Settled:
        """`GET updates`: one short try, for nothing depends on the answer."""
        return cast(Settled, self._json(Settled, f"/updates/{update_id}", token, None, **CURIOUS))

    def exchange(self, token: str, update_id: str) -> PeerUpdate | None:
        """`POST exchange`."""
        return cast(Exchanged, self._json(Exchanged, "/exchange", token, {"update_id": update_id})).peer

    def report(self, token: str, report: dict[str, Any]) -> None:
        """`POST evaluations`."""
        self._json(Any, "/evaluations", token, report)

    def complain(self, token: str, report: dict[str, Any]) -> None:
        """`POST failures`: one short try."""
        self._json(Any, "/failures", token, report, **CURIOUS)

    def download(self, blob: Blob) -> bytes:
        """A blob; size and SHA-256 are checked. Raises Stale and Corrupt as well."""

        def read(answer: requests.Response) -> bytes:
            if not answer.ok:
                raise _storage(answer, "download")
            self._http.down += len(answer.content)
            if len(answer.content) != blob.bytes or sha256(answer.content) != blob.sha256:
                raise Retry(Corrupt("the bytes that arrived are not those that were named"))
            return answer.content

        return self._http.call(Call("GET", blob.url, bytes=blob.bytes), read)

    def upload(self, upload: Upload, body: bytes) -> None:
        """The form, then the file. Raises Stale when storage refuses the ticket."""

        def read(answer: requests.Response) -> None:
            if answer.status_code in (409, 412):  # an earlier try arrived
                return
            if not answer.ok:
                raise _storage(answer, "upload")
            self._http.up += len(body)

        self._http.call(Call("POST", upload.url, form=upload.fields, file=body, bytes=len(body)), read)

    def _json(
        self, kind: Any, path: str, token: str | None, body: dict[str, Any] | None,
        attempts: float = ATTEMPTS, timeout: float = TIMEOUT_SECONDS,
    ) -> Any:  # fmt: skip
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        sent = None if body is None else msgspec.json.encode(body)
        headers |= {} if sent is None else {"content-type": "application/json"}
        method, size = ("GET", 0) if sent is None else ("POST", len(sent))

        def read(answer: requests.Response) -> Any:
            self._http.up += size
            self._http.down += len(answer.content)
            if not answer.ok:
                raise _refusal(answer)
            return _parsed(kind, answer.content)

        call = Call(method, f"{self._at}{path}", headers, sent, bytes=size, attempts=int(attempts), timeout=timeout)
        return self._http.call(call, read)


def _parsed(kind: Any, body: bytes) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise NotUnderstood(f"the server's answer is not one that this client knows: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Retry(Unavailable("something between this machine and the server answered in its place")) from error


def _refusal(answer: requests.Response) -> Exception:
    try:
        said = msgspec.json.decode(answer.content, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = None
    if is_later(answer) and not (said and said.code in VERDICTS):
        return later(answer)
    if said is not None:
        return Refused(answer.status_code, said.code, said.message, {})
    # A proxy, a firewall, the page that a hotel's network shows first: none of them speaks for the server.
    return Unavailable(f"something between this machine and the server answered {answer.status_code}")


def _storage(answer: requests.Response, verb: str) -> Exception:
    return later(answer) if is_later(answer) else Stale(f"storage refused the {verb} with {answer.status_code}")
