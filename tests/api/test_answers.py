"""What each route answers when all is well. (That it is what the document says is checked at every call.)"""

import hashlib

import numpy as np
import pytest
from asking import Api
from samples import SHARD, START, a_spec, an_id, body_of

from webnn.core.records import Status
from webnn.store.ports import UploadTicket


def announced(delta: list[float], **members: object) -> dict[str, object]:
    body = body_of(delta)
    return {
        "base_version": 0,
        "generation": 0,
        "local_steps": 2,
        "examples": 8,
        "bytes": len(body),
        "sha256": hashlib.sha256(body).hexdigest(),
        "encoding": "float32",
    } | members


def contribute(api: Api, delta: list[float], **members: object) -> str:
    """Announces, uploads with the ticket, and lets the committer come by; gives the update's id."""
    ticket = api.post("/runs/line/updates", announced(delta, **members))
    upload = UploadTicket(ticket["upload"]["url"], ticket["upload"]["fields"])
    api.world.blobs.upload(upload, body_of(delta))
    api.world.drain()
    update_id: str = ticket["update_id"]
    return update_id


def evaluate(api: Api, accuracy: float) -> dict[str, object]:
    """Does the evaluation that is due."""
    task = api.post("/runs/line/tasks", {})
    assert task["kind"] == "evaluate"
    report = {"evaluation_id": task["evaluation_id"], "version": task["version"], "examples": 8}
    answer: dict[str, object] = api.post("/runs/line/evaluations", report | {"loss": 0.5, "accuracy": accuracy})
    return answer


def test_before_any_run_there_are_none(api: Api) -> None:
    assert api.get("/runs") == {"runs": []}


def test_a_run_is_described_to_anyone(joined: Api) -> None:
    found = joined.get("/runs/line", token="")
    assert found["run"] == "line"
    assert found["status"] == "running"
    assert found["head"] | {"sha256": ""} == {"version": 0, "steps": 0, "generation": 0, "sha256": ""}
    assert found["metrics"] is None
    assert found["clients"] == 1
    assert found["data"] == {
        "train_examples": 8,
        "validation_examples": 8,
        "inputs": [{"name": "x", "shape": [2], "dtype": "float32"}],
        "targets": [{"name": "y", "shape": [], "dtype": "float32"}],
        "labels": None,
        "own": "never",
    }
    assert found["merge"]["rule"] == "delta"
    assert joined.get("/runs") == {"runs": [found]}


def test_a_run_tells_how_its_examples_are_stored_and_what_its_classes_are_called(api: Api) -> None:
    packed = {"dtype": "uint8", "min": 0, "scale": 0.5}
    inputs = [
        {"name": "pixels", "shape": [2], "dtype": "float32", "quantization": packed},
        {"name": "half", "shape": [3], "dtype": "float32", "quantization": {"dtype": "float16"}},
    ]
    shard = SHARD | {"bytes": 12, "examples": 1}
    members = {"inputs": inputs, "labels": ["no", "yes"], "own": "may", "train": [shard], "validation": [shard]}
    api.world.start(data=a_spec()["data"] | members, training={"loss": "binaryCrossentropy"})
    found = api.get("/runs/line", token="")["data"]
    assert (found["inputs"], found["labels"], found["own"]) == (inputs, ["no", "yes"], "may")


def test_the_current_model_is_there_for_anyone_whatever_the_status(joined: Api) -> None:
    first = joined.get("/runs/line/model", token="")
    assert (first["version"], first["generation"], first["expires_in"]) == (0, 0, 3600)
    contribute(joined, [1, 0, 0])
    joined.world.catalog.set_status(joined.world.head, Status.FINISHED)
    second = joined.get("/runs/line/model", token="")
    assert (second["version"], second["model"]["sha256"]) == (1, first["model"]["sha256"])
    for name in ("model", "checkpoint"):
        body = bytes(joined.world.blobs.fetch(second[name]["url"]))
        assert (len(body), hashlib.sha256(body).hexdigest()) == (second[name]["bytes"], second[name]["sha256"])
    assert list(np.frombuffer(body, "<f4")) == [2, 2, 3]


def test_of_a_run_that_is_not_there_is_no_model(api: Api) -> None:
    assert api.refused("GET", "/runs/nobody/model") == (404, "missing")


def test_who_is_to_train_on_data_of_its_own_is_given_no_shard(api: Api) -> None:
    api.world.start(data=a_spec()["data"] | {"own": "must", "train": []})
    api.join()
    evaluate(api, 0.5)
    task = api.post("/runs/line/tasks", {})
    assert (task["kind"], task["shard"]) == ("train", None)


