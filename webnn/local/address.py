"""Where the stage that `webnn dev` keeps up can be reached: a file that is there for as long as the stage is.

It lies in `.webnn` of the checkout, or in the folder that WEBNN_STATE names, and only its owner can read it, for it
holds the key of the engine. Whether the stage is still up says a lock that its process holds: a lock ends with its
holder, by whatever death, and a file does not.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from webnn.errors import Conflict, Invalid, Missing

PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class Address(Struct, frozen=True):
    """What other programs of this machine must know to reach the stage.

    Attributes:
        page, watch: Of the web client; a run is added as `?run=NAME`.
        api: Base URL.
        pid: The process that keeps the stage up.
        environment: What AWS clients must find in theirs. Holds a secret.
    """

    page: str
    watch: str
    api: str
    pid: int
    environment: dict[str, str]


Announce = Callable[[Address], None]


def folder(checkout: Path, variables: Mapping[str, str]) -> Path:
    """Where the file lies."""
    return Path(variables.get("WEBNN_STATE") or checkout / ".webnn")


def found(where: Path) -> Address | None:
    """The stage that is up; None if there is none.

    Raises:
        Missing: One was, and its process was killed before it could take the file away.
        Invalid: The file cannot be read.
    """
    path = where / "local.json"
    try:
        address = msgspec.json.decode(path.read_bytes(), type=Address)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid(f"{path} cannot be read ({error}): delete it and start `webnn dev` again") from error
    if not _is_held(where):
        raise Missing(f"`webnn dev` (process {address.pid}) was killed, and its data with it: start it again")
    return address


@contextmanager
def claimed(where: Path, looks: Iterable[object]) -> Iterator[Announce]:
    """Makes this process the one that keeps a stage up; gives what makes its address known till the block ends.

    Args:
        where: The folder; made if it is not there.
        looks: Paces the tries, since whoever looks for a stage holds the lock for a moment too.

    Raises:
        Conflict: Another process keeps one up.
        Invalid: The folder cannot be written to.
    """
    path = where / "local.json"
    with _opened(where) as lock:
        if not any(_locked(lock, exclusive=True) for _ in looks):
            raise Conflict(f"`webnn dev` runs already{_by_whom(path)}: use that, or give this WEBNN_STATE=FOLDER")
        path.unlink(missing_ok=True)  # of one that was killed
        try:
            yield lambda address: _write(path, address)
        finally:
            path.unlink(missing_ok=True)


def _opened(where: Path) -> IO[bytes]:
    try:
        where.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
        return os.fdopen(os.open(where / "local.lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE), "r+b")
    except OSError as error:
        raise Invalid(f"{where} cannot be written to ({error}): set WEBNN_STATE to a folder that can") from error


def _is_held(where: Path) -> bool:
    with suppress(FileNotFoundError), open(where / "local.lock", "rb") as lock:
        return not _locked(lock, exclusive=False)
    return False


def _locked(lock: IO[bytes], *, exclusive: bool) -> bool:
    """Whether the lock was to be had. It goes when the file is closed."""
    import fcntl  # noqa: PLC0415  # Windows has none; whoever only deploys from there needs none

    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _by_whom(path: Path) -> str:
    try:
        return f" (process {msgspec.json.decode(path.read_bytes(), type=Address).pid})"
    except (OSError, msgspec.DecodeError):
        return ""  # it is starting still


def _write(path: Path, address: Address) -> None:
    """All of it or nothing, and never readable by others."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
        file.write(msgspec.json.encode(address))
    new.replace(path)
