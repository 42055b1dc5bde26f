"""How long AWS takes, what it lets through and what it asks for it: what `scaling.py` assumes, each with its source.

Published: by AWS or by somebody who measured. Assumed: nobody publishes it; chosen on the slow side.
"""

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from webnn.core.records import Commit
from webnn.errors import Unavailable
from webnn.prices import PRICES as LISTED
from webnn.simulate.network import Fate
from webnn.simulate.timeline import Timeline

# Milliseconds, median and 99th percentile.
DYNAMODB = 5.0, 10.0  # AWS: single-digit milliseconds
TRANSACTION = 20.0, 60.0  # assumed; and for each of its items
TRANSACTION_ITEM = 1.0  # assumed
S3 = 150.0, 400.0  # AWS: small objects in roughly 100-200 ms; the tail is assumed
S3_EVENT = 1_000.0, 5_000.0  # AWS: typically within seconds
QUEUE = 16.2, 105.0  # measured: bitesizedserverless.com, SQS standard to Lambda, 2022
CLIENT = 50.0, 300.0  # assumed: between a client and API Gateway, each way
COLD_START = 1_500  # assumed: Python, 34 MB, numpy
REQUEST_CPU = 8  # a request of the API in Chalice, at 512 MB; assumed
MERGE_CPU = 2.0  # an update of 25,000 parameters at 1,024 MB: checked, hashed, folded in, its row written

# Of one partition, a second: AWS's limits. All rows of a run lie in one.
WRITE_UNITS, READ_UNITS = 1_000, 3_000
THROTTLED_AFTER = 2_000  # milliseconds of repetitions; assumed

# AWS's list prices, in dollars per million.
COSTS = {name: price.of(1e6) for name, price in LISTED.items()}
PRICES = {
    "write units": COSTS["write units"],
    "read units": COSTS["read units"],
    "S3 writes": COSTS["S3 writes"],
    "S3 reads": COSTS["S3 reads"],
    "requests": COSTS["API requests"] + COSTS["function calls"],
    "merge calls": COSTS["function calls"],
    "messages": 3 * COSTS["queue requests"],  # sent, received, deleted
    "API GB ms": COSTS["function time"] / 1000,
    "merge GB ms": COSTS["function time"] / 1000,
}

# Units of a request, by AWS's rules, for rows as `row_sizes.py` finds them: 900 bytes an update, local indexes count.
ROW_BYTES, LINE_BYTES = 900, 110
WRITES = {"open_update": 2, "touch": 3, "join": 2, "claim_evaluation": 1, "record_evaluation": 1, "claim_merging": 1}
READS = {"run": 1, "head": 1, "update": 1, "evaluation_lease": 1, "merge_lease": 1, "latest_evaluation": 1}


def units(method: str, arguments: tuple[Any, ...], answer: Any = None) -> tuple[float, float]:
    """Write and read units of a request."""
    if method == "commit":
        commit: Commit = arguments[0]
        ledger = 2 * math.ceil((500 + LINE_BYTES * len(commit.settled)) / 1000)
        return 4 * len(commit.settled) + 2 + (ledger if commit.entry else 0), 0
    if method == "pending":
        return 0, max(1, math.ceil(len(answer or ()) * ROW_BYTES / 4096))
    if method == "pending_count":
        return 0, max(1, math.ceil((answer or 0) * ROW_BYTES / 4096))
    return WRITES.get(method, 0), READS.get(method, 0 if method in WRITES else 1)


@dataclass
class Bucket:
    """What a partition lets through: who comes too fast waits, as a client library's repetitions do, or is refused."""

    rate: float
    free_at: float = 0.0

    def delay(self, now: float, wanted: float) -> float | None:
        """Milliseconds till this is through; None if a client library would have given up by then."""
        start = max(now, self.free_at)
        if start - now > THROTTLED_AFTER:
            return None
        self.free_at = start + wanted * 1000 / self.rate
        return start - now


@dataclass
class Cloud:
    """Counts and delays what is asked of it."""

    timeline: Timeline
    chance: random.Random
    count: Counter[str] = field(default_factory=Counter)
    writes: Bucket = field(default_factory=lambda: Bucket(WRITE_UNITS))
    reads: Bucket = field(default_factory=lambda: Bucket(READ_UNITS))

    def takes(self, span: tuple[float, float]) -> float:
        """Milliseconds: lognormal with this median and 99th percentile."""
        median, high = span
        return self.chance.lognormvariate(math.log(median), math.log(high / median) / 2.326)

    def rows(self, method: str, arguments: tuple[Any, ...]) -> Fate:
        """The weather between a function and the table."""
        written, read = units(method, arguments)
        if method in {"pending", "pending_count"}:
            read = math.ceil(min(arguments[1], 100) * ROW_BYTES / 4096)
        waits = self._admitted(written, read)
        took = self.takes(TRANSACTION) if method == "commit" else self.takes(DYNAMODB)
        if method == "commit":
            took += TRANSACTION_ITEM * len(arguments[0].settled)
        return Fate(there=round(waits + took))

    def _admitted(self, written: float, read: float) -> float:
        """Milliseconds till the partition has let it through. Raises Unavailable if it does not in time."""
        self.count["DynamoDB requests"] += 1
        waits = [
            bucket.delay(self.timeline.now, wanted) if wanted else 0.0
            for bucket, wanted in ((self.writes, written), (self.reads, read))
        ]
        if None in waits:
            self.count["throttled"] += 1
            self.timeline.sleep(THROTTLED_AFTER)
            raise Unavailable("throttled")
        self.count["write units"] += written
        self.count["read units"] += read
        return sum(wait for wait in waits if wait)

    def blobs(self, method: str, _arguments: tuple[Any, ...]) -> Fate:
        """The weather between a function and the bucket. Signing a ticket asks nobody."""
        if method in {"upload_ticket", "download_url"}:
            return Fate()
        self.count["S3 writes" if method == "create" else "S3 reads"] += 1
        return Fate(there=round(self.takes(S3)))

    def dollars(self, updates: int) -> float:
        """For a million updates."""
        spent = sum(price * self.count[what] for what, price in PRICES.items())
        return spent / max(1, updates)