def test_a_described_run_tells_its_newest_metrics(joined: Api) -> None:
    evaluate(joined, 0.25)
    assert joined.get("/runs/line")["metrics"] == {
        "version": 0,
        "loss": 0.5,
        "accuracy": 0.25,
        "examples": 8,
        "at": START,
    }


def test_clients_that_were_silent_for_a_minute_are_not_counted(joined: Api) -> None:
    joined.world.clock.now += 60_000
    assert joined.get("/runs/line")["clients"] == 1
    joined.world.clock.now += 1
    assert joined.get("/runs/line")["clients"] == 0


def test_who_joins_gets_a_token_that_opens_the_run(api: Api) -> None:
    api.world.start()
    membership = api.post("/runs/line/clients", {})
    assert membership["expires_in"] == 86_400
    assert api.post("/runs/line/tasks", {}, token=membership["token"])["kind"] == "evaluate"


def test_two_who_join_are_two(api: Api) -> None:
    api.world.start()
    first, second = (api.post("/runs/line/clients", {}) for _ in range(2))
    assert first["client_id"] != second["client_id"]


def test_the_first_client_is_to_evaluate_the_second_to_train(joined: Api) -> None:
    evaluating = joined.post("/runs/line/tasks", {})
    joined.join()
    training = joined.post("/runs/line/tasks", {})
    assert evaluating["kind"] == "evaluate"
    assert [shard["examples"] for shard in evaluating["shards"]] == [8]
    assert training["kind"] == "train"
    assert training["shard"]["examples"] == 8
    assert training["checkpoint"] == evaluating["checkpoint"]


def test_blobs_of_a_task_have_the_size_and_the_hash_that_it_says(joined: Api) -> None:
    joined.post("/runs/line/tasks", {})
    task = joined.post("/runs/line/tasks", {})
    for name in ("model", "checkpoint"):
        body = joined.world.blobs.fetch(task[name]["url"])
        assert len(body) == task[name]["bytes"]
        assert hashlib.sha256(body).hexdigest() == task[name]["sha256"]


def test_a_paused_run_asks_to_wait_a_finished_one_to_leave(joined: Api) -> None:
    joined.world.catalog.set_status(joined.world.head, Status.PAUSED)
    waiting = joined.post("/runs/line/tasks", {})
    assert (waiting["kind"], waiting["reason"]) == ("wait", "the run is paused")
    joined.world.catalog.set_status(joined.world.head, Status.FINISHED)
    assert joined.post("/runs/line/tasks", {}) == {"kind": "stop", "reason": "the run is finished"}


def test_an_update_goes_from_pending_to_merged(joined: Api) -> None:
    ticket = joined.post("/runs/line/updates", announced([1, 0, 0]))
    assert ticket["expires_in"] == 900
    path = f"/runs/line/updates/{ticket['update_id']}"
    assert joined.get(path) == {
        "update_id": ticket["update_id"],
        "state": "pending",
        "reason": None,
        "base_version": 0,
        "version": None,
        "staleness": None,
        "discount": None,
    }
    joined.world.blobs.upload(UploadTicket(**ticket["upload"]), body_of([1, 0, 0]))
    joined.world.drain()
    merged = joined.get(path)
    assert (merged["state"], merged["version"], merged["staleness"], merged["discount"]) == ("merged", 1, 0, 1.0)
    assert joined.world.weights == [2, 2, 3]


def test_an_updates_id_leads_from_the_request_to_the_ledger(joined: Api, caplog: pytest.LogCaptureFixture) -> None:
    """At the level that the functions themselves set: Lambda's own shows warnings only."""
    ticket = joined.post("/runs/line/updates", announced([1, 0, 0]))
    assert f"update={ticket['update_id']}" in caplog.text
    assert ticket["update_id"] in ticket["upload"]["url"]
    joined.world.blobs.upload(UploadTicket(**ticket["upload"]), body_of([1, 0, 0]))
    joined.world.drain()
    (line,) = joined.world.catalog.ledger_entry("line", 1).updates
    assert line.update_id == ticket["update_id"]


def test_an_update_that_is_rejected_says_why(joined: Api) -> None:
    update_id = contribute(joined, [float("nan"), 0, 0])
    found = joined.get(f"/runs/line/updates/{update_id}")
    assert (found["state"], found["reason"]) == ("rejected", "the delta holds NaN or infinity")


