"""Updates merged a second on a real engine: 64 clients, one run, a model of 100 KB.

    python bench/commits.py [--engine embedded|localstack] [--pause SECONDS]

Committing up to 95 at once against committing one by one, by turns, each on a backlog that 64 clients left. One by one
is the same drain with commits of one update, so nothing but the group differs: that has the budget. A drain begins when
the engine has come to rest: LocalStack works on for seconds after uploads, to tell the queue of them. For comparison
also with a call of the merge function for each update, which takes a turn and reads the head's checkpoint every time.
Then four merge functions at once while 64 clients go on sending: with turns and without.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import Any

import numpy as np
import psutil
from measure import Times, alternate, machine, median, ratio, table, verdict
from rich.console import Console
from scaling import PARAMETERS, spec

from webnn import aws, wiring
from webnn.ahead import MOST, threaded
from webnn.core.records import Update
from webnn.core.wire import sha256
from webnn.doorbell import ring
from webnn.observe import Attempt, Observer, nobody
from webnn.settings import environment, settings
from webnn.stack import create_or_update
from webnn.store import keys
from webnn.store.ports import MAX_COMMIT
from webnn.wiring import Services, assemble

CHECKOUT = Path(__file__).resolve().parents[1]
CLIENTS, BACKLOG, REPETITIONS = 64, 256, 3
MERGERS, SECONDS, STARTING = 4, 20.0, 5.0
PAUSE = 1.0  # seconds between two updates of a client: what two cores keep up with, engine and clients included
STAGE = "local"


class Heedless:
    """A catalog through which no merger sees another's turn: the baseline."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        """All else is the catalog's."""
        return getattr(self._inner, name)

    def merge_lease(self, run: str) -> None:
        """There never is one."""

    def claim_merging(self, lease: Any, previous: Any) -> None:
        """It is always given."""


def services(most: int = MAX_COMMIT, heeds: bool = True, observe: Observer = nobody) -> Services:
    """A function's own, on the stage that the environment names."""
    where = environment(os.environ)
    catalog, blobs = aws.stores(settings(where, aws.client(where, "ssm")))
    return assemble(
        catalog if heeds else Heedless(catalog), blobs, "s" * 64, lambda _: None,
        ahead=threaded(ThreadPoolExecutor(MOST)), observe=observe, most=most,
    )  # fmt: skip


class Crowd:
    """64 clients, each with adapters of its own."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._own = local()
        self._body = np.full(PARAMETERS, 1e-3, "<f4").tobytes()

    def contribute(self, run: str, updates: int) -> None:
        """Announces and uploads so many, all at once."""
        list(self._pool.map(lambda _: self._one(run), range(updates)))

    def keep_contributing(self, run: str, until: float, pause: float) -> int:
        """Announces and uploads till then, with pauses between; gives how many."""
        return sum(self._pool.map(lambda _: self._go_on(run, until, pause), range(CLIENTS)))

    def _go_on(self, run: str, until: float, pause: float) -> int:
        sent = 0
        while time.monotonic() < until:
            self._one(run)
            sent += 1
            time.sleep(pause)
        return sent

    def _one(self, run: str) -> None:
        if not hasattr(self._own, "services"):
            self._own.services = services()
        now, made = wiring.now(), self._own.services
        head = made.catalog.head(run)
        update = Update(
            run, wiring.new_id(), wiring.new_id(), head.version, head.generation, 4, 256, len(self._body),
            sha256(self._body), "float32", now, now + 900_000,
        )  # fmt: skip
        made.catalog.open_update(update)
        made.blobs.create(keys.update(run, update.update_id), self._body)


def started(name: str) -> str:
    """A new run."""
    body = json.dumps(spec()).encode()
    services().runs.start(name, name, "", body, np.zeros(PARAMETERS, np.float32))
    return name


def rest() -> None:
    """Returns when the engine, whose processes are children of this one, has hardly anything to do; or after 30 s."""
    before, until = _computed(), time.monotonic() + 30
    while time.monotonic() < until:
        time.sleep(0.5)
        now = _computed()
        if now - before < 0.05:
            return
        before = now


def _computed() -> float:
    """Seconds of processor time that the children of this process took."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(found.user + found.system for found in times)


def draining(crowd: Crowd, label: str, most: int, commits: int) -> Callable[[], float]:
    """Seconds to merge a backlog of `BACKLOG`, left by the crowd on a new run.

    Args:
        crowd: Who leaves it.
        label: For the run's name.
        most: Updates in a commit.
        commits: Commits in a call of the merge function.
    """
    numbers, made = itertools.count(), services(most)  # a warm function: its connections are open

    def run() -> float:
        name = started(f"drain-{label}-{next(numbers)}")
        crowd.contribute(name, BACKLOG)
        rest()
        merged, begun = 0, time.perf_counter()
        while merged < BACKLOG:
            looks = iter([False] * commits)
            merged += made.committer.drain(name, lambda looks=looks: next(looks, True)).merged
        seconds = time.perf_counter() - begun
        assert not made.catalog.pending(name, 1)
        return seconds

    return run


