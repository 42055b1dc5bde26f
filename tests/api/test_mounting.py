"""WebNN in an app that has other things to do: it gets what it asked for, and nothing of its own is touched."""

import json
import re
from functools import partial
from typing import Any

import pytest
from chalice.app import AuthResponse, Chalice, CORSConfig, NotFoundError, Response
from chalice.deploy.swagger import SwaggerGenerator
from chalice.deploy.validate import validate_routes
from chalice.local import LambdaContext
from chalice.test import Client
from document import operations, schema_of
from samples import World, a_world
from stages import CHECKOUT

from webnn.chalice import WebNN, blueprint
from webnn.errors import Invalid

PREFIX = "/training"
JSON = {"Content-Type": "application/json"}


def a_shop() -> Chalice:
    """An app with routes, errors, an authorizer, a schedule and a function called merge, all of its own."""
    shop = Chalice(app_name="shop")
    shop.api.cors = CORSConfig(allow_origin="https://shop.example")

    @shop.authorizer()
    def customers(request: Any) -> AuthResponse:
        return AuthResponse(routes=["*"] if request.token == "known" else [], principal_id="somebody")

    @shop.route("/orders", authorizer=customers)
    def orders() -> Any:
        return {"orders": []}

    @shop.route("/things/{thing}")
    def things(thing: str) -> Any:
        raise NotFoundError(f"no {thing} here")

    @shop.route("/broken")
    def broken() -> Any:
        return 1 / 0

    @shop.lambda_function()
    def merge(event: Any, context: Any) -> Any:
        return "carts"

    @shop.middleware("http")
    def stamped(request: Any, get_response: Any) -> Response:
        response = get_response(request)
        response.headers["Shop"] = "open"
        return response

    shop.register_blueprint(blueprint, url_prefix=PREFIX, name_prefix="webnn_")
    return shop


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:
    for module in ("routes", "events"):
        monkeypatch.setattr(f"webnn.api.{module}.services", lambda: world.services)
    world.start()
    return Client(a_shop(), stage_name="local", project_dir=str(CHECKOUT))


def test_the_api_is_all_there_under_the_prefix() -> None:
    routed = {(method, path) for path, methods in a_shop().routes.items() for method in methods}
    assert {(method, path.removeprefix(PREFIX)) for method, path in routed if path.startswith(PREFIX)} == operations()


@pytest.mark.parametrize(("prefix", "told"), [("training", "begin it with a slash, as in '/training'"),
                                              ("/{shop}/training", "no parameter of yours")])  # fmt: skip
