"""The routes and the document say the same."""

import pytest
from asking import Api
from document import DOCUMENT, operations, schema_of, violations

import app


def test_every_route_is_in_the_document_and_every_operation_is_routed() -> None:
    routed = {(method, path) for path, methods in app.app.routes.items() for method in methods}
    assert routed == operations()


def test_every_route_answers_pages_of_any_origin() -> None:
    for methods in app.app.routes.values():
        for entry in methods.values():
            assert entry.cors is not None


def test_every_operation_but_looking_and_joining_wants_the_token() -> None:
    free = {
        operation["operationId"]
        for item in DOCUMENT["paths"].values()
        for method, operation in item.items()
        if method != "parameters" and not operation["security"]
    }
    assert free == {"listRuns", "getRun", "getModel", "getHistory", "join"}


@pytest.mark.parametrize(("method", "path"), sorted(operations()))
def test_every_operation_documents_its_refusals(method: str, path: str) -> None:
    operation = DOCUMENT["paths"][path][method.lower()]
    documented = operation["responses"].keys()
    assert "default" in documented
    if "{run}" in path:
        assert "404" in documented
    if operation["security"]:
        assert "401" in documented
    if "requestBody" in operation:
        assert "400" in documented


def test_the_checker_of_answers_sees_what_is_wrong() -> None:
    """Or all the tests that rely on it would show nothing."""
    schema = schema_of(DOCUMENT["paths"]["/runs/{run}/updates/{update}"]["get"], 200)
    good = {
        "update_id": "0" * 32,
        "state": "merged",
        "reason": None,
        "base_version": 0,
        "version": 1,
        "staleness": 0,
        "discount": 1.0,
    }
    assert violations(schema, good) == []
    for wrong in ({"state": "lost"}, {"discount": 1.5}, {"update_id": "0"}, {"version": "1"}, {"more": 1}):
        assert violations(schema, good | wrong)
    assert violations(schema, {name: value for name, value in good.items() if name != "reason"})


@pytest.mark.parametrize("path", sorted({path for _, path in operations()}))
def test_a_browser_may_ask_first(api: Api, path: str) -> None:
    asked = path.replace("{run}", "line").replace("{update}", "0" * 32)
    gateway = api.client.http._local_gateway
    answer = gateway.handle_request("OPTIONS", asked, {"Origin": "https://example.org"}, None)
    assert answer["statusCode"] == 200
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    assert headers["access-control-allow-origin"] == "*"
    allowed = headers["access-control-allow-headers"].lower().split(",")
    assert {"authorization", "content-type"} <= set(allowed)
    assert {method for method, known in operations() if known == path} <= set(
        headers["access-control-allow-methods"].split(",")
    )
