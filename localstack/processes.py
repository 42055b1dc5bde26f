"""What the engine's processes say when they are up, and who could reach them."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from webnn.errors import Unavailable
from webnn.local.processes import Child
from webnn.local.sockets import assert_loopback_only, listening_addresses

LOOK_SECONDS = 0.05
LAST_LINES = 40


def announcement(child: Child, seconds: float) -> dict[str, Any]:
    """The line of JSON that a process prints once it has its port.

    Raises:
        Unavailable: It ended before, or did not say it in time; `details["log"]` has its last words.
    """
    end = time.monotonic() + seconds
    lines: list[str] = []
    while time.monotonic() < end:
        child.check()
        lines, _ = child.lines_from(0)
        said = next((line for line in lines if line.startswith("{")), None)
        if said is not None:
            found: dict[str, Any] = json.loads(said)
            return found
        time.sleep(LOOK_SECONDS)
    raise Unavailable(f"{child.name} did not come up", log="\n".join(lines[-LAST_LINES:]))


def assert_tree_on_loopback(pid: int, port: int) -> None:
    """Refuses a process if other machines could talk to it or to what it started.

    Raises:
        Invalid: One of them listens on an address that is not loopback, or none listens at all.
    """
    listening = [one for one in tree(pid) if listening_addresses(one)] if Path("/proc/self/fd").exists() else []
    for one in listening or [pid]:
        assert_loopback_only(one, port)


def tree(pid: int) -> list[int]:
    """A process and all that descend from it, where the system has a /proc to look into."""
    found = [pid]
    for one in found:
        found.extend(_children(one))
    return found


def _children(pid: int) -> list[int]:
    """Looked for again if a thread has ended meanwhile: its children are another's then."""
    while True:
        with suppress(FileNotFoundError, ProcessLookupError):
            threads = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
            return [int(child) for said in threads for child in said.split()]
