"""One life of a run, from a seed: clients, functions, sweeps and an owner, in virtual time and any weather.

    make simulate SEEDS=17        the life of seed 17, told
    make simulate SEEDS=0-9999    many, until one breaks a promise

First the weather does what it likes for some minutes. Then it clears, nobody begins anything new, and what is under way
ends. Then the sweeps come by, the dead-letter queue is put back, and everything must add up.
"""

import json
import random  # noqa: TID251  # seeded: it is chance that is simulated
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any
from urllib.parse import quote_plus

import numpy as np
from faults import Heedless
from rich.console import Console
from rich.progress import track
from samples import SECRET, a_spec
from visitors import Visitor
from weather import MINUTE, Sky
from witness import Witness, WitnessedBlobs, WitnessedCatalog

from webnn.core.ids import make_id
from webnn.core.records import LedgerEntry, Without
from webnn.errors import Conflict, Invalid, Unavailable
from webnn.simulate.network import Remote
from webnn.simulate.queue import Message, Queue
from webnn.simulate.timeline import Actor, Timeline
from webnn.updates import Opened
from webnn.wiring import Services, assemble

STORM = 4 * MINUTE
BURST = 2 * MINUTE
MERGE_LIMIT, SWEEP_LIMIT = MINUTE, 5 * MINUTE
CHUNK = 20
RULES: list[dict[str, Any]] = [
    {"name": "delta"},
    {"name": "delta", "server_rate": 0.5, "discounting": {"name": "cutoff", "limit": 3}},
    {"name": "average"},
    {"name": "weighted"},
]
REMEMBERING: dict[str, Any] = {"name": "fedbuff", "size": 3}  # something beside the weights


