"""Announcing an update and asking what became of it. In the model (`spec/commit.pml`): Announce."""

from collections.abc import Callable

from msgspec import Struct

from webnn.core.records import Encoding, Status, Update
from webnn.core.spec import Spec
from webnn.core.wire import Quantization
from webnn.errors import Conflict, Invalid, Missing
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog, UploadTicket
from webnn.tokens import Member


class Announcement(Struct, frozen=True):
    """What a client says of the update it is about to upload. See `Update` for the members."""

    base_version: int
    generation: int
    local_steps: int
    examples: int
    bytes: int
    sha256: str
    encoding: Encoding
    quantization: tuple[Quantization, ...] = ()
    loss: float | None = None
    accuracy: float | None = None


class Opened(Struct, frozen=True):
    """A pending update and the ticket to upload it with.

    Attributes:
        expires_in: Seconds that the ticket is good.
    """

    update_id: str
    ticket: UploadTicket
    expires_in: int


class Updates:
    """Lets clients announce updates."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: Blobs,
        specs: Specs,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970) and a source of ids that never repeat."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._clock = clock
        self._new_id = new_id

    def announce(self, member: Member, announcement: Announcement) -> Opened:
        """Writes a pending update and gives the ticket for exactly the announced bytes.

        Raises:
            Missing: No such run.
            Invalid: The announcement cannot be true of this run.
            Conflict: The run is finished, or the work was done against another generation.
        """
        spec = self._specs.of(member.run)
        self._check_run(member.run, announcement)
        _check_body(spec, announcement)
        if spec.merge.where == "peer" and announcement.base_version != 0:
            raise Invalid("updates of peers stand on version 0: whoever takes one knows that and no other")
        update = _pending(member, announcement, self._new_id(), self._clock(), spec.limits.upload_seconds)
        self._catalog.open_update(update)
        ticket = self._blobs.upload_ticket(
            keys.update(member.run, update.update_id), update.bytes, update.sha256, spec.limits.upload_seconds
        )
        return Opened(update.update_id, ticket, spec.limits.upload_seconds)

    def state(self, member: Member, update_id: str) -> Update:
        """One of the client's own updates. Raises Missing for any other."""
        update = self._catalog.update(member.run, update_id)
        if update.client_id != member.client_id:
            raise Missing(f"no update {update_id!r}")
        return update

    def _check_run(self, run: str, announcement: Announcement) -> None:
        head = self._catalog.head(run)
        if head.status is Status.FINISHED:
            raise Conflict("the run is finished")
        if announcement.generation != head.generation:
            raise Conflict(f"the run is at generation {head.generation}, the update at {announcement.generation}")
        if announcement.base_version > head.version:
            raise Invalid(f"base version {announcement.base_version} is in the future", head_version=head.version)
        self._check_base(run, announcement.base_version)

    def _check_base(self, run: str, version: int) -> None:
        try:
            self._catalog.ledger_entry(run, version)
        except Missing as error:
            raise Invalid(f"base version {version} has no checkpoint: none was ever handed out") from error


def _check_body(spec: Spec, announcement: Announcement) -> None:
    expected = spec.update_bytes(announcement.encoding)
    if announcement.bytes != expected:
        raise Invalid(
            f"an update of this model takes {expected} bytes in {announcement.encoding}, "
            f"{announcement.bytes} were announced",
            expected=expected,
        )
    tensors = len(spec.weights) if announcement.encoding in ("uint8", "uint16") else 0
    if len(announcement.quantization) != tensors:
        raise Invalid(f"{announcement.encoding} takes {tensors} quantization entries", expected=tensors)


def _pending(member: Member, announcement: Announcement, update_id: str, now: int, upload_seconds: int) -> Update:
    return Update(
        run=member.run,
        update_id=update_id,
        client_id=member.client_id,
        base_version=announcement.base_version,
        generation=announcement.generation,
        local_steps=announcement.local_steps,
        examples=announcement.examples,
        bytes=announcement.bytes,
        sha256=announcement.sha256,
        encoding=announcement.encoding,
        created_at=now,
        expires_at=now + upload_seconds * 1000,
        quantization=announcement.quantization,
        loss=announcement.loss,
        accuracy=announcement.accuracy,
    )
