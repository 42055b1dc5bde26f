"""What a run has cost: the arithmetic of infra/README.md on the run's own ledger."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from samples import START, World, a_client, a_head, a_spec, a_world, an_entry, an_evaluation, an_id

from webnn import prices
from webnn.cli.main import webnn
from webnn.core.records import Evaluation, LedgerEntry, MergedUpdate
from webnn.core.spec import Spec, parse
from webnn.prices import PRICES, money
from webnn.spending import Estimate, Spent, estimate

README = (Path(__file__).resolve().parents[2] / "infra" / "README.md").read_text()
# The rows of the table there, by the names here.
ROWS = {
    "API requests": "API Gateway",
    "function calls": "Lambda calls",
    "function time": "Lambda time",
    "S3 writes": "S3 writes",
    "S3 reads": "S3 reads",
    "write units": "DynamoDB write units",
    "read units": "DynamoDB read units",
    "queue requests": "SQS",
}
MONTH = prices.MONTH_MILLISECONDS


def row(beginning: str) -> list[str]:
    """The cells of the table's row that begins so, after the first."""
    (line,) = [line for line in README.splitlines() if line.startswith(f"| {beginning}")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def dollars(cell: str) -> float:
    found = re.search(r"\$([\d.]+)", cell)
    assert found is not None
    return float(found[1])


def a_line(number: int, client: int = 1) -> MergedUpdate:
    return MergedUpdate(an_id(number), an_id(client), 0, 0, 1.0)


def spec(**members: object) -> Spec:
    return parse(json.dumps(a_spec(**members)).encode())


def commits(count: int, together: int, size: int = 12, at: int = START) -> Iterator[LedgerEntry]:
    """A genesis, and so many commits of so many updates."""
    yield replace(an_entry(a_head("line"), a_head("line")), bytes=0, at=at)
    lines = tuple(a_line(number) for number in range(together))
    for version in range(0, count * together, together):
        entry = an_entry(a_head("line", version), a_head("line", version + together), updates=lines, bytes=size)
        yield replace(entry, update_bytes=12 * together, at=at)


def cost_of(
    spec: Spec, entries: Iterable[LedgerEntry], evaluations: Iterable[Evaluation], clients: int, now: int
) -> Estimate:
    spent = Spent()
    spent.add(entries, evaluations)
    return estimate("line", spec, spent, clients, now)


def by_name(found: Estimate) -> dict[str, float]:
    return {line.what: line.dollars for line in found.lines}


@pytest.mark.parametrize("name", ROWS)
def test_a_price_is_that_of_the_readme(name: str) -> None:
    price = PRICES[name]
    assert (price.dollars, price.per) == (dollars(row(ROWS[name])[0]), 1e6)


def test_the_prices_of_bytes_are_those_of_the_readme() -> None:
    table = row("Table")[0]
    assert PRICES["rows"].dollars == pytest.approx(sum(map(float, re.findall(r"\$([\d.]+) per GB", table))))
    assert PRICES["blobs"].dollars == dollars(row("Buckets")[0])
    assert f"${PRICES['downloads'].dollars} per GB that visitors download" in README


@pytest.mark.parametrize(("together", "column"), [(1, 2), (95, 4)])
def test_a_million_updates_cost_what_the_readme_says(together: int, column: int) -> None:
    count = 950 // together
    found = by_name(cost_of(spec(), commits(count, together), (), 0, START))
    for name, beginning in ROWS.items():
        # Where 95 come together the table leaves out what is less than a hundredth. Data is stored once: 3 writes.
        once = PRICES[name].of({"S3 writes": 4, "write units": 4}.get(name, 0) + (name == "S3 reads"))
        assert (found[name] - once) * 1e6 / 950 == pytest.approx(dollars(row(beginning)[column]), rel=0.02), name


def test_a_month_of_bytes_costs_its_price() -> None:
    gigabyte = replace(next(commits(0, 1)), bytes=700_000_000, state_bytes=300_000_000, at=START)
    found = cost_of(spec(), [gigabyte], (), 0, START + MONTH)
    assert by_name(found)["blobs"] == pytest.approx(0.023, rel=1e-6)
    assert found.storage_a_month == pytest.approx(0.023 + 500 * 0.45e-9, rel=1e-6)
    half = cost_of(spec(), [gigabyte], (), 0, START + MONTH // 2)
    assert by_name(half)["blobs"] == pytest.approx(0.0115, rel=1e-6)


def test_what_need_not_be_kept_costs_no_more() -> None:
    gigabyte = replace(next(commits(0, 1)), bytes=10**9, at=START)
    found = cost_of(spec(limits={"keep_days": 3}), [gigabyte], (), 0, START + MONTH)
    assert by_name(found)["blobs"] == pytest.approx(0.0023, rel=1e-5)
    assert found.storage_a_month == pytest.approx(0.0023, rel=1e-3), "as if it had grown evenly"


def test_each_update_downloads_a_checkpoint_and_each_client_the_shards_it_came_to() -> None:
    # 8 examples in the only shard, 8 in a task: a client comes to it with its first update.
    found = cost_of(spec(), commits(5, 2, size=10**9), (), 0, START)
    assert by_name(found)["downloads"] == pytest.approx(10 * 0.09 + 96 * 0.09e-9)
    evaluated = cost_of(spec(), commits(5, 2, size=10**9), [an_evaluation("line", n) for n in (2, 4)], 0, START)
    assert by_name(evaluated)["downloads"] == pytest.approx(12 * 0.09 + 2 * 96 * 0.09e-9)


def test_of_data_of_their_own_clients_download_nothing() -> None:
    own = spec(data=a_spec()["data"] | {"own": "must", "train": []})
    found, given = (cost_of(one, commits(10, 1), [], 1, START) for one in (own, spec()))
    apart = {line.what: line.count for line in given.lines if line not in found.lines}
    assert apart.keys() == {"S3 reads", "S3 writes", "downloads"}
    assert {line.what: apart[line.what] - line.count for line in found.lines if line.what in apart} == {
        "S3 reads": 1, "S3 writes": 1, "downloads": 96,
    }  # fmt: skip


def test_a_client_that_only_joined_is_a_request_and_a_row() -> None:
    none, one = (by_name(cost_of(spec(), commits(0, 1), (), clients, START)) for clients in (0, 1_000_000))
    assert one["API requests"] - none["API requests"] == pytest.approx(3.50)
    assert one["write units"] - none["write units"] == pytest.approx(2 * 0.625)


def test_an_update_of_a_peer_costs_its_exchange_besides() -> None:
    peers = spec(merge={"where": "peer", "rule": {"name": "average"}})
    alone, exchanged = (by_name(cost_of(one, commits(100, 1), (), 0, START)) for one in (spec(), peers))
    assert exchanged["API requests"] / alone["API requests"] == pytest.approx(4 / 3)
    assert exchanged["write units"] - alone["write units"] == pytest.approx(1000 * 0.625e-6)


def test_a_rollback_wakes_no_function() -> None:
    (genesis,) = commits(0, 1)
    back = replace(genesis, version=1, restores=0)
    one, two = (cost_of(spec(), entries, (), 0, START) for entries in ([genesis], [genesis, back]))
    assert by_name(two)["function time"] == by_name(one)["function time"] == 0
    assert (two.version, two.updates, two.commits) == (1, 0, 0)


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    for _ in range(2):
        found.contribute([0, 0, 0], base_version=found.head.version)
        found.drain()
    found.catalog.join(a_client("line", 1))
    found.catalog.record_evaluation(an_evaluation("line", 2))
    return found


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
    monkeypatch.setattr("webnn.wiring.now", lambda: START)
    return lambda *words: CliRunner(env={"COLUMNS": "120"}).invoke(webnn, ["cost", *words, "--stage", "dev"])


def test_it_is_shown_as_an_estimate_with_its_source(typed: Callable[..., Result]) -> None:
    shown = typed("line").stdout
    assert "line up to version 2: 2 updates in 2 commits, 1 evaluation, 1 client" in shown
    assert "together, estimated" in shown
    assert "An estimate, by list prices noted on 2026-11-23 (infra/README.md)" in shown
    assert "Per version: $" in shown


def test_what_costs_something_is_never_called_none_of_it(
    typed: Callable[..., Result], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webnn.wiring.now", lambda: START + 60_000)
    world.services.runs.start("new", "", "", json.dumps(a_spec()).encode(), np.float32([0, 0, 0]))
    world.services.clients.join("new")
    rows = [line.split("│")[1:5] for line in typed("new").stdout.splitlines() if line.count("│") == 5]
    found = {what.strip(): (many.strip(), dollars.strip()) for what, many, _, dollars in rows}
    assert found["rows"] == ("1 byte for a month", "<$0.000001")
    assert found["function time"] == ("0.03", "<$0.000001")
    assert found["read units"] == ("0", "$0.00")


def test_json_is_one_line_whose_parts_make_the_whole(typed: Callable[..., Result]) -> None:
    (line,) = typed("line", "--json").stdout.splitlines()
    found = json.loads(line)
    assert found["dollars"] == pytest.approx(sum(one["dollars"] for one in found["lines"]))
    assert found["per_version"] == found["dollars"] / 2
    assert (found["noted"], found["source"]) == ("2026-11-23", "infra/README.md")


@pytest.mark.parametrize(("over", "code"), [("0", 3), ("0.000001", 3), ("1", 0)])
def test_it_exits_with_3_if_it_was_more_than_allowed(typed: Callable[..., Result], over: str, code: int) -> None:
    assert typed("line", "--over", over).exit_code == code


def test_a_run_at_version_0_has_a_cost_but_none_per_version(world: World, typed: Callable[..., Result]) -> None:
    world.services.runs.start("new", "", "", json.dumps(a_spec()).encode(), np.float32([0, 0, 0]))
    found = json.loads(typed("new", "--json").stdout)
    assert (found["version"], found["per_version"]) == (0, None)
    assert found["dollars"] > 0
    assert "Per version" not in typed("new").stdout


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0.0, "$0.00"), (4.6e-10, "<$0.000001"), (9.9e-7, "<$0.000001"), (1e-6, "$0.000001"), (0.00004, "$0.000040"),
        (0.01234, "$0.012"), (0.5, "$0.50"), (1.0, "$1.00"), (1234.5, "$1,234.50"),
    ],
)  # fmt: skip
def test_money_is_cents_at_least_with_two_digits_that_tell_something_and_only_nothing_is_0(
    amount: float, said: str
) -> None:
    assert money(amount) == said
