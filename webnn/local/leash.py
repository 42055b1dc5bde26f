"""Runs a command that must not outlive its starter: `python -I leash.py COMMAND …`.

The starter holds the other end of standard input and never writes. When that ends, by whatever death of the
starter, or when this process is told to stop, the command's whole group is told to stop, and killed if it lingers.
Standard library only, so that it starts at once from an isolated interpreter.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

LINGER_SECONDS = 3.0


def main(command: list[str]) -> int:
    """Runs the command; gives its exit status."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)

    def stop(_signal: int = 0, _frame: FrameType | None = None) -> None:
        threading.Thread(target=_end, args=(child,), daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_when_starter_goes, args=(stop,), daemon=True).start()
    return child.wait()


def _when_starter_goes(stop: Callable[[], None]) -> None:
    while os.read(0, 1):
        pass
    stop()


def _end(child: "subprocess.Popen[bytes]") -> None:
    _signal_group(child, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(LINGER_SECONDS)
    # Also after the leader is gone: what it started may still be there.
    _signal_group(child, signal.SIGKILL)


def _signal_group(child: "subprocess.Popen[bytes]", which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, which)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
