"""What each route answers to what is wrong: a clear error in the one shape, never a 500, never a changed head."""

import base64
import json
import logging
from typing import Any

import jwt
import pytest
from asking import Api
from faults import Faulty, lost
from samples import SECRET, World, a_world, an_id
from test_answers import announced

import app
from webnn.core.records import Status
from webnn.tokens import LIFETIME_SECONDS, Member

TOKEN_CALLS = [
    ("POST", "/runs/line/tasks", {}),
    ("POST", "/runs/line/updates", announced([1, 0, 0])),
    ("GET", f"/runs/line/updates/{an_id(1)}", b""),
    (
        "POST",
        "/runs/line/evaluations",
        {"evaluation_id": an_id(1), "version": 0, "loss": 1, "accuracy": 1, "examples": 8},
    ),
    ("POST", "/runs/line/failures", {"code": "bad_spec", "message": "no such layer"}),
]
POSTS = [
    "/runs/line/clients",
    "/runs/line/tasks",
    "/runs/line/updates",
    "/runs/line/evaluations",
    "/runs/line/failures",
]


def signed(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret, algorithm)


def claims(**members: Any) -> dict[str, Any]:
    return {"sub": an_id(77), "run": "line", "exp": 4_000_000_000} | members


FOREIGN = "f" * 64
NONE = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (
    {"alg": "none", "typ": "JWT"}, claims()))  # fmt: skip
TOKENS = {
    "none at all": "",
    "no JWT": "garbage",
    "three dots": "...",
    "not ASCII": "ünïcödé.é.é",
    "long": "a" * 10_000,
    "another stage's": signed(claims(), FOREIGN),
    "unsigned": NONE + ".",
    "another algorithm": signed(claims(), SECRET, "HS512"),
    "another run's": signed(claims(run="other")),
    "no run": signed({"sub": an_id(77), "exp": 4_000_000_000}),
    "a list of runs": signed(claims(run=["line"])),
    "no subject": signed({"run": "line", "exp": 4_000_000_000}),
    "a subject that is a number": signed(claims(sub=5)),
    "expired": signed(claims(exp=1_000_000_000)),
    "no end": signed({"sub": an_id(77), "run": "line"}),
    "an end that is a text": signed(claims(exp="4000000000")),
    "an end that is true": signed(claims(exp=True)),
}


class TestTokens:
    @pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
    @pytest.mark.parametrize(
        ("method", "path", "body"), TOKEN_CALLS, ids=["task", "announce", "look", "report", "fail"]
    )
    def test_one_that_is_not_ours_opens_nothing(
        self, joined: Api, method: str, path: str, body: Any, token: str
    ) -> None:
        assert joined.refused(method, path, body, token=token) == (401, "unauthorized")

    @pytest.mark.parametrize("header", ["Basic dTpw", "Bearer", "Bearer ", "bearer\t", "", "Token x"])
    def test_one_that_is_sent_otherwise_opens_nothing(self, joined: Api, header: str) -> None:
        headers = {"Authorization": header}
        assert joined.refused("POST", "/runs/line/tasks", {}, token="", headers=headers) == (401, "unauthorized")

    def test_of_one_run_does_not_open_another(self, joined: Api) -> None:
        world = joined.world
        a_world(world.catalog, world.blobs, world.clock, world.ids, name="other").start()
        assert joined.refused("POST", "/runs/other/tasks", {}) == (401, "unauthorized")

    def test_lasts_for_its_time_and_no_longer(self, joined: Api) -> None:
        joined.world.clock.now += LIFETIME_SECONDS * 1000 - 1
        joined.post("/runs/line/tasks", {})
        joined.world.clock.now += 1
        assert joined.refused("POST", "/runs/line/tasks", {}) == (401, "unauthorized")

    def test_of_a_client_that_is_not_known_asks_to_join_again(self, joined: Api) -> None:
        token = joined.world.services.tokens.issue(Member("line", an_id(4711)))
        assert joined.refused("POST", "/runs/line/tasks", {}, token=token) == (401, "unauthorized")

    def test_does_not_open_an_update_of_another_client(self, joined: Api) -> None:
        update_id = joined.post("/runs/line/updates", announced([1, 0, 0]))["update_id"]
        joined.join()
        assert joined.refused("GET", f"/runs/line/updates/{update_id}") == (404, "missing")

    def test_does_not_report_for_another_client(self, joined: Api) -> None:
        task = joined.post("/runs/line/tasks", {})
        joined.join()
        report = {"evaluation_id": task["evaluation_id"], "version": 0, "loss": 1, "accuracy": 1, "examples": 8}
        assert joined.refused("POST", "/runs/line/evaluations", report) == (404, "missing")


