"""Merger processes: `python merger.py`, told on standard input what to start, one line of JSON for each.

This process has everything imported and makes each merger by forking, since importing takes a second of a core and the
mergers of a race live for shorter than that. A merger makes its own stores, from its environment, by the same road as
a function. All of them end with this process, and this one with its standard input.
"""

import json
import os
import signal
import sys
import time
from typing import Any

import msgspec
from faults import Faulty, Heedless

from webnn import aws, clearing, turns, wiring
from webnn.errors import WebnnError
from webnn.observe import Attempt
from webnn.settings import environment, settings

LOOK_SECONDS = 0.5
# So that the engine, one Python process on a core that it shares, is busy with commits and not with questions.
PAUSE_SECONDS = 0.2


class Orders(msgspec.Struct, frozen=True):
    """How a merger is to live.

    Attributes:
        answer_seconds: The time that it gives one message.
        heedless: Whether it takes turns with nobody.
        dies: One in so many of its commits it does not live to see: it ends with its checkpoint written; 0 for none.
        lease_milliseconds: How long a dead merger's turn keeps the others waiting.
        writer_milliseconds: How old an orphan must be to be cleared.
        sweep_seconds: How often it sweeps; 0 for never.
    """

    run: str
    journal: str
    answer_seconds: float = 2.0
    heedless: bool = False
    dies: int = 0
    lease_milliseconds: int = turns.LEASE_MILLISECONDS
    writer_milliseconds: int = clearing.WRITER_MILLISECONDS
    sweep_seconds: float = 0.0


class Journal:
    """What a merger tells: lines in a file that all of them append to, each in one write."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def tell(self, **what: Any) -> None:
        os.write(self._file, json.dumps(what).encode() + b"\n")

    def attempted(self, attempt: Attempt) -> None:
        self.tell(landed=attempt.landed)


def merge(orders: Orders) -> None:
    """Answers one message after another for as long as its starter lives."""
    turns.LEASE_MILLISECONDS = orders.lease_milliseconds
    clearing.WRITER_MILLISECONDS = orders.writer_milliseconds
    journal, starter = Journal(orders.journal), os.getppid()
    services = _services(orders, journal)
    ring, swept_at = json.dumps({"run": orders.run}).encode(), time.monotonic()
    while os.getppid() == starter:
        answered = services.answerer.answer([ring], wiring.deadline(orders.answer_seconds))
        journal.tell(answered=True)
        for _, error in answered.failures:
            journal.tell(failed=f"{type(error).__name__}: {error}")
        if orders.sweep_seconds and time.monotonic() - swept_at > orders.sweep_seconds:
            swept_at = time.monotonic()
            _sweep(services, journal)
        time.sleep(PAUSE_SECONDS)


def _services(orders: Orders, journal: Journal) -> wiring.Services:
    while True:
        where = environment(os.environ)
        try:
            found = settings(where, aws.client(where, "ssm"))
        except WebnnError as error:  # the engine is being restarted
            journal.tell(failed=f"{type(error).__name__}: {error}")
            time.sleep(LOOK_SECONDS)
            continue
        made = wiring.services_of(found, journal.attempted)
        catalog: Any = Heedless(made.catalog) if orders.heedless else made.catalog
        if orders.dies:
            catalog = Faulty(catalog, before=_death(orders.dies))
        if catalog is made.catalog:
            return made
        return wiring.assemble(catalog, made.blobs, found.token_secret, lambda _: None, observe=journal.attempted)


def _death(one_in: int) -> Any:
    """Ends the process before a commit, now and then: what it wrote stays behind as an orphan."""

    def hook(method: str) -> None:
        if method == "commit" and os.urandom(1)[0] % one_in == 0:
            os._exit(9)

    return hook


def _sweep(services: wiring.Services, journal: Journal) -> None:
    for swept in services.sweeper.sweep(wiring.deadline(30.0)):
        journal.tell(orphans=swept.cleared.orphans, failed=str(swept.error) if swept.error else None)


def main() -> None:
    """Starts what it is told to, and tells each one's process id."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the killed are nobody's to wait for
    for line in sys.stdin:
        orders = msgspec.json.decode(line, type=Orders)
        pid = os.fork()
        if not pid:
            try:
                merge(orders)
            finally:
                os._exit(1)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
