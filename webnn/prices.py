"""AWS's list prices, and what each thing that a run does asks for. The only module that knows either.

The prices are for us-east-1, without the free tier, as they were noted on the day below in infra/README.md, whose
tables a test holds this against. AWS changes them, and other regions have others: look up today's.
"""

import math

from msgspec import Struct

NOTED = "2026-11-23"
SOURCE = "infra/README.md"
REGION = "us-east-1"

SMALLEST = 1e-6
MILLION, GIGABYTE = 1e6, 1e9
MONTH_MILLISECONDS = 30 * 24 * 60 * 60 * 1000


class Price(Struct, frozen=True):
    """What `per` of something cost, in dollars."""

    dollars: float
    per: float
    unit: str

    def of(self, count: float) -> float:
        """Dollars for so many."""
        return self.dollars * count / self.per

    @property
    def words(self) -> str:
        """For people."""
        digits = f"{self.dollars:.2f}" if round(self.dollars, 2) == self.dollars else f"{self.dollars:g}"
        return f"${digits} per {self.unit}"


PRICES = {
    "API requests": Price(3.50, MILLION, "million"),
    "function calls": Price(0.20, MILLION, "million"),
    "function time": Price(16.67, MILLION, "million GB·s"),
    "S3 writes": Price(5.00, MILLION, "million"),
    "S3 reads": Price(0.40, MILLION, "million"),
    "write units": Price(0.625, MILLION, "million"),
    "read units": Price(0.125, MILLION, "million"),
    "queue requests": Price(0.40, MILLION, "million"),
    "downloads": Price(0.09, GIGABYTE, "GB"),
    "blobs": Price(0.023, GIGABYTE, "GB and month"),
    "rows": Price(0.45, GIGABYTE, "GB and month"),  # 0.25, and 0.20 for the recovery
}

# Of an update: its task, its announcement, asking what became of it.
UPDATE_REQUESTS = 3
# Of a peer's besides: the exchange, and the rows that it writes (docs/limits.md).
PEER_REQUESTS, PEER_WRITE_UNITS = 1, 10
# Of an evaluation: its task, its report.
EVALUATION_REQUESTS = 2
JOIN_REQUESTS = 1

# Assumed, not measured: a request at 0.5 GB; a commit at 1 GB, alone or for each update if there are many.
REQUEST_GB_SECONDS = 0.05 * 0.5
COMMIT_SECONDS, UPDATE_SECONDS = 0.3, 0.01

# By AWS's rules: announcement 2, the client's next task 3, settling in the transaction 4. An evaluation: task 3,
# its lease 1, the report 1. A commit: the head 2, and 2 for each kilobyte of the ledger's entry.
UPDATE_WRITE_UNITS, EVALUATION_WRITE_UNITS, JOIN_WRITE_UNITS = 9, 5, 2
# An evaluation is taken to read what an update does.
UPDATE_READ_UNITS, COMMIT_READ_UNITS, EVALUATION_READ_UNITS = 10, 4, 10

# As `bench/row_sizes.py` finds them: an update's row; a ledger entry, and each line of it.
ROW_BYTES, ENTRY_BYTES, LINE_BYTES = 900, 500, 110
# Lambda hears and puts away so many rings at once.
RINGS_AT_ONCE = 10


def head_write_units(updates: int) -> int:
    """Of a commit, apart from its updates."""
    return 2 + 2 * -(-(ENTRY_BYTES + LINE_BYTES * updates) // 1000)


def commit_gb_seconds(updates: int) -> float:
    """Of a merge, at 1 GB."""
    return max(COMMIT_SECONDS, UPDATE_SECONDS * updates)


def ring_requests(updates: int) -> int:
    """Rung for each update, heard and put away together."""
    return updates + 2 * -(-updates // RINGS_AT_ONCE)


def money(dollars: float) -> str:
    """Cents at least, and two digits that tell something: down to a millionth, and of less than that only so much."""
    if 0 < dollars < SMALLEST:
        return f"<${SMALLEST:.6f}"
    telling = 1 - math.floor(math.log10(dollars)) if dollars else 0
    return f"${dollars:,.{min(6, max(2, telling))}f}"