class TestRuns:
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/runs/{}"), ("GET", "/runs/{}/history"), ("POST", "/runs/{}/clients")],
    )
    def test_one_that_does_not_exist_is_missing(self, api: Api, method: str, path: str) -> None:
        assert api.refused(method, path.format("nowhere"), {}) == (404, "missing")

    @pytest.mark.parametrize("name", ["UPPER", "-dash", "a_b", "%00", "%2e%2e", "*", "run%23x", "ü", "a" * 64, "a b"])
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/runs/{}"), ("GET", "/runs/{}/history"), ("POST", "/runs/{}/clients"), ("POST", "/runs/{}/tasks")],
    )
    def test_a_name_that_no_run_can_have_is_invalid(self, api: Api, method: str, path: str, name: str) -> None:
        assert api.refused(method, path.format(name), {}) == (400, "invalid")

    def test_of_a_token_of_a_run_that_is_gone_is_missing(self, api: Api) -> None:
        token = api.world.services.tokens.issue(Member("gone", an_id(1)))
        for method, path, body in TOKEN_CALLS:
            gone = path.replace("line", "gone")
            assert api.refused(method, gone, body, token=token) == (404, "missing")

    @pytest.mark.parametrize(
        "after", ["", "x", "-2", "1.5", "1e3", "9" * 13, "9" * 400, "0x1", "null", "%20", "-1;", "1%0A", "%D9%A1"]
    )
    def test_a_history_after_what_is_no_version_is_invalid(self, joined: Api, after: str) -> None:
        assert joined.refused("GET", f"/runs/line/history?after={after}") == (400, "invalid")

    @pytest.mark.parametrize("update", ["x", "0" * 31, "0" * 33, "G" * 32, "%00"])
    def test_an_update_that_cannot_be_is_invalid(self, joined: Api, update: str) -> None:
        assert joined.refused("GET", f"/runs/line/updates/{update}") == (400, "invalid")

    def test_an_update_that_is_not_there_is_missing(self, joined: Api) -> None:
        assert joined.refused("GET", f"/runs/line/updates/{an_id(4711)}") == (404, "missing")


NO_OBJECTS = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"{}"',
    "a number": b"1",
    "cut short": b'{"base_version": 0',
    "two": b"{}{}",
    "NaN": b'{"loss": NaN}',
    "infinity": b'{"loss": Infinity}',
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "half a surrogate": b'{"\\ud800": 1}',
    "a zero byte": b'{"a": "\0"}',
    "deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep lists": b"[" * 100_000,
    "an unknown member": b'{"more": 1}',
    "an unknown member of a size": json.dumps({"more": "x" * 100_000}).encode(),
}


