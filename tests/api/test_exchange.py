"""What peers are told."""

import hashlib
from typing import Any

import pytest
from asking import Api
from samples import body_of
from test_answers import announced

from webnn.core.wire import decode_vector
from webnn.store.ports import UploadTicket


@pytest.fixture
def peers(api: Api) -> Api:
    api.world.start(merge={"where": "peer", "rule": {"name": "copy"}})
    return api


def member(api: Api) -> str:
    token: str = api.post("/runs/line/clients", {}, token="")["token"]
    return token


def contribute(api: Api, token: str, delta: list[float], **members: object) -> str:
    """Announces and uploads; gives the update's id."""
    ticket = api.post("/runs/line/updates", announced(delta, **members), token=token)
    api.world.blobs.upload(UploadTicket(ticket["upload"]["url"], ticket["upload"]["fields"]), body_of(delta))
    update_id: str = ticket["update_id"]
    return update_id


def train_task(api: Api, token: str) -> dict[str, Any]:
    """The first that asks is asked to evaluate; whoever asks then trains."""
    api.post("/runs/line/tasks", {}, token=member(api))
    task: dict[str, Any] = api.post("/runs/line/tasks", {}, token=token)
    assert task["kind"] == "train"
    return task


def test_a_task_names_the_genesis_the_rule_and_what_to_validate_on(peers: Api) -> None:
    genesis = peers.world.catalog.ledger_entry("line", 0)
    task = train_task(peers, member(peers))
    assert task["peer"]["rule"] == "copy"
    assert task["peer"]["steps"] == 0
    assert task["peer"]["genesis"]["sha256"] == genesis.sha256
    assert task["validation"]["examples"] == 8


def test_where_the_server_merges_a_task_names_neither(api: Api) -> None:
    api.world.start()
    task = train_task(api, member(api))
    assert (task["peer"], task["validation"]) == (None, None)


def test_the_second_gets_what_the_first_left_and_can_read_it(peers: Api) -> None:
    first, second = member(peers), member(peers)
    left = contribute(peers, first, [1, 2, 3], metrics={"accuracy": 0.5})
    other = contribute(peers, second, [0, 0, 0])
    assert peers.post("/runs/line/exchange", {"update_id": left}, token=first) == {"peer": None}
    found = peers.post("/runs/line/exchange", {"update_id": other}, token=second)["peer"]
    assert (found["update_id"], found["accuracy"], found["encoding"]) == (left, 0.5, "float32")
    body = peers.world.blobs.fetch(found["body"]["url"])
    assert hashlib.sha256(body).hexdigest() == found["body"]["sha256"]
    spec = peers.world.services.runs.describe("line").spec
    assert decode_vector(spec.weights, body).tolist() == [1, 2, 3]


def test_who_has_no_token_gets_nothing(peers: Api) -> None:
    assert peers.refused("POST", "/runs/line/exchange", {"update_id": "0" * 32})[0] == 401


@pytest.mark.parametrize("body", [{}, {"update_id": "x"}, {"update_id": "0" * 32, "more": 1}])
def test_what_makes_no_sense_is_invalid(peers: Api, body: dict[str, object]) -> None:
    assert peers.refused("POST", "/runs/line/exchange", body, token=member(peers)) == (400, "invalid")