class Life:
    """One life. Calm lives have no faults, and therefore make promises without a sweep."""

    def __init__(self, seed: int, trace: Callable[[str], None] = lambda _: None) -> None:
        self.chance = random.Random(seed)
        self.calm = seed % 4 == 0
        self.heedless = seed % 4 == 3  # no merger knows of the others: what protects is the commit alone
        self.trace = trace
        self.witness = Witness(REMEMBERING if seed // 16 % 5 == 4 else RULES[seed // 4 % len(RULES)])
        self.timeline = Timeline()
        self.catalog = WitnessedCatalog(self.witness)
        self.blobs = WitnessedBlobs(self.witness, self.timeline.clock)
        self.sky = Sky(self.chance, self.calm)
        self.queue = Queue(self.timeline, self.invoke, self.pick)
        self.most = self.chance.choice([2, 95])  # updates that a commit may settle
        self.budget = self.chance.choice([3_000, 40_000])  # when a merge function stops beginning commits
        if self.calm:  # two at a time and a second away, nothing is merged within a minute
            self.most, self.budget = (95, 40_000) if self.sky.slowly else (self.most, 150)
        self.warm: list[Services] = []
        self.clients: list[Actor] = []
        self.conflicts = 0
        self.happened: Counter[str] = Counter()
        self.asked = self.storming = self.last_move = 0
        self.moves: list[LedgerEntry] = []
        self.errors: list[Exception] = []
        # In some lives the owner has whims. They are drawn apart, so that all other lives stay as they are.
        self.whims = random.Random(seed + 10**9)
        self.witness.may_go_on = seed % 8 in (5, 7)

    def services(self, *, kills: bool = True, late: float = 0.0) -> Services:
        """A function's, or a program's: its own view of the stores, its own clock."""
        skew = 0 if self.calm else self.chance.randrange(-2_000, 2_000)
        over = self.sky.over(kills=kills, late=late)

        def clock() -> int:
            return self.timeline.now + skew

        def new_id() -> str:
            return make_id(clock(), self.chance.randbytes(10))

        rows = Heedless(self.catalog) if self.heedless else self.catalog
        catalog, blobs, queue = (Remote(each, self.timeline, over) for each in (rows, self.blobs, self.queue))
        return assemble(
            catalog, blobs, SECRET, queue.send, clock=clock, ids=new_id,
            observe=self.witness.observed, most=self.most,
        )  # fmt: skip

    def start(self) -> None:
        end = {"accuracy": 0.9 if self.chance.random() < 0.25 else 1.0}
        limits = {"pending": self.chance.choice([4, 1000]), "upload_seconds": self.chance.choice([30, 900])}
        body = json.dumps(
            a_spec(merge={"rule": self.witness.rule}, end=end, limits=limits, validation={"every_versions": 7})
        ).encode()
        at_home = assemble(
            self.catalog, self.blobs, SECRET, self.queue.send, clock=self.timeline.clock,
            ids=lambda: make_id(self.timeline.now, self.chance.randbytes(10)),
        )  # fmt: skip
        at_home.runs.start("line", "A line", "Fits a line.", body, np.float32([1, 2, 3]))

    def live(self) -> None:
        """Lives it to its end."""
        self.start()
        self.storming = self.last_move = self.timeline.now + (5 * BURST if self.calm else STORM)
        api = [self.services(kills=False) for _ in range(2)]
        self.clients = [
            self.timeline.spawn(f"client {n}", lambda: Visitor(self, self.chance.choice(api)).live(), n * 500)
            for n in range(self.chance.randint(3, 9))
        ]
        for _ in range(0 if self.calm else self.chance.choice([0, 1, 2, 4])):
            self.timeline.spawn("owner", self.operate, self.chance.randrange(STORM))
        for _ in range(self.whims.randrange(8) if self.witness.may_go_on else 0):
            self.timeline.spawn("whim", self.control, self.whims.randrange(STORM))
        for minute in range(1, STORM // MINUTE + 2):
            if self.calm:
                self.timeline.after(minute * BURST - 1, self.look)
            else:
                self.timeline.spawn("sweep", self.sweep, minute * MINUTE)
        self.timeline.run(self.storming)
        self.sky.clears()
        self.timeline.run(self.timeline.now + 20 * MINUTE)
        self.end_well()

    def pause(self) -> int:
        """On calm days all rest from time to time, so that a ring may be the last for a while. How long yet?"""
        into = (self.timeline.now - self.storming) % BURST
        return BURST - into if self.calm and into > BURST // 8 else 0

    def look(self) -> None:
        waiting = [u for u in self.witness.waiting() if self.witness.uploads[u][0][0] < self.timeline.now - MINUTE]
        assert waiting == [], "rung for, and not merged though nothing went wrong"

    def end_well(self) -> None:
        """The sweeps come by, and the dead-letter queue is put back."""
        self.queue.redrive()
        while self.asleep or self.timeline.now < self.last_move + 150 * MINUTE:
            self.timeline.spawn("sweep", self.sweep)
            self.timeline.run(self.timeline.now + 25 * MINUTE)
        while left := len(self.witness.orphans()):  # more than the sweeps could see to, a minute each
            self.timeline.spawn("sweep", self.sweep)
            self.timeline.run(self.timeline.now + 5 * MINUTE)
            assert len(self.witness.orphans()) < left, "orphans are left"
        self.check()
        self.timeline.end()

    @property
    def asleep(self) -> bool:
        return self.happened["owner begins"] > self.happened["owner ends"]

    def check(self) -> None:
        self.witness.check_everything_is_settled()
        assert self.catalog.pending("line", 1000) == []
        assert self.witness.orphans() == [], "orphans are left"
        assert self.queue.waiting == self.queue.dead == []
        lease = self.catalog.merge_lease("line")
        assert lease is None or lease.expires_at == 0 or lease.expires_at <= self.timeline.now
        made = [entry for entry in self.witness.entries if entry.restores is not None or entry.without]
        assert all(move in made for move in self.moves), "a move was reported that never was made"
        assert len(made) <= self.asked, "a move was made twice"
        assert self.errors == []

    def pick(self, visible: list[Message]) -> list[Message]:
        return self.chance.sample(visible, min(len(visible), self.chance.randint(1, 10)))

    def invoke(self, bodies: Sequence[bytes], done: Callable[[], None]) -> None:
        def work() -> None:
            services = self.warm.pop() if self.warm and self.chance.random() < 0.8 else self.services()
            end = self.timeline.now + self.budget
            answered = services.answerer.answer(list(bodies), lambda: self.timeline.now >= end)
            self.trace(f"{self.timeline.now} merge: {answered}")
            self.conflicts += sum(drained.conflicts for drained in answered.drained.values())
            self.warm.append(services)
            if not answered.failures:
                done()
            elif self.calm:
                self.errors += [error for _, error in answered.failures]

        self.function("merge", work, MERGE_LIMIT, self.queue.ended)

    def sweep(self) -> None:
        services, end = self.services(), self.timeline.now + SWEEP_LIMIT - MINUTE
        try:
            swept = services.sweeper.sweep(lambda: self.timeline.now >= end)
        except Unavailable:
            return
        self.trace(f"{self.timeline.now} sweep: {swept}")
        if not self.sky.harsh:
            self.errors += [one.error for one in swept if one.error and not isinstance(one.error, Unavailable)]

    def function(self, name: str, work: Callable[[], None], limit: int, ended: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                ended()

        actor = self.timeline.spawn(name, run)
        self.timeline.after(limit, lambda: self.timeline.kill(actor))

    def operate(self) -> None:
        """A rollback or an unmerge from a laptop, which may be shut in the middle and opened hours later."""
        self.happened["owner begins"] += 1
        try:
            self.move(self.services(late=0.3))
        except (Unavailable, Conflict, Invalid) as error:
            self.trace(f"{self.timeline.now} owner: {error!r}")
        finally:
            self.happened["owner ends"] += 1
            self.last_move = self.timeline.now

    def control(self) -> None:
        """The owner tells the run something, mostly to start it."""
        verb = self.whims.choice(["pause", "pause", "finish", "reset", "start", "start", "retrain", "retrain"])
        self.happened["owner begins"] += 1
        self.asked += verb in ("reset", "retrain")
        try:
            head = getattr(self.services(late=0.3).control, verb)("line")
            self.trace(f"{self.timeline.now} owner: {verb}: {head}")
            self.happened[verb] += 1
        except (Unavailable, Conflict) as error:
            self.trace(f"{self.timeline.now} owner: {verb}: {error!r}")
        finally:
            self.happened["owner ends"] += 1
            self.last_move = self.timeline.now

    def move(self, services: Services) -> None:
        naps = self.chance.random() < 0.3
        if naps:
            self.blobs_nap(services)
        self.asked += 1
        head = self.catalog.head("line")
        held = self.witness.made[head.version].held
        if self.chance.random() < 0.5 or not held:
            entry = services.restorer.rollback("line", self.chance.choice(self.witness.entries).version)
        else:
            line = self.chance.choice(held)
            what = self.chance.choice([Without((line.client_id,), ()), Without((), (line.update_id,))])
            entry = services.restorer.unmerge("line", what)
        self.moves.append(entry)
        self.trace(f"{self.timeline.now} owner: {entry}")

    def blobs_nap(self, services: Services) -> None:
        """Shuts the laptop between writing a checkpoint and naming it."""
        create = services.restorer._blobs.create

        def slowly(key: str, body: bytes) -> None:
            create(key, body)
            if not key.endswith(".state.bin"):  # between the two it may leave one for ever: docs/protocol.md
                self.happened["nap"] += 1
                self.timeline.sleep(150 * MINUTE)

        services.restorer._blobs.create = slowly

    def upload(self, opened: Opened, body: bytes) -> None:
        """What S3 does with a form: it takes it, if it is in time, and tells the queue."""
        self.blobs.upload(opened.ticket, body)
        key = opened.ticket.url.removeprefix("memory:")
        message = json.dumps({"Records": [{"s3": {"object": {"key": quote_plus(key)}}}]}).encode()
        often = 1 if self.calm else self.chance.choice([0, 1, 1, 1, 2])
        for _ in range(often if self.sky.harsh or self.calm else 1):
            self.timeline.after(self.chance.randrange(3_000), lambda: self.queue.send(message))


def lived(seed: int, trace: Callable[[str], None] = lambda _: None) -> Life:
    """The life of a seed. Raises AssertionError where it breaks a promise."""
    life = Life(seed, trace)
    life.live()
    return life


def lived_many(wanted: range) -> tuple[Counter[str], str]:
    """What happened in these lives, and what broke a promise first, if anything did."""
    total = Counter[str]()
    for seed in wanted:
        try:
            life = lived(seed)
        except Exception:
            return total, f"{traceback.format_exc()}\nseed {seed} breaks a promise: make simulate SEEDS={seed}"
        total += Counter(str(update.state) for update in life.witness.settled.values())
        total += life.sky.happened + life.happened
        total["commits"] += len(life.witness.commits)
    return total, ""


def lived_by_all_cores(wanted: range) -> tuple[Counter[str], str]:
    """The same, on all cores, with a progress bar."""
    total = Counter[str]()
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    with ProcessPoolExecutor() as pool:
        for found, broken in track(pool.map(lived_many, chunks), "living", len(chunks), console=Console(stderr=True)):
            total += found
            if broken:
                pool.shutdown(wait=False, cancel_futures=True)
                return total, broken
    return total, ""


def seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main() -> int:
    """Lives through the seeds that it is told; gives 1 if one breaks a promise."""
    wanted = seeds(sys.argv[1])
    if len(wanted) == 1:
        lived(wanted[0], print)
        return 0
    total, broken = lived_by_all_cores(wanted)
    print(broken or f"{len(wanted)} lives, all promises kept: {dict(total.most_common())}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