class TestBodies:
    @pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
    @pytest.mark.parametrize("path", POSTS)
    def test_what_is_no_fitting_object_is_invalid(self, joined: Api, path: str, body: bytes) -> None:
        assert joined.refused("POST", path, body) == (400, "invalid")

    @pytest.mark.parametrize("path", POSTS)
    @pytest.mark.parametrize("body", [b" " * 131_073, b'"' + b"x" * 1_000_000 + b'"'], ids=["spaces", "1 MB"])
    def test_a_body_over_the_limit_is_too_large(self, joined: Api, path: str, body: bytes) -> None:
        assert joined.refused("POST", path, body) == (413, "too_large")

    @pytest.mark.parametrize("path", POSTS)
    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"])
    def test_another_content_type_is_unsupported(self, joined: Api, path: str, kind: str) -> None:
        refused = joined.refused("POST", path, {}, headers={"Content-Type": kind})
        assert refused == (415, "unsupported_media_type")

    def test_a_charset_is_let_be(self, joined: Api) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        assert joined.post("/runs/line/tasks", {}, headers=headers)["kind"] == "evaluate"

    @pytest.mark.parametrize(("method", "path"), [("DELETE", "/runs"), ("PUT", "/runs/line"), ("GET", POSTS[1])])
    def test_a_method_that_is_not_there_is_not_allowed(self, joined: Api, method: str, path: str) -> None:
        assert joined.refused(method, path) == (405, "method_not_allowed")


HUGE = 10**400
WRONG_ANNOUNCEMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "the future": ({"base_version": 1}, "future"),
    "a version below 0": ({"base_version": -1}, "base_version"),
    "half a version": ({"base_version": 0.5}, "base_version"),
    "a version as text": ({"base_version": "0"}, "base_version"),
    "no version": ({"base_version": None}, "base_version"),
    "a huge version": ({"base_version": HUGE}, "body is wrong"),
    "a version with too many digits": ({"base_version": 10**12}, "base_version"),
    "no steps": ({"local_steps": 0}, "local_steps"),
    "too many steps": ({"local_steps": 100_001}, "local_steps"),
    "no examples": ({"examples": 0}, "examples"),
    "too many examples": ({"examples": 10**9 + 1}, "examples"),
    "too few bytes": ({"bytes": 11}, "takes 12 bytes in float32, 11 were announced"),
    "too many bytes": ({"bytes": 13}, "takes 12 bytes in float32, 13 were announced"),
    "a terabyte": ({"bytes": 10**12}, "takes 12 bytes"),
    "more than a terabyte": ({"bytes": 10**12 + 1}, "bytes"),
    "a hash in capitals": ({"sha256": "A" * 64}, "sha256"),
    "a short hash": ({"sha256": "a" * 63}, "sha256"),
    "a hash and a line": ({"sha256": "a" * 64 + "\n"}, "sha256"),
    "an unknown encoding": ({"encoding": "float64"}, "encoding"),
    "the size of another encoding": ({"encoding": "float16"}, "takes 6 bytes in float16"),
    "quantised without saying how": ({"encoding": "uint8", "bytes": 3}, "takes 2 quantization entries"),
    "one quantisation too many": (
        {"encoding": "uint8", "bytes": 3, "quantization": [{"min": 0, "scale": 1}] * 3},
        "takes 2 quantization entries",
    ),
    "a quantisation of what is not quantised": ({"quantization": [{"min": 0, "scale": 1}]}, "takes 0 quantization"),
    "a scale below 0": ({"quantization": [{"min": 0, "scale": -1}]}, "scale"),
    "a scale that is no number": ({"quantization": [{"min": 0, "scale": "1"}]}, "scale"),
    "too many quantisations": ({"quantization": [{"min": 0, "scale": 1}] * 1001}, "quantization"),
    "more than all right": ({"metrics": {"accuracy": 1.1}}, "accuracy"),
    "a loss that is a text": ({"metrics": {"loss": "low"}}, "loss"),
    "metrics of something else": ({"metrics": {"f1": 1}}, "f1"),
    "a megabyte of id": ({"client_id": "x" * 1000}, "client_id"),
}