@pytest.mark.parametrize(
    ("encoding", "size", "quantization"),
    [("float16", 6, []), ("uint8", 3, [{"min": -1, "scale": 0.5}] * 2), ("uint16", 6, [{"min": 0, "scale": 0}] * 2)],
)
def test_every_encoding_can_be_announced(
    joined: Api, encoding: str, size: int, quantization: list[dict[str, float]]
) -> None:
    members = {"encoding": encoding, "bytes": size, "quantization": quantization}
    ticket = joined.post("/runs/line/updates", announced([1, 0, 0], **members))
    update = joined.world.catalog.update("line", ticket["update_id"])
    assert [{"min": q.min, "scale": q.scale} for q in update.quantization] == quantization


def test_metrics_of_an_update_are_kept(joined: Api) -> None:
    ticket = joined.post("/runs/line/updates", announced([1, 0, 0], metrics={"loss": -0.5, "accuracy": 1}))
    update = joined.world.catalog.update("line", ticket["update_id"])
    assert (update.loss, update.accuracy) == (-0.5, 1.0)


def test_the_same_report_again_is_harmless(joined: Api) -> None:
    task = joined.post("/runs/line/tasks", {})
    report = {"evaluation_id": task["evaluation_id"], "version": 0, "examples": 8, "loss": 0.5, "accuracy": 0.25}
    first, second = (joined.post("/runs/line/evaluations", report) for _ in range(2))
    assert first == second
    assert len(joined.get("/runs/line/history")["evaluations"]) == 1


def test_a_report_that_reaches_the_end_finishes_the_run(api: Api) -> None:
    api.world.start(end={"accuracy": 0.9})
    api.join()
    evaluate(api, 0.9)
    assert api.get("/runs/line")["status"] == "finished"
    assert api.post("/runs/line/tasks", {})["kind"] == "stop"


def test_a_report_short_of_the_end_does_not(api: Api) -> None:
    api.world.start(end={"accuracy": 0.9})
    api.join()
    evaluate(api, 0.899)
    assert api.get("/runs/line")["status"] == "running"


def test_the_history_tells_every_commit(joined: Api) -> None:
    evaluate(joined, 0.25)
    contribute(joined, [1, 0, 0])
    contribute(joined, [0, 1, 0])
    history = joined.get("/runs/line/history")
    assert [commit["version"] for commit in history["commits"]] == [0, 1, 2]
    assert history["commits"][2] == {
        "version": 2,
        "from_version": 1,
        "generation": 0,
        "at": START,
        "steps": 2,
        "clients": 1,
        "examples": 8,
        "bytes": 12,
        "checkpoint_bytes": 12,
        "staleness": [1],
        "discounts": [float(np.float32(2**-0.5))],  # so that machines whose powers differ agree
        "restores": None,
        "left_out": None,
        "note": "",
    }
    assert [evaluation["version"] for evaluation in history["evaluations"]] == [0]
    assert history["head"]["version"] == 2
    assert history["next_after"] is None


def test_the_history_after_a_version_leaves_out_what_was_before(joined: Api) -> None:
    evaluate(joined, 0.25)
    contribute(joined, [1, 0, 0])
    history = joined.get("/runs/line/history?after=0")
    assert [commit["version"] for commit in history["commits"]] == [1]
    assert history["evaluations"] == []


def test_a_long_history_comes_in_pages_that_miss_and_repeat_nothing(joined: Api) -> None:
    evaluate(joined, 0.25)
    for _ in range(220):
        joined.world.contribute([0, 0, 0])
        joined.world.drain()
    evaluate(joined, 0.5)
    versions, evaluations, after = [], [], -1
    while after is not None:
        page = joined.get(f"/runs/line/history?after={after}")
        versions += [commit["version"] for commit in page["commits"]]
        evaluations += [evaluation["version"] for evaluation in page["evaluations"]]
        after = page["next_after"]
    assert versions == list(range(221))
    assert evaluations == [0, 220]


def test_an_id_sorts_by_the_time_it_was_made(joined: Api) -> None:
    made = [joined.post("/runs/line/updates", announced([1, 0, 0]))["update_id"] for _ in range(3)]
    assert made == sorted(made)
    assert an_id(0) < made[0]


def test_a_spec_with_a_rule_of_parameters_shows_its_name(api: Api) -> None:
    api.world.start(merge={"rule": {"name": "average"}})
    assert api.get("/runs/line")["merge"]["rule"] == "average"
