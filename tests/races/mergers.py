"""The mergers of a race, as those see them who start and kill them."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from merger import Orders

TESTS = Path(__file__).resolve().parents[1]


class Mergers:
    """Processes that this test started, by their ids."""

    def __init__(self, nursery: "subprocess.Popen[str]", orders: Orders) -> None:
        self._nursery = nursery
        self._orders = orders
        self.run = orders.run
        self.pids: list[int] = []
        self.killed = 0
        self.died = 0

    def start(self, **changes: Any) -> int:
        """Starts one more; gives its process id."""
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        orders = msgspec.structs.replace(self._orders, **changes)
        self._nursery.stdin.write(msgspec.json.encode(orders).decode() + "\n")
        self._nursery.stdin.flush()
        pid = int(self._nursery.stdout.readline())
        self.pids.append(pid)
        return pid

    def kill(self, pid: int) -> None:
        """SIGKILL, if it is alive and one of these still: ids are given anew."""
        self.pids.remove(pid)
        if pid in self.living():
            os.kill(pid, signal.SIGKILL)
            self.killed += 1
        else:
            self.died += 1

    def stop(self) -> None:
        """Kills all that live."""
        for pid in list(self.pids):
            self.kill(pid)

    def living(self) -> set[int]:
        return {child.pid for child in psutil.Process(self._nursery.pid).children()}

    def told(self) -> list[dict[str, Any]]:
        journal = Path(self._orders.journal)
        return [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []

    def counts(self) -> Counter[str]:
        """How many attempts landed and were beaten, and how many messages failed."""
        found: Counter[str] = Counter()
        for line in self.told():
            if "landed" in line:
                found["landed" if line["landed"] else "beaten"] += 1
            elif "answered" in line:
                found["answered"] += 1
            elif line.get("failed"):
                found["failed"] += 1
        return found


@contextmanager
def mergers(variables: Mapping[str, str], orders: Orders) -> Iterator[Mergers]:
    """Mergers on a stage, for as long as the block lasts: none at first."""
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",  # a process with threads must not fork
        **variables,
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]),
    }
    command = [sys.executable, str(Path(__file__).with_name("merger.py"))]
    with subprocess.Popen(command, env=environment, stdin=-1, stdout=-1, text=True) as nursery:
        found = Mergers(nursery, orders)
        try:
            yield found
        finally:
            for pid in found.living():
                os.kill(pid, signal.SIGKILL)
            nursery.kill()
