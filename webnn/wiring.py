"""The composition root: with `webnn.aws` the only module that makes AWS clients, clocks and random sources."""

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from msgspec import Struct

from webnn.ahead import MOST, Ahead, one_by_one, threaded
from webnn.answer import Answerer
from webnn.budget import Budget
from webnn.clearing import Clearing
from webnn.clients import Coordinator
from webnn.commit import Committer
from webnn.control import Control
from webnn.copying import Copier
from webnn.core.ids import RANDOM_BYTES, make_id
from webnn.evaluations import Evaluations
from webnn.failures import Failures
from webnn.live import PAUSE_MILLISECONDS, Live
from webnn.observe import Attempt, Observer, nobody
from webnn.peers import Peers
from webnn.removal import Remover
from webnn.replay import Replay
from webnn.restore import Restorer
from webnn.runs import Runs
from webnn.saving import Saver
from webnn.settings import Settings, environment, settings
from webnn.specs import Specs
from webnn.store.ports import MAX_COMMIT, Blobs, Catalog
from webnn.store.public import PublicObjects
from webnn.sweep import Sweeper
from webnn.tokens import Tokens
from webnn.updates import Updates

LOG = logging.getLogger("webnn.wiring")


class Services(Struct, frozen=True):
    """The use cases, on the stores of one stage."""

    blobs: Blobs
    catalog: Catalog
    clients: Coordinator
    updates: Updates
    evaluations: Evaluations
    peers: Peers
    failures: Failures
    runs: Runs
    live: Live
    committer: Committer
    answerer: Answerer
    budget: Budget
    sweeper: Sweeper
    replay: Replay
    restorer: Restorer
    control: Control
    copier: Copier
    remover: Remover
    saver: Saver
    tokens: Tokens


def now() -> int:
    """Milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def elapsed() -> float:
    """Seconds since some moment, never running backwards."""
    return time.monotonic()


def chance() -> float:
    """A number in [0, 1)."""
    return secrets.randbits(53) / 2**53


def new_id() -> str:
    """An id that never repeats and sorts by time."""
    return make_id(now(), secrets.token_bytes(RANDOM_BYTES))


def new_secret() -> str:
    """256 random bits, hexadecimal: what tokens are signed with."""
    return secrets.token_hex(32)


def paced(seconds: float, every: float) -> Iterator[None]:
    """Yields at once and then every so many seconds, until time is up: for looking at work that goes on elsewhere."""
    out_of_time = deadline(seconds)
    while not out_of_time():
        yield
        time.sleep(every)


def back_off(failed: int) -> None:
    """Sleeps after so many failures in a row: at random up to 50 ms after the first, twice as long after each, 5 s."""
    time.sleep(secrets.SystemRandom().uniform(0.0, min(5.0, 0.05 * 2 ** (failed - 1))))


def deadline(seconds: float) -> Callable[[], bool]:
    """Says, from `seconds` on, that time is up."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def assemble(
    catalog: Catalog,
    blobs: Blobs,
    token_secret: str,
    ring: Callable[[bytes], None],
    *,
    later: Callable[[bytes], None] = lambda _: None,
    public: PublicObjects | None = None,
    clock: Callable[[], int] = now,
    ids: Callable[[], str] = new_id,
    ahead: Ahead = one_by_one,
    observe: Observer = nobody,
    pause: Callable[[int], None] = lambda _: None,
    most: int = MAX_COMMIT,
) -> Services:
    """The use cases on any stores.

    Args:
        catalog: Rows.
        blobs: Bytes.
        token_secret: What tokens are signed with.
        ring: Puts a message on the queue.
        later: The same, for `webnn.live.PAUSE_MILLISECONDS` from now.
        public: Where watchers look; without it they ask the API.
        clock: Milliseconds since 1970.
        ids: Never the same twice.
        ahead, observe, pause, most: See `webnn.commit.Committer`.
    """
    specs = Specs(catalog, blobs)
    live = Live(catalog, specs, public, clock=clock)
    committer = Committer(
        catalog, blobs, specs, clock=clock, new_id=ids, ahead=ahead, observe=observe, pause=pause, most=most
    )
    answerer = Answerer(committer, live, ring, later=later, clock=clock)
    evaluations = Evaluations(catalog, specs, clock=clock, changed=live.show)
    runs = Runs(catalog, blobs, specs, clock=clock, new_id=ids, changed=live.show)
    restorer = Restorer(catalog, blobs, specs, clock=clock, new_id=ids, changed=live.show)
    budget = Budget(catalog, blobs, specs, clock=clock, new_id=ids)
    return Services(
        blobs=blobs, catalog=catalog, runs=runs, live=live, committer=committer, answerer=answerer,
        evaluations=evaluations, budget=budget, restorer=restorer,
        clients=Coordinator(catalog, specs, clock=clock, new_id=ids, changed=live.show),
        updates=Updates(catalog, blobs, specs, clock=clock, new_id=ids),
        peers=Peers(catalog, blobs, specs, clock=clock, pause=pause),
        failures=Failures(catalog, clock=clock),
        sweeper=Sweeper(catalog, evaluations, budget, Clearing(catalog, blobs, specs, clock=clock), live,
                        drain=answerer.drain, clock=clock),
        replay=Replay(catalog, blobs, specs),
        control=Control(catalog, evaluations, restorer, live.show),
        copier=Copier(catalog, blobs, specs, runs),
        remover=Remover(catalog, blobs, specs, pause=pause, forget=live.forget),
        saver=Saver(catalog, blobs, specs),
        tokens=Tokens(token_secret, clock),
    )  # fmt: skip


def services_of(found: Settings, observe: Observer = nobody) -> Services:
    """The use cases on a stage; `observe` is told of every attempt to commit."""
    from webnn import aws  # noqa: PLC0415  # see `services`

    sqs = aws.client(found.environment, "sqs")

    def ring(message: bytes) -> None:
        sqs.send_message(QueueUrl=found.queue_url, MessageBody=message.decode())

    def later(message: bytes) -> None:
        seconds = PAUSE_MILLISECONDS // 1000
        sqs.send_message(QueueUrl=found.queue_url, MessageBody=message.decode(), DelaySeconds=seconds)

    catalog, blobs = aws.stores(found)
    ahead = threaded(ThreadPoolExecutor(MOST))
    return assemble(
        catalog, blobs, found.token_secret, ring,
        later=later, public=aws.public_objects(found), ahead=ahead, observe=observe, pause=back_off,
    )  # fmt: skip


def told(stage: str) -> Observer:
    """Who is told of attempts in a function: the log, as metrics of the stage."""

    def observe(attempt: Attempt) -> None:
        try:
            from webnn.metrics import emit  # noqa: PLC0415  # most functions never commit, and it takes a while

            emit(stage, attempt)
        except Exception:  # what cannot be told is done all the same
            LOG.exception("cannot tell of an attempt to commit")

    return observe


def _show_news() -> None:
    """Lets a function's log show what an update's way is followed by, unless its app has said what it is to show.

    The functions of events are started without the app, whose log shows errors only.
    """
    log = logging.getLogger("webnn")
    if log.level == logging.NOTSET:
        log.setLevel(logging.INFO)


@cache
def services() -> Services:
    """The use cases on the stage that the environment names; made once in a function's life.

    The AWS clients' code is imported here and not above: it takes longer than all the rest, and whoever
    imports `app` without serving (packaging, tests, the deployment) has no use for it.
    """
    from webnn import aws  # noqa: PLC0415

    _show_news()
    where = environment(os.environ)
    return services_of(settings(where, aws.client(where, "ssm")), told(where.stage))
