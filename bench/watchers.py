"""What 10,000 watchers of a run ask for: one conditional request each, of the embedded engine's site bucket.

    python bench/watchers.py [--watchers N] [--commits N]

A run of so many commits (1 to 4 updates each, an evaluation every fourth) is shown by the functions' own code. Then all
watchers ask three times, over 32 connections: at first, when there is nothing new, and when there is. Bytes are those
of whole answers, with their headers. How fast it goes is the engine's speed on this machine, not S3's.
"""

import argparse
import http.client
import json
import os
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from urllib.parse import urlsplit

import numpy as np
from measure import machine, table
from scaling import PARAMETERS, spec

from webnn import aws, wiring
from webnn.core.records import Evaluation, Update
from webnn.core.wire import sha256
from webnn.local.engine import embedded_engine
from webnn.settings import environment, settings
from webnn.shown import decoded
from webnn.stack import create_or_update
from webnn.store import keys
from webnn.store.memory import MemoryBlobs, MemoryCatalog
from webnn.store.public import PublicObjects
from webnn.wiring import Services, assemble

RUN, CONNECTIONS, CLIENTS = "watched", 32, 64
TEMPLATE = Path(__file__).resolve().parents[1] / "infra" / "stack.yaml"
BODY = np.full(PARAMETERS, 1e-4, "<f4").tobytes()


def lived(public: PublicObjects, commits: int) -> Services:
    """A run of so many commits, shown."""
    made = assemble(MemoryCatalog(), MemoryBlobs(wiring.now), "s" * 64, lambda _: None, public=public)
    made.runs.start(
        RUN,
        "A run to watch",
        "As long as a description is.",
        json.dumps(spec()).encode(),
        np.zeros(PARAMETERS, np.float32),
    )
    for number in range(commits):
        commit(made, 1 + number % 4)
    while made.live.show(RUN) and not shown(made, public):
        pass
    return made


def commit(made: Services, updates: int) -> None:
    """Merges so many updates at once, and evaluates now and then."""
    for number in range(updates):
        head, now = made.catalog.head(RUN), wiring.now()
        base = max(0, head.version - number)
        client = f"{(head.version * 7 + number) % CLIENTS:032x}"
        update = Update(
            RUN, wiring.new_id(), client, base, 0, 4, 256, len(BODY), sha256(BODY), "float32", now, now + 900_000
        )
        made.catalog.open_update(update)
        made.blobs.create(keys.update(RUN, update.update_id), BODY)
    made.committer.drain(RUN, lambda: False)
    version = made.catalog.head(RUN).version
    if updates == 4:
        missing = 0.9 * np.exp(-version / 500)
        made.catalog.record_evaluation(
            Evaluation(RUN, version, wiring.new_id(), "0" * 32, 2.5 * missing, 1 - missing, 1000, wiring.now())
        )


def shown(made: Services, public: PublicObjects) -> bool:
    """Whether all is: a long history is read over several looks."""
    found = public.read(f"live/{RUN}.json")
    told = decoded(found.body) if found else None
    return told is not None and told.spent.version == made.catalog.head(RUN).version


class Crowd:
    """Watchers, each with the tag of what it saw last, over some connections."""

    def __init__(self, address: str, watchers: int) -> None:
        parts = urlsplit(address)
        self._host, self._port, self._path = parts.hostname or "", parts.port, parts.path
        self._own = local()
        self._tags = [""] * watchers
        self._pool = ThreadPoolExecutor(CONNECTIONS)

    def ask(self) -> tuple[list[tuple[int, int, float]], float]:
        """Each asks once: status, bytes and milliseconds of each answer, and the seconds that all took."""
        begun = time.perf_counter()
        answers = list(self._pool.map(self._one, range(len(self._tags))))
        return answers, time.perf_counter() - begun

    def _one(self, watcher: int) -> tuple[int, int, float]:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        headers = {"If-None-Match": self._tags[watcher], "Accept-Encoding": "gzip"}
        begun = time.perf_counter()
        self._own.connection.request(
            "GET", self._path, headers={name: value for name, value in headers.items() if value}
        )
        answer = self._own.connection.getresponse()
        body = answer.read()
        self._tags[watcher] = answer.headers["ETag"]
        size = len(body) + sum(len(f"{name}: {value}\r\n") for name, value in answer.getheaders())
        return answer.status, size, 1000 * (time.perf_counter() - begun)


def figures(made: Services, address: str, watchers: int) -> Iterator[dict[str, float | str]]:
    """One row for each time that all ask."""
    crowd = Crowd(address, watchers)
    for what in ("first", "nothing new", "something new"):
        if what == "something new":
            commit(made, 3)
            made.live.show(RUN)
        answers, seconds = crowd.ask()
        times = sorted(milliseconds for *_, milliseconds in answers)
        yield {
            "asked": what,
            "answers": " and ".join(sorted({str(status) for status, *_ in answers})),
            "bytes each": statistics.mean(size for _, size, _ in answers),
            "a second": len(answers) / seconds,
            "p50 ms": times[len(times) // 2],
            "p99 ms": times[len(times) * 99 // 100],
        }


def main() -> None:
    """Prints the table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=300)
    wanted = parser.parse_args()
    with embedded_engine(secrets.token_urlsafe(32)) as engine:
        os.environ.update({**engine.environment(), "WEBNN_STAGE": "local"})
        where = environment(os.environ)
        create_or_update(
            aws.stack_clients(where), "local", TEMPLATE.read_text(), wiring.new_secret(), wiring.paced(60, 0.1)
        )
        public = aws.public_objects(settings(where, aws.client(where, "ssm")))
        made = lived(public, wanted.commits)
        rows = list(figures(made, public.address(f"live/{RUN}.json"), wanted.watchers))
    head = list(rows[0])
    print(
        table(
            head, [[row[name] if isinstance(row[name], str) else f"{row[name]:,.0f}" for name in head] for row in rows]
        )
    )
    print(json.dumps({"machine": machine(), "watchers": wanted.watchers, "commits": wanted.commits, "rows": rows}))


if __name__ == "__main__":
    sys.exit(main())
