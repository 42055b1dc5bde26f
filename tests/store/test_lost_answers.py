"""What the adapters for AWS make of silence: an answer that is lost on the way, an engine that is gone."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lossy import Proxy, lossy
from msgspec.structs import replace
from pynamodb.connection import Connection
from samples import a_client, a_commit, a_head, a_lease, a_run, an_entry, an_id, an_update
from stages import NETWORKED, Stage, Stores
from test_catalog_runs import start

from webnn import aws
from webnn.core.records import MergeLease, Status, SweepMark
from webnn.core.wire import sha256
from webnn.errors import Conflict, Missing, Unavailable
from webnn.store import keys

pytestmark = pytest.mark.parametrize("stage", NETWORKED, indirect=True)


@pytest.fixture
def proxy(stage: Stage) -> Iterator[Proxy]:
    with lossy(stage.variables["AWS_ENDPOINT_URL"]) as found:
        yield found


@pytest.fixture
def through(stage: Stage, proxy: Proxy) -> Stores:
    """Adapters whose requests go through the proxy."""
    return stage.through(proxy.url)


def puts(request: str) -> bool:
    return request.startswith("PUT ")


def transactions(request: str) -> bool:
    return request.endswith(".TransactWriteItems")


def test_a_blob_that_was_written_though_the_answer_was_lost_is_no_conflict(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    key = keys.update(run_name, an_id(1))
    proxy.lose_answer_to = puts
    through[1].create(key, b"mine")
    assert proxy.lost == 1
    assert through[1].get(key) == b"mine"


def test_a_blob_of_another_is_a_conflict_though_the_first_answer_was_lost(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    key = keys.update(run_name, an_id(1))
    through[1].create(key, b"theirs")
    proxy.lose_answer_to = puts
    with pytest.raises(Conflict):
        through[1].create(key, b"mine")
    assert proxy.lost == 1
    assert through[1].get(key) == b"theirs"


def test_a_commit_that_landed_though_the_answer_was_lost_is_no_conflict(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    catalog = through[0]
    head = start(catalog, run_name)
    update = an_update(run_name, 1)
    catalog.open_update(update)
    commit = a_commit(head, update)

    proxy.lose_answer_to = transactions
    catalog.commit(commit)

    assert proxy.lost == 1
    assert catalog.head(run_name) == commit.head
    assert catalog.update(run_name, update.update_id) == commit.settled[0]


def test_a_refused_commit_is_a_conflict_though_the_first_answer_was_lost(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    catalog = through[0]
    head = start(catalog, run_name)
    first, second = an_update(run_name, 1), an_update(run_name, 2)
    catalog.open_update(first)
    catalog.open_update(second)
    catalog.commit(a_commit(head, first))

    proxy.lose_answer_to = transactions
    with pytest.raises(Conflict):
        catalog.commit(a_commit(head, second))

    assert proxy.lost == 1
    assert catalog.pending(run_name, 10) == [second]


def test_a_run_that_was_started_though_the_answer_was_lost_is_there(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    proxy.lose_answer_to = transactions
    start(through[0], run_name)
    assert proxy.lost == 1
    assert through[0].run(run_name) == a_run(run_name)


def test_an_update_that_was_opened_though_the_answer_was_lost_is_no_conflict(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    proxy.lose_answer_to = lambda request: request.endswith(".PutItem")
    through[0].open_update(an_update(run_name, 1))
    assert proxy.lost == 1
    assert through[0].pending(run_name, 10) == [an_update(run_name, 1)]


def test_a_client_that_joined_though_the_answer_was_lost_is_no_conflict(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    proxy.lose_answer_to = lambda request: request.endswith(".PutItem")
    through[0].join(a_client(run_name, 1))
    assert proxy.lost == 1
    assert through[0].touch(run_name, an_id(1), 5).tasks == 1


def test_a_claim_that_landed_though_the_answer_was_lost_is_no_conflict(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    first, second = a_lease(run_name, 1), a_lease(run_name, 2)
    through[0].claim_evaluation(first, None)
    proxy.lose_answer_to = lambda request: request.endswith(".PutItem")
    through[0].claim_evaluation(second, first)
    assert proxy.lost == 1
    assert through[0].evaluation_lease(run_name) == second


def test_a_turn_that_was_taken_though_the_answer_was_lost_is_no_conflict(
    proxy: Proxy, through: Stores, run_name: str
) -> None:
    turn = MergeLease(run_name, an_id(1), 5)
    proxy.lose_answer_to = lambda request: request.endswith(".PutItem")
    through[0].claim_merging(turn, None)
    assert proxy.lost == 1
    assert through[0].merge_lease(run_name) == turn


@pytest.mark.parametrize("lost", [".DeleteItem", ".BatchWriteItem", ".TransactWriteItems", ".GetItem", ".Query"])
def test_a_run_is_deleted_though_an_answer_was_lost(proxy: Proxy, through: Stores, run_name: str, lost: str) -> None:
    catalog = through[0]
    catalog.set_status(start(catalog, run_name), Status.FINISHED)
    proxy.lose_answer_to = lambda request: request.endswith(lost)
    catalog.delist(run_name)
    catalog.delete_rows(run_name, 10)
    catalog.delete_run(run_name, 1)
    assert catalog.next_generation(run_name) == 1
    assert proxy.lost == 1
    with pytest.raises(Missing):
        catalog.head(run_name)
    assert catalog.ledger(run_name, -1, 10) == []


def test_rows_that_dynamodb_leaves_of_a_batch_are_sent_again(
    through: Stores, run_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, sent = Connection.batch_write_item, list[int]()

    def throttled(self: Connection, table_name: str, **items: Any) -> Any:
        """Takes half of the batch."""
        half = items["delete_items"][::2]
        left = items["delete_items"][1::2]
        sent.append(len(half))
        send(self, table_name, **items | {"delete_items": half})
        return {"UnprocessedItems": {table_name: [{"DeleteRequest": {"Key": key}} for key in left]} if left else {}}

    catalog = through[0]
    start(catalog, run_name)
    for number in range(6):
        catalog.join(a_client(run_name, number))
    monkeypatch.setattr(Connection, "batch_write_item", throttled)
    assert catalog.delete_rows(run_name, 100) == 7
    assert sent == [4, 2, 1]
    assert catalog.delete_rows(run_name, 100) == 0


def test_a_read_whose_answer_was_lost_is_asked_again(proxy: Proxy, through: Stores, run_name: str) -> None:
    head = start(through[0], run_name)
    proxy.lose_answer_to = lambda request: request.endswith(".GetItem")
    assert through[0].head(run_name) == head
    assert proxy.lost == 1


@pytest.fixture
def nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Adapters for an engine that is gone."""
    # Pauses between retries are the library's business; here they are skipped.
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return stage.through(f"http://127.0.0.1:{port}")


