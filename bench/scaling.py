"""How far one run scales: 10 to 10,000 clients in virtual time, on the real protocol and use cases.

    python bench/scaling.py                    the table
    python bench/scaling.py --write FILE       and the figures as JSON, which `scaling_plot.py` draws

Nothing here is AWS. The code is the functions' own, on stores in memory; how long AWS takes, lets through and asks for
is in `scaling_model.py`, with the source of each figure.
"""

import argparse
import json
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import table
from rich.console import Console
from rich.progress import Progress
from scaling_model import (
    CLIENT,
    COLD_START,
    MERGE_CPU,
    QUEUE,
    REQUEST_CPU,
    S3,
    S3_EVENT,
    Cloud,
)

from webnn import ahead as reading
from webnn.clients import Train, Wait
from webnn.core.ids import make_id
from webnn.core.wire import sha256
from webnn.errors import Unavailable, WebnnError
from webnn.simulate.network import Remote
from webnn.simulate.queue import Queue
from webnn.simulate.timeline import Timeline
from webnn.store import keys
from webnn.store.memory import MemoryBlobs, MemoryCatalog
from webnn.updates import Announcement
from webnn.wiring import Services, assemble

PARAMETERS = 25_000  # 100 KB
TRAINING = 10_000  # milliseconds that a client trains for an update
CLIENTS = [10, 30, 100, 300, 1_000, 3_000, 10_000]
ARRIVAL, WARM_UP, WINDOW = 60_000, 180_000, 120_000
API_CONTAINERS = 20
MERGE_LIMIT, MERGE_BUDGET = 60_000, 40_000
GB = {"API": 0.5, "merge": 1.0}
SHARD = {"sha256": "0" * 64, "bytes": 96, "examples": 8}