def test_a_prefix_that_cannot_be_one_is_refused(prefix: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        Chalice(app_name="shop").register_blueprint(blueprint, url_prefix=prefix)


def an_app(route: str, method: str, *, first: bool) -> Chalice:
    """With one route of its own, which it makes before it takes us in, or after."""
    app = Chalice(app_name="shop")
    mounted = partial(app.register_blueprint, blueprint, url_prefix=PREFIX)
    if not first:
        mounted()
    app.route(route, methods=[method], name="theirs")(lambda **_: {"theirs": True})
    if first:
        mounted()
    return app


@pytest.mark.parametrize("first", [True, False], ids=["its-own-first", "ours-first"])
@pytest.mark.parametrize(
    ("route", "method", "beside", "told"),
    [
        (f"{PREFIX}/runs/{{name}}", "GET", f"{PREFIX}/runs/{{run}}", "call yours {run}, too"),
        (f"{PREFIX}/runs/{{name}}/likes", "GET", f"{PREFIX}/runs/{{run}}", "call yours {run}, too"),
        (f"{PREFIX}/runs/{{run}}/updates/{{id}}", "GET", f"{PREFIX}/runs/{{run}}/updates/{{update}}", "{update}"),
        (f"{PREFIX}/runs/best", "GET", f"{PREFIX}/runs/{{run}}", "'best' for its {run} could not be reached"),
        (f"{PREFIX}/runs/{{run}}", "DELETE", f"{PREFIX}/runs/{{run}}", "all methods of that path are WebNN's"),
        (f"{PREFIX}/runs", "POST", f"{PREFIX}/runs", "all methods of that path are WebNN's"),
    ],
)
def test_a_route_that_would_be_in_the_way_of_ours_is_refused_by_name(
    route: str, method: str, beside: str, told: str, first: bool
) -> None:
    with pytest.raises(Invalid) as refused:
        an_app(route, method, first=first)
    assert refused.value.details == {"route": route, "ours": beside}
    assert route in refused.value.message
    assert told in refused.value.message


@pytest.mark.parametrize("first", [True, False], ids=["its-own-first", "ours-first"])
@pytest.mark.parametrize(
    "route", [f"{PREFIX}/news", f"{PREFIX}/{{page}}", f"{PREFIX}/runs/{{run}}/likes", "/runs/{name}", "/{a}/{b}/{c}"]
)
def test_a_route_that_is_in_nobodys_way_is_served_beside_ours(
    world: World, route: str, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webnn.api.routes.services", lambda: world.services)
    world.start()
    client = Client(an_app(route, "POST", first=first), stage_name="local", project_dir=str(CHECKOUT)).http
    there = re.sub(r"{\w+}", "line", route)
    assert client.post(there, headers=JSON, body=b"{}").json_body == {"theirs": True}
    assert set(client.get(there).json_body) == {"Code", "Message"}
    assert client.get(f"{PREFIX}/runs/line").json_body["run"] == "line"


def sweep_floors(_event: Any, _context: Any) -> str:
    return "clean"


@pytest.mark.parametrize("first", [True, False], ids=["its-own-first", "ours-first"])
def test_a_function_that_is_called_as_ours_is_refused_by_name(first: bool) -> None:
    app = Chalice(app_name="shop")
    own = partial(app.lambda_function(name="sweep"), sweep_floors)
    mounted = partial(app.register_blueprint, blueprint, url_prefix=PREFIX)
    one, other = (own, mounted) if first else (mounted, own)
    one()
    with pytest.raises(Invalid, match="called 'sweep', as WebNN does: give register_blueprint a name_prefix"):
        other()


def test_an_app_that_mounts_it_under_two_prefixes_leaves_both_alone() -> None:
    shop = a_shop()
    shop.register_blueprint(WebNN(), url_prefix="/other", name_prefix="other_")
    for prefix in (PREFIX, "/other"):
        with pytest.raises(Invalid, match="cannot stand beside"):
            shop.route(f"{prefix}/runs/{{another}}")(print)
    for name in ("webnn_merge", "other_merge"):
        with pytest.raises(Invalid, match="name_prefix"):
            shop.lambda_function(name)(print)


def test_a_client_joins_and_gets_its_task_there(shop: Client) -> None:
    joined = shop.http.post(f"{PREFIX}/runs/line/clients", headers=JSON, body=b"{}")
    bearer = {"Authorization": f"Bearer {joined.json_body['token']}"}
    task = shop.http.post(f"{PREFIX}/runs/line/tasks", headers=JSON | bearer, body=b"{}")
    assert task.json_body["kind"] == "evaluate"


def test_its_doorbell_and_its_schedule_are_served_under_names_of_their_own(world: World, shop: Client) -> None:
    update = world.contribute([1, 0, 0])
    rings = shop.events.generate_sqs_event([json.dumps({"run": "line"})], "webnn-local-doorbell")
    assert shop.lambda_.invoke("webnn_merge", rings).payload == {"runs": 1, "merged": 1}
    assert world.now(update).version == 1
    tick = shop.events.generate_cw_event("aws.events", "Scheduled Event", {}, ["arn:rule"])
    assert shop.lambda_.invoke("webnn_sweep", tick).payload == {"runs": 1, "merged": 0}
    assert shop.lambda_.invoke("merge", {}).payload == "carts"


@pytest.mark.parametrize(("left", "used"), [(900, 240), (60, 40), (3, 1.5)])
def test_a_function_that_the_app_gives_little_time_leaves_some_for_its_last_commit(
    shop: Client, monkeypatch: pytest.MonkeyPatch, left: int, used: float
) -> None:
    given: list[float] = []
    monkeypatch.setattr("webnn.api.events.deadline", lambda seconds: given.append(seconds) or (lambda: False))
    tick = shop.events.generate_cw_event("aws.events", "Scheduled Event", {}, ["arn:rule"])
    context = LambdaContext("shop-dev-webnn_sweep", 1024, left * 1000)
    a_shop().handler_map["webnn_sweep"](tick, context)
    assert given == [pytest.approx(used, abs=0.1)]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/things/hat", 404), ("GET", "/broken", 500),
                                                         ("POST", "/orders", 405)])  # fmt: skip