class TestAnnouncements:
    @pytest.mark.parametrize(("members", "named"), WRONG_ANNOUNCEMENTS.values(), ids=WRONG_ANNOUNCEMENTS.keys())
    def test_one_that_cannot_be_true_is_invalid_and_leaves_no_update(
        self, joined: Api, members: dict[str, Any], named: str
    ) -> None:
        body = json.dumps(announced([1, 0, 0], **members)).encode()
        answer = joined.call("POST", "/runs/line/updates", body)
        assert answer.status_code == 400
        assert named in answer.json_body["error"]["message"]
        assert joined.world.catalog.pending("line", 10) == []

    @pytest.mark.parametrize("name", sorted(announced([1, 0, 0])))
    def test_one_that_leaves_something_out_is_invalid(self, joined: Api, name: str) -> None:
        body = announced([1, 0, 0])
        del body[name]
        answer = joined.call("POST", "/runs/line/updates", json.dumps(body).encode())
        assert answer.status_code == 400
        assert name in answer.json_body["error"]["message"]

    def test_an_integer_may_be_written_as_a_float(self, joined: Api) -> None:
        body = json.dumps(announced([1, 0, 0])).replace('"base_version": 0', '"base_version": 0.0')
        assert "0.0" in body
        assert joined.call("POST", "/runs/line/updates", body.encode()).status_code == 201

    @pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 5000])
    def test_numbers_that_no_float_holds_are_invalid(self, joined: Api, number: str) -> None:
        body = json.dumps(announced([1, 0, 0], metrics={"loss": 0.125})).replace("0.125", number)
        assert joined.refused("POST", "/runs/line/updates", body.encode()) == (400, "invalid")

    def test_a_version_within_a_commit_is_no_base(self, joined: Api) -> None:
        for _ in range(2):
            joined.world.contribute([0, 0, 0])
        joined.world.drain()
        body = json.dumps(announced([1, 0, 0], base_version=1)).encode()
        answer = joined.call("POST", "/runs/line/updates", body)
        assert (answer.status_code, answer.json_body["error"]["code"]) == (400, "invalid")
        assert "no checkpoint" in answer.json_body["error"]["message"]

    def test_of_another_generation_conflicts(self, joined: Api) -> None:
        body = announced([1, 0, 0], generation=1)
        assert joined.refused("POST", "/runs/line/updates", body) == (409, "conflict")

    def test_to_a_finished_run_conflicts(self, joined: Api) -> None:
        joined.world.catalog.set_status(joined.world.head, Status.FINISHED)
        assert joined.refused("POST", "/runs/line/updates", announced([1, 0, 0])) == (409, "conflict")


class TestReports:
    @pytest.fixture
    def asked(self, joined: Api) -> dict[str, Any]:
        """A good report of the evaluation that the client was given."""
        task = joined.post("/runs/line/tasks", {})
        return {"evaluation_id": task["evaluation_id"], "version": 0, "loss": 1.0, "accuracy": 0.5, "examples": 8}

    @pytest.mark.parametrize(
        "members",
        [
            {"version": 1},
            {"examples": 7},
            {"examples": 9},
            {"examples": 0},
            {"accuracy": -0.1},
            {"accuracy": 1.1},
            {"accuracy": None},
            {"loss": None},
            {"loss": "0"},
            {"evaluation_id": "x"},
            {"more": 1},
        ],
        ids=str,
    )
    def test_one_that_cannot_be_true_is_invalid_and_not_recorded(
        self, joined: Api, asked: dict[str, Any], members: dict[str, Any]
    ) -> None:
        assert joined.refused("POST", "/runs/line/evaluations", asked | members) == (400, "invalid")
        assert joined.get("/runs/line")["metrics"] is None

    def test_one_that_nobody_asked_for_is_missing(self, joined: Api, asked: dict[str, Any]) -> None:
        report = asked | {"evaluation_id": an_id(4711)}
        assert joined.refused("POST", "/runs/line/evaluations", report) == (404, "missing")

    def test_one_that_comes_after_another_client_was_asked_is_missing(self, joined: Api, asked: dict[str, Any]) -> None:
        late = joined.token
        joined.world.clock.now += 120_000
        joined.join()
        assert joined.post("/runs/line/tasks", {})["kind"] == "evaluate"
        assert joined.refused("POST", "/runs/line/evaluations", asked, token=late) == (404, "missing")