ASKED: dict[str, Callable[[Stores], object]] = {
    "create_run": lambda s: s[0].create_run(a_run("line"), a_head("line"), an_entry(a_head("line"), a_head("line"))),
    "runs": lambda s: s[0].runs(),
    "run": lambda s: s[0].run("line"),
    "head": lambda s: s[0].head("line"),
    "set_status": lambda s: s[0].set_status(a_head("line"), a_head("line").status),
    "ledger": lambda s: s[0].ledger("line", -1, 1),
    "ledger_entry": lambda s: s[0].ledger_entry("line", 0),
    "open_update": lambda s: s[0].open_update(an_update("line", 1)),
    "update": lambda s: s[0].update("line", an_id(1)),
    "pending": lambda s: s[0].pending("line", 1),
    "commit": lambda s: s[0].commit(a_commit(a_head("line"), an_update("line", 1))),
    "join": lambda s: s[0].join(a_client("line", 1)),
    "touch": lambda s: s[0].touch("line", an_id(1), 5),
    "active_clients": lambda s: s[0].active_clients("line", 0),
    "evaluation_lease": lambda s: s[0].evaluation_lease("line"),
    "claim_evaluation": lambda s: s[0].claim_evaluation(a_lease("line", 1), None),
    "merge_lease": lambda s: s[0].merge_lease("line"),
    "claim_merging": lambda s: s[0].claim_merging(MergeLease("line", an_id(1), 5), None),
    "sweep_mark": lambda s: s[0].sweep_mark("line"),
    "next_generation": lambda s: s[0].next_generation("line"),
    "delist": lambda s: s[0].delist("line"),
    "delete_rows": lambda s: s[0].delete_rows("line", 1),
    "delete_run": lambda s: s[0].delete_run("line", 1),
    "set_sweep_mark": lambda s: s[0].set_sweep_mark(SweepMark("line")),
    "pending_count": lambda s: s[0].pending_count("line", 1),
    "listed": lambda s: s[1].listed("shards/", "", 1),
    "delete": lambda s: s[1].delete(["shards/a.bin"]),
    "latest_evaluation": lambda s: s[0].latest_evaluation("line"),
    "create": lambda s: s[1].create("shards/a.bin", b"a"),
    "get": lambda s: s[1].get("shards/a.bin"),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED.keys())
def test_an_engine_that_is_gone_is_unavailable_whatever_is_asked(
    nobody: Stores, ask: Callable[[Stores], object]
) -> None:
    with pytest.raises(Unavailable):
        ask(nobody)


def test_urls_and_tickets_are_made_without_an_engine(nobody: Stores) -> None:
    assert "shards/a.bin" in nobody[1].download_url("shards/a.bin", 60)
    assert nobody[1].upload_ticket("updates/a.bin", 1, sha256(b"a"), 60).fields["key"] == "updates/a.bin"


def test_a_table_that_is_not_there_is_our_fault_and_no_outage(stage: Stage) -> None:
    catalog, _ = aws.stores(replace(stage.settings, table="webnn-nowhere"))
    with pytest.raises(Exception, match="ResourceNotFound") as fault:
        catalog.head("line")
    assert not isinstance(fault.value, (Unavailable, Missing))


def test_commits_of_another_attempt_do_not_pass_for_a_repeat(through: Stores, run_name: str) -> None:
    """The request token is the attempt's: the same transaction from another attempt is another commit."""
    catalog = through[0]
    head = start(catalog, run_name)
    update = an_update(run_name, 1)
    catalog.open_update(update)
    commit = a_commit(head, update)
    catalog.commit(commit)
    catalog.commit(commit)  # the very same attempt, as a retry would send it
    with pytest.raises(Conflict):
        catalog.commit(replace(commit, entry=replace(commit.entry, attempt=an_id(5))))
