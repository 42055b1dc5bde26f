"""A terminal: a shell that is given one command after another, and whose output is waited for."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Condition, Thread

ENDED = "tutorial:ended:"


class Terminal:
    """A shell in a folder."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._shell = subprocess.Popen(
            # Where tests run in the background Ctrl-C is ignored, by what they start too.
            ["env", "--default-signal=INT", "bash", "--norc", "--noprofile"],
            cwd=folder, env=environment, text=True, start_new_session=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self._changed = Condition()
        self._said, self._read, self._over = "", 0, False
        self._reader = Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def said(self) -> str:
        """All that was printed so far."""
        return self._said

    def type(self, command: str) -> None:
        """Types a command, which runs from then on."""
        assert self._shell.stdin is not None
        # What the command reads is not what the shell is to do next; the shell outlives Ctrl-C.
        self._shell.stdin.write(f'trap : INT; {{ {command}\n}} </dev/null\nprintf "\\n{ENDED}$?\\n"\n')

    def interrupt(self) -> None:
        """Presses Ctrl-C."""
        os.killpg(self._shell.pid, signal.SIGINT)

    def ended(self, seconds: float) -> tuple[str, int]:
        """What the command printed since last asked, and its exit status, once it has ended."""
        found = self._await(re.compile(rf"(.*?)\n{ENDED}(\d+)\n", re.DOTALL), seconds)
        return found[1], int(found[2])

    def printed(self, pattern: str, seconds: float) -> None:
        """Waits until it has printed something, and reads on behind it."""
        self._await(re.compile(pattern), seconds)

    def close(self) -> None:
        """Ends the shell and all that it started."""
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGTERM)
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(timeout=60)
        self._reader.join(timeout=60)
        assert self._shell.stdout is not None
        self._shell.stdout.close()

    def _await(self, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
        with self._changed:
            self._changed.wait_for(lambda: self._over or pattern.match(self._said, self._read), seconds)
            found = pattern.match(self._said, self._read)
            if found is None:
                raise AssertionError(f"not seen in {seconds:.0f} s: {pattern.pattern}\nbut: {self._said[self._read :]}")
            self._read = found.end()
            return found

    def _listen(self) -> None:
        assert self._shell.stdout is not None
        for line in self._shell.stdout:
            with self._changed:
                self._said += line
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()