def merging(run: str, heeds: bool, begin: float, until: float, told: Any) -> None:
    """A merge function that is woken again and again; every attempt counts, also those of a call that then fails."""
    count = Counter[str]()

    def observe(attempt: Attempt) -> None:
        merged = attempt.commit.head.version - attempt.commit.base.version
        count.update({"commits": 1, "merged": merged} if attempt.landed else {"conflicts": 1})

    answerer = services(heeds=heeds, observe=observe).answerer
    time.sleep(max(0.0, begin - time.monotonic()))
    while time.monotonic() < until:
        answered = answerer.answer([ring(run)], lambda: time.monotonic() >= until)
        count["failures"] += len(answered.failures)
        time.sleep(0.02)
    told.put((count, time.monotonic() - begin))


def racing(crowd: Crowd, heeds: bool, pause: float) -> dict[str, float]:
    """What four mergers come to in 20 seconds."""
    run = started(f"race-{'turns' if heeds else 'none'}")
    crowd.contribute(run, CLIENTS)  # so that each has its adapters
    services().committer.drain(run, lambda: False)  # which is not counted
    context = multiprocessing.get_context("spawn")
    told, begin = context.Queue(), time.monotonic() + STARTING
    until = begin + SECONDS
    mergers = [context.Process(target=merging, args=(run, heeds, begin, until, told)) for _ in range(MERGERS)]
    for merger in mergers:
        merger.start()
    time.sleep(max(0.0, begin - time.monotonic()))
    sent = crowd.keep_contributing(run, until, pause)
    counts, seconds = zip(*(told.get(timeout=60) for _ in mergers), strict=True)
    for merger in mergers:
        merger.join()
    count = sum(counts, Counter[str]())
    return {
        "sent/s": sent / SECONDS,
        "merged/s": count["merged"] / max(seconds),
        "commits": count["commits"],
        "conflicts": count["conflicts"],
        "conflicts/commit": count["conflicts"] / max(1, count["commits"]),
        "failures": count["failures"],
    }


@contextmanager
def stage(engine: str) -> Iterator[Mapping[str, str]]:
    """A stage on an engine, in this process's environment; gives what answers."""
    with _engine(engine) as found:
        os.environ.update({**found.environment(), "WEBNN_STAGE": STAGE})
        where = environment(os.environ)
        template = (CHECKOUT / "infra" / "stack.yaml").read_text()
        polls = wiring.paced(60.0, 0.1)
        create_or_update(aws.stack_clients(where), STAGE, template, wiring.new_secret(), polls)
        yield found.versions


def _engine(name: str) -> Any:
    if name == "embedded":
        from webnn.local.engine import embedded_engine  # noqa: PLC0415  # whichever is installed

        return embedded_engine(wiring.new_secret())
    sys.path.insert(0, str(CHECKOUT))
    from localstack.engine import localstack_engine  # noqa: PLC0415  # beside the package

    return localstack_engine()


def main() -> None:
    """Prints the figures; the last line is JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=["embedded", "localstack"], default="embedded")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between a client's updates")
    wanted = parser.parse_args()
    console = Console(stderr=True)
    with stage(wanted.engine) as versions:
        crowd = Crowd()
        with console.status("draining backlogs"):
            ways = {
                "group": draining(crowd, "group", MAX_COMMIT, 1000),
                "one by one": draining(crowd, "alone", 1, 1000),
                "one by one, a call each": draining(crowd, "call", 1, 1),
            }
            times = alternate(ways, REPETITIONS)
        with console.status("four mergers"):
            races = {name: racing(crowd, name == "turns", wanted.pause) for name in ("turns", "no turns")}
    tell(wanted.engine, times, races)
    spread = {name: round(statistics.stdev(found) / statistics.mean(found), 2) for name, found in times.items()}
    print(
        json.dumps(
            {
                "engine": versions,
                "backlog": BACKLOG,
                "pause": wanted.pause,
                "faster": ratio(times, "one by one", to="group"),
                "faster_than_calls": ratio(times, "one by one, a call each", to="group"),
                "rates": {name: BACKLOG / median(times, name) for name in times},
                "spread": spread,
                "races": races,
                "machine": machine(),
            }
        )
    )


def tell(engine: str, times: Times, races: Mapping[str, Mapping[str, float]]) -> None:
    """Prints the tables and the budgets."""
    faster, conflicts = ratio(times, "one by one", to="group"), races["turns"]["conflicts/commit"]
    print(table([engine, "updates/s"], [[name, f"{BACKLOG / median(times, name):.1f}"] for name in times]))
    print(f"group commit: {faster:.1f} times as many ({verdict(faster, 10, at_most=False)}, 10 wanted)")
    print(f"  and {ratio(times, 'one by one, a call each', to='group'):.1f} times as many as with a call each\n")
    rows = [[name, *(f"{value:.2f}" for value in found.values())] for name, found in races.items()]
    print(table(["4 mergers", *races["turns"]], rows))
    print(f"conflicts a commit with turns: {conflicts:.2f} ({verdict(conflicts, 0.2)}, 0.2 allowed)")


if __name__ == "__main__":
    main()