class TestOutages:
    """Errors of ours: in the one shape too, logged, and with nothing of the inside in them."""

    @pytest.fixture
    def world(self) -> World:
        """Stores that a test can break."""
        inner = a_world()
        return a_world(Faulty(inner.catalog, before=self.before), Faulty(inner.blobs, before=self.before))

    def before(self, name: str) -> None:
        self.strike(name)

    @staticmethod
    def strike(name: str) -> None:
        """Nothing, until a test says what."""

    @pytest.mark.parametrize(
        ("method", "path", "body"), [("GET", "/runs", b""), ("GET", "/runs/line", b""), *TOKEN_CALLS]
    )
    def test_a_store_that_does_not_answer_is_unavailable(
        self, joined: Api, caplog: pytest.LogCaptureFixture, method: str, path: str, body: Any
    ) -> None:
        self.strike = lambda name: lost() if name in ("head", "update", "runs", "evaluation_lease") else None
        with caplog.at_level(logging.ERROR, "webnn.api"):
            assert joined.refused(method, path, body) == (503, "unavailable")
        assert "the answer was lost" in caplog.text

    def test_storage_that_is_corrupt_says_so(self, joined: Api, caplog: pytest.LogCaptureFixture) -> None:
        joined.world.blobs._inner._blobs[joined.world.catalog.run("line").spec_key] = b"{}"
        assert joined.refused("POST", "/runs/line/tasks", {}) == (500, "corrupt")
        assert "not what its row says" in caplog.text

    def test_a_fault_of_the_code_tells_nothing_of_the_inside(
        self, joined: Api, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fault(_: str) -> None:
            raise ZeroDivisionError("secret inside")

        self.strike = fault
        answer = joined.client.http.get("/runs")
        assert answer.status_code == 500
        assert answer.json_body == {
            "error": {"code": "internal", "message": "an unexpected error; it was logged", "details": {}}
        }
        assert {name.lower(): value for name, value in answer.headers.items()}["access-control-allow-origin"] == "*"
        assert "secret inside" in caplog.text
        assert b"secret" not in answer.body


def gateway_event(method: str, resource: str, body: str | None, headers: dict[str, str], **parameters: str) -> Any:
    """What the gateway hands to the function: bodies as text, not bytes, and nothing for what is empty."""
    path = resource.format(**parameters)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {"content-type": "application/json"} | headers,
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {"resourcePath": resource, "httpMethod": method, "path": path, "identity": {}},
        "body": body,
        "isBase64Encoded": False,
    }


def lambda_answer(event: Any) -> tuple[int, Any]:
    answer = app.app(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def test_once_more_with_the_events_that_lambda_gets(joined: Api) -> None:
    bearer = {"authorization": f"Bearer {joined.token}"}
    status, task = lambda_answer(gateway_event("POST", "/runs/{run}/tasks", "{}", bearer, run="line"))
    assert (status, task["kind"]) == (200, "evaluate")
    status, empty = lambda_answer(gateway_event("POST", "/runs/{run}/tasks", None, bearer, run="line"))
    assert (status, empty["error"]["code"]) == (400, "invalid")
    assert lambda_answer(gateway_event("GET", "/runs", None, {}))[0] == 200


@pytest.mark.parametrize("body", ["\ud800", "é", "A"])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_that_is_no_text_is_refused(joined: Api, body: str, encoded: bool) -> None:
    event = gateway_event("POST", "/runs/{run}/clients", body, {}, run="line")
    status, answer = lambda_answer(event | {"isBase64Encoded": encoded})
    assert (status, answer["error"]["code"]) == (400, "invalid")


def test_a_token_that_is_no_text_is_refused(joined: Api) -> None:
    event = gateway_event("POST", "/runs/{run}/tasks", "{}", {"authorization": "Bearer \ud800"}, run="line")
    assert lambda_answer(event)[0] == 401