def test_the_apps_errors_look_as_they_did(shop: Client, method: str, path: str, status: int) -> None:
    known = {"Authorization": "known"}
    answer = shop.http.request(method, path, headers=JSON | known, body=b"{}")
    assert (answer.status_code, set(answer.json_body)) == (status, {"Code", "Message"})
    assert answer.headers["Shop"] == "open"
    assert answer.headers.get("Access-Control-Allow-Origin", "https://shop.example") == "https://shop.example"


def test_ours_look_as_the_document_says(shop: Client) -> None:
    for method, kind, status in (("PUT", "application/json", 405), ("POST", "text/csv", 415)):
        answer = shop.http.request(method, f"{PREFIX}/runs/line/clients", headers={"Content-Type": kind}, body=b"{}")
        assert answer.status_code == status
        assert set(answer.json_body) == {"error"}
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert schema_of({}, 405)  # the one error shape


def test_its_authorizer_guards_its_routes_and_none_of_ours() -> None:
    routes = a_shop().routes
    guarded = {path for path, methods in routes.items() for entry in methods.values() if entry.authorizer}
    assert guarded == {"/orders"}


def test_its_cors_stays_its_own() -> None:
    routes = a_shop().routes
    assert routes["/things/{thing}"]["GET"].cors.allow_origin == "https://shop.example"
    assert routes[f"{PREFIX}/runs/{{run}}/clients"]["POST"].cors.allow_origin == "*"


def test_pages_of_other_origins_take_part_where_the_app_lets_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webnn.api.routes.services", lambda: world.services)
    world.start()
    cors = CORSConfig(allow_origin="https://shop.example", max_age=600)
    for mounted, allowed in ((WebNN(cors=cors), "https://shop.example"), (blueprint, "*")):
        app = Chalice(app_name="shop")
        app.api.cors = CORSConfig(allow_origin="https://other.example")
        app.register_blueprint(mounted, url_prefix=PREFIX)
        client = Client(app, stage_name="local", project_dir=str(CHECKOUT)).http
        path = f"{PREFIX}/runs/line/clients"
        answers = [client.request(method, path, headers=JSON, body=b"{}") for method in ("POST", "PUT")]
        assert [answer.status_code for answer in answers] == [201, 405]
        assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {allowed}
        # What API Gateway is told to say of its own, when a browser asks beforehand.
        api = SwaggerGenerator("eu-central-1", {"api_handler_arn": "arn:aws:lambda"}).generate_swagger(app)
        preflight = api["paths"][path.replace("line", "{run}")]["options"]["x-amazon-apigateway-integration"]
        said = preflight["responses"]["default"]["responseParameters"]
        assert said["method.response.header.Access-Control-Allow-Origin"] == f"'{allowed}'"
        validate_routes(app.routes)


def test_an_app_that_a_test_makes_anew_has_it_all_again() -> None:
    first, second = a_shop(), a_shop()
    assert first.routes.keys() == second.routes.keys()
    entry = second.routes[f"{PREFIX}/runs/{{run}}/clients"]
    assert (list(entry), entry["POST"].cors.allow_origin) == (["POST"], "*")


def test_two_apps_of_one_process_answer_their_own_requests(shop: Client) -> None:
    other = Chalice(app_name="other")
    other.register_blueprint(blueprint)
    after = Client(other, stage_name="local", project_dir=str(CHECKOUT))
    for client, prefix in ((shop, PREFIX), (after, ""), (shop, PREFIX)):
        assert client.http.post(f"{prefix}/runs/line/clients", headers=JSON, body=b"{}").status_code == 201
        assert client.http.post(f"{prefix}/runs/line/clients", headers=JSON, body=b"[]").status_code == 400


def test_an_app_may_let_only_those_join_whom_it_knows(shop: Client) -> None:
    """As docs/embedding.md has it."""
    guarded = a_shop()

    @guarded.middleware("http")
    def only_customers(request: Any, get_response: Any) -> Response:
        if request.path == f"{PREFIX}/runs/{{run}}/clients" and "customer=" not in request.headers.get("cookie", ""):
            return Response({"error": {"code": "unauthorized", "message": "log in", "details": {}}}, status_code=401)
        found: Response = get_response(request)
        return found

    door = Client(guarded, stage_name="local", project_dir=str(CHECKOUT)).http
    assert door.post(f"{PREFIX}/runs/line/clients", headers=JSON, body=b"{}").status_code == 401
    known = JSON | {"Cookie": "customer=7"}
    assert door.post(f"{PREFIX}/runs/line/clients", headers=known, body=b"{}").status_code == 201
    assert door.get(f"{PREFIX}/runs/line").status_code == 200
