"""What a client says when it cannot train, and what its owner is told of it."""

import json
from typing import Any

import pytest
from asking import Api

from webnn.failures import MOST, Trouble

PATH = "/runs/line/failures"
REPORT = {"code": "bad_spec", "message": "Unknown layer: Fancy"}


def test_what_was_reported_is_answered(joined: Api) -> None:
    full = REPORT | {"detail": "at conv_1", "backend": "wasm", "version": 3}
    assert joined.post(PATH, full) == full | {"at": joined.world.clock()}
    assert joined.post(PATH, REPORT) == REPORT | {
        "detail": "", "backend": "", "version": None, "at": joined.world.clock(),
    }  # fmt: skip


def test_the_owner_sees_how_many_say_the_same_the_newest_first(joined: Api) -> None:
    for number, message in enumerate(("out of memory", "Unknown layer: Fancy", "Unknown layer:  Fancy")):
        joined.world.clock.now += 1000
        joined.join()
        joined.post(PATH, REPORT | {"message": message, "detail": f"client {number}"})
    found = joined.world.services.failures.look("line")
    assert (found.clients, found.more) == (3, False)
    first, second = found.alike
    at = joined.world.clock()
    assert first == Trouble("bad_spec", "Unknown layer: Fancy", 2, at, "client 2", "", None)
    assert (second.message, second.clients) == ("out of memory", 1)


def test_a_client_that_reports_again_counts_once(joined: Api) -> None:
    for message in ("first", "second"):
        joined.post(PATH, REPORT | {"message": message})
    found = joined.world.services.failures.look("line")
    assert [(one.message, one.clients) for one in found.alike] == [("second", 1)]


def test_of_very_many_only_the_newest_are_read(joined: Api) -> None:
    for _ in range(MOST + 1):
        joined.join()
        joined.post(PATH, REPORT)
    found = joined.world.services.failures.look("line")
    assert (found.clients, found.more, found.alike[0].clients) == (MOST, True, MOST)


def test_nothing_of_it_does_anything_to_a_terminal(joined: Api) -> None:
    joined.post(PATH, REPORT | {"message": "\x1b[31mred\u202e\r\n[bold]x[/]\u2066\x07", "detail": "\x9b2J\ta"})
    (trouble,) = joined.world.services.failures.look("line").alike
    assert (trouble.message, trouble.detail) == ("[31mred [bold]x[/]", "2J a")


def test_it_leaves_the_run_and_the_client_as_they_were(joined: Api) -> None:
    before = joined.get("/runs/line")
    joined.post(PATH, REPORT)
    assert joined.get("/runs/line") == before
    assert joined.post("/runs/line/tasks", {})["kind"] == "evaluate"


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "Bad"}, {"code": ""}, {"code": "a" * 41}, {"code": None}, {"message": ""}, {"message": "a" * 501},
        {"detail": "a" * 1001}, {"detail": None}, {"backend": "web gl"}, {"version": -1}, {"version": "1"}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_too_much_or_no_report_is_invalid_and_not_kept(joined: Api, wrong: dict[str, Any]) -> None:
    assert joined.refused("POST", PATH, REPORT | wrong) == (400, "invalid")
    assert joined.world.services.failures.look("line").clients == 0


def test_what_is_left_out_is_named(joined: Api) -> None:
    for name in REPORT:
        left = {key: value for key, value in REPORT.items() if key != name}
        answer = joined.call("POST", PATH, json.dumps(left).encode())
        assert name in answer.json_body["error"]["message"]


def test_only_a_client_of_the_run_may(joined: Api) -> None:
    assert joined.refused("POST", PATH, REPORT, token="") == (401, "unauthorized")
    assert joined.refused("POST", "/runs/other/failures", REPORT) == (401, "unauthorized")


def test_of_a_run_that_is_gone_it_is_missing(joined: Api) -> None:
    del joined.world.catalog._heads["line"]
    assert joined.refused("POST", PATH, REPORT) == (404, "missing")
