"""docs/watching.md says what the code does."""

import re
from pathlib import Path

import pytest

from webnn import prices
from webnn.cli.main import webnn
from webnn.prices import PRICES
from webnn.shown import Evaluated, Row, Shown
from webnn.story import Standing
from webnn.tables import TABLES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "watching.md").read_text()


def rows_after(beginning: str) -> list[tuple[str, ...]]:
    """The cells of the first table after the line that begins so."""
    _, _, rest = PAGE.partition(f"\n{beginning}")
    assert rest, f"the page has no line that begins with {beginning}"
    found = re.search(r"(?:^\|.*\n)+", rest, re.MULTILINE)
    assert found is not None
    lines = found[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


@pytest.mark.parametrize("name", TABLES)
def test_the_columns_of_each_table_are_those_of_the_files_in_their_order(name: str) -> None:
    assert rows_after(f"**{name}**") == [(f"`{column}`", said) for column, said in TABLES[name].columns.items()]


def test_the_prices_are_those_of_the_estimate() -> None:
    assert rows_after("`webnn cost RUN` **estimates**") == [(what, price.words) for what, price in PRICES.items()]
    assert f"noted on {prices.NOTED}" in PAGE
    assert prices.REGION in PAGE


def test_the_counts_are_those_of_the_estimate() -> None:
    counts = {row[0]: row[1:] for row in rows_after("What is counted")}
    assert counts["API requests, and function calls"] == (
        str(prices.UPDATE_REQUESTS),
        "one call more",
        str(prices.EVALUATION_REQUESTS),
        str(prices.JOIN_REQUESTS),
    )
    each = [count * prices.REQUEST_GB_SECONDS for count in (3, 2, 1)]
    assert counts["function time, GB·s"] == (f"{each[0]:g}", "max(0.3, 0.01 n)", f"{each[1]:g}", f"{each[2]:g}")
    assert [prices.commit_gb_seconds(n) for n in (1, 30, 95)] == pytest.approx([0.3, 0.3, 0.95])
    assert counts["write units"][0] == str(prices.UPDATE_WRITE_UNITS)
    assert counts["write units"][2:] == (str(prices.EVALUATION_WRITE_UNITS), str(prices.JOIN_WRITE_UNITS))
    assert [prices.head_write_units(n) for n in (1, 4, 5, 95)] == [4, 4, 6, 24]
    reads = str(prices.UPDATE_READ_UNITS), str(prices.COMMIT_READ_UNITS), str(prices.EVALUATION_READ_UNITS)
    assert counts["read units"][:3] == reads
    assert [prices.ring_requests(n) for n in (1, 10, 11, 95)] == [3, 12, 15, 115]
    assert counts["bytes kept, in rows"][:2] == (f"{prices.ROW_BYTES} + {prices.LINE_BYTES}", str(prices.ENTRY_BYTES))


def test_the_members_of_a_change_are_those_that_watch_prints() -> None:
    told = [name for row in rows_after("Without a terminal") for name in re.findall(r"`(\w+)`", row[0])]
    assert told == list(Standing.__struct_fields__)


def test_every_command_that_it_names_is_there() -> None:
    assert set(re.findall(r"`webnn ([a-z]+)", PAGE)) <= set(webnn.commands)


def test_the_members_of_the_live_object_are_those_that_it_has() -> None:
    rows = rows_after("## The live object")
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row[0])} == set(Shown.__struct_fields__)
    columns = next(row[1] for row in rows if row[0] == "`commits`")
    assert f"`[{', '.join(Row.__struct_fields__)}]`" in columns
    evaluated = next(row[1] for row in rows if row[0] == "`evaluations`")
    assert f"`[{', '.join(Evaluated.__struct_fields__)}]`" in evaluated