class Life:
    """So many clients at one run, for a while."""

    def __init__(self, clients: int, most: int) -> None:
        self.chance = random.Random(clients)  # noqa: S311  # chance, not secrecy
        self.timeline = Timeline()
        self.cloud = Cloud(self.timeline, self.chance)
        self.catalog, self.blobs = MemoryCatalog(), MemoryBlobs(self.timeline.clock)
        self.queue = Queue(self.timeline, self.invoke)
        self.most = most
        self.warm: list[Services] = []
        self.uploaded: dict[str, int] = {}
        self.waits: list[float] = []
        self.commits: list[tuple[int, int]] = []
        self.attempts = self.conflicts = self.failed = 0
        self.body = np.zeros(PARAMETERS, "<f4").tobytes()
        self.digest = sha256(self.body)
        self.clients = clients

    def services(self) -> Services:
        catalog = Remote(self.catalog, self.timeline, self.cloud.rows)
        blobs = Remote(self.blobs, self.timeline, self.cloud.blobs)
        return assemble(
            catalog, blobs, "s" * 64, self.ring, clock=self.timeline.clock, ids=self.new_id,
            ahead=self.ahead, observe=self.observe, most=self.most,
        )  # fmt: skip

    def new_id(self) -> str:
        return make_id(self.timeline.now, self.chance.randbytes(10))

    def ring(self, body: bytes) -> None:
        self.cloud.count["messages"] += 1
        self.queue.send(body)

    def ahead(self, fetch: Callable[[Any], Any], items: Sequence[Any], size: Any) -> Iterator[Callable[[], Any]]:
        """Sixteen at once, as threads read: the slowest of them is waited for. And the work on each."""
        fetch = lambda update: self.blobs.get(keys.update("line", update.update_id))  # noqa: E731  # at no distance
        for start in range(0, len(items), reading.MOST):
            chunk = items[start : start + reading.MOST]
            self.cloud.count["S3 reads"] += len(chunk)
            self.timeline.sleep(round(max(self.cloud.takes(S3) for _ in chunk) + MERGE_CPU * len(chunk)))
            yield from reading.one_by_one(fetch, chunk, size)

    def observe(self, attempt: Any) -> None:
        self.attempts += 1
        self.conflicts += not attempt.landed
        if attempt.landed:
            self.commits.append((self.timeline.now, len(attempt.commit.settled)))
            for update in attempt.commit.settled:
                if update.update_id in self.uploaded:
                    self.waits.append((self.timeline.now, self.timeline.now - self.uploaded.pop(update.update_id)))

    # -- functions ----------------------------------------------------------------------------------------------------

    def invoke(self, bodies: Sequence[bytes], done: Callable[[], None]) -> None:
        self.cloud.count["merge calls"] += 1

        def work() -> None:
            self.timeline.sleep(round(self.cloud.takes(QUEUE)))
            begun = self.timeline.now
            services = self.warm.pop() if self.warm else self.cold()
            end = self.timeline.now + MERGE_BUDGET
            try:
                if not services.answerer.answer(list(bodies), lambda: self.timeline.now >= end).failures:
                    done()
                self.warm.append(services)
            finally:
                self.cloud.count["merge GB ms"] += (self.timeline.now - begun) * GB["merge"]
                self.queue.ended()

        actor = self.timeline.spawn("merge", work)
        self.timeline.after(MERGE_LIMIT, lambda: self.timeline.kill(actor))

    def cold(self) -> Services:
        self.timeline.sleep(COLD_START)
        return self.services()

    # -- clients ------------------------------------------------------------------------------------------------------

    def client(self, api: list[Services]) -> None:
        member = self.request(lambda: self.chance.choice(api).clients.join("line"))
        while True:
            task = self.request(lambda: self.chance.choice(api).clients.next_task(member))
            if isinstance(task, Wait):
                self.timeline.sleep(int(task.seconds * 1000))
            elif isinstance(task, Train):
                self.train(self.chance.choice(api), member, task)
            else:
                self.timeline.sleep(1_000)

    def train(self, api: Services, member: Any, task: Train) -> None:
        self.cloud.count["S3 reads"] += 1
        self.timeline.sleep(round(self.cloud.takes(S3) + self.chance.expovariate(1 / TRAINING)))
        announcement = Announcement(
            task.head.version, task.head.generation, 4, 256, len(self.body), self.digest, "float32"
        )
        opened = self.request(lambda: api.updates.announce(member, announcement))
        if opened is not None:
            self.timeline.sleep(round(self.cloud.takes(S3)))
            self.upload(opened)

    def upload(self, opened: Any) -> None:
        self.cloud.count["S3 writes"] += 1
        key = opened.ticket.url.removeprefix("memory:")
        self.blobs.create(key, self.body)
        self.uploaded[opened.update_id] = self.timeline.now
        event = json.dumps({"Records": [{"s3": {"object": {"key": key}}}]}).encode()
        self.timeline.after(round(self.cloud.takes(S3_EVENT)), lambda: self.ring(event))

    def request(self, call: Callable[[], Any]) -> Any:
        """Through API Gateway, until it is answered."""
        while True:
            self.cloud.count["requests"] += 1
            self.timeline.sleep(round(self.cloud.takes(CLIENT)))
            begun = self.timeline.now
            try:
                self.timeline.sleep(REQUEST_CPU)
                return call()
            except (Unavailable, WebnnError):
                self.failed += 1
                self.timeline.sleep(2_000)
            finally:
                self.cloud.count["API GB ms"] += (self.timeline.now - begun) * GB["API"]

    # -- all of it ----------------------------------------------------------------------------------------------------

    def live(self, tick: Callable[[], None]) -> dict[str, Any]:
        at_home = assemble(self.catalog, self.blobs, "s" * 64, self.ring, clock=self.timeline.clock, ids=self.new_id)
        at_home.runs.start("line", "A line", "", json.dumps(spec()).encode(), np.zeros(PARAMETERS, np.float32))
        api = [self.services() for _ in range(API_CONTAINERS)]
        for _ in range(self.clients):
            self.timeline.spawn("client", lambda: self.client(api), self.chance.randrange(ARRIVAL))
        self.passes(WARM_UP, tick)
        self.cloud.count.clear()
        self.attempts = self.conflicts = self.failed = 0
        begun = self.timeline.now
        self.passes(WINDOW, tick)
        figures = self.figures(begun)
        self.timeline.end()
        return figures

    def passes(self, milliseconds: int, tick: Callable[[], None]) -> None:
        for _ in range(milliseconds // 10_000):
            self.timeline.run(self.timeline.now + 10_000)
            tick()

    def figures(self, begun: int) -> dict[str, Any]:
        merged = [count for when, count in self.commits if when >= begun]
        waits = sorted(wait for when, wait in self.waits if when >= begun)
        updates, seconds, count = sum(merged), WINDOW / 1000, self.cloud.count
        each = max(1, updates)
        return {
            "clients": self.clients,
            "updates/s": round(updates / seconds, 1),
            "p50 s": round(statistics.median(waits) / 1000, 1) if waits else None,
            "p99 s": round(waits[int(len(waits) * 0.99)] / 1000, 1) if waits else None,
            "updates/commit": round(updates / max(1, len(merged)), 1),
            "conflicts/commit": round(self.conflicts / max(1, len(merged)), 3),
            "waiting": self.catalog.pending_count("line", 10**6),
            "Lambda ms/update": round((count["API GB ms"] / GB["API"] + count["merge GB ms"] / GB["merge"]) / each, 1),
            "DynamoDB/update": round(count["DynamoDB requests"] / each, 1),
            "S3/update": round((count["S3 writes"] + count["S3 reads"]) / each, 2),
            "write units/s": round(count["write units"] / seconds),
            "read units/s": round(count["read units"] / seconds),
            "$/million": round(self.cloud.dollars(updates), 2),
            "throttled/s": round(count["throttled"] / seconds, 1),
            "requests/s": round(count["requests"] / seconds, 1),
        }


def spec() -> dict[str, Any]:
    """A model of 25,000 parameters."""
    return {
        "modelTopology": {"class_name": "Sequential", "config": {"layers": []}},
        "weightsManifest": [{"weights": [{"name": "dense/kernel", "shape": [PARAMETERS], "dtype": "float32"}]}],
        "data": {
            "inputs": [{"name": "x", "shape": [2], "dtype": "float32"}],
            "targets": [{"name": "y", "shape": [], "dtype": "float32"}],
            "train": [SHARD],
            "validation": [SHARD],
        },
        "training": {"loss": "meanSquaredError"},
        "merge": {"rule": {"name": "delta"}},  # auto writes 32 KB more with every commit
        "validation": {"every_versions": 10**9},
    }


def main() -> None:
    """Prints the table; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, nargs="*", default=CLIENTS)
    parser.add_argument("--write", type=Path, help="where to put the figures as JSON")
    wanted = parser.parse_args()
    with Progress(console=Console(stderr=True)) as bar:
        found = {}
        for label, most, sizes in (("group", 95, wanted.clients), ("one by one", 1, wanted.clients)):
            rows = []
            for clients in sizes:
                task = bar.add_task(f"{label}, {clients} clients", total=(WARM_UP + WINDOW) // 10_000)
                rows.append(Life(clients, most).live(lambda task=task: bar.advance(task)))
            found[label] = rows
    for label, rows in found.items():
        print(f"\n{label}\n" + table(list(rows[0]), [[str(value) for value in row.values()] for row in rows]))
    if wanted.write:
        wanted.write.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
