"""The gateway's own answers, on a REST API with one mocked route: a page can read what no function said."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.session import get_session

from webnn.errors import Invalid
from webnn.local.engine import REGION, SERVICES, embedded_engine
from webnn.stack import ensure_gateway_cors
from webnn.stack.gateway import MARK

ORIGIN = {"Origin": "https://volunteer.example"}


@pytest.fixture(scope="module")
def apigateway() -> Iterator[Any]:
    with embedded_engine(os.urandom(20).hex(), services=(*SERVICES, "apigateway")) as engine:
        told = {"aws_access_key_id": engine.key.id, "aws_secret_access_key": engine.key.secret}
        yield get_session().create_client("apigateway", region_name=REGION, endpoint_url=engine.url, **told)


@pytest.fixture
def api(apigateway: Any) -> str:
    """An API with one route, `/there`, deployed to the stage `api`."""
    made = apigateway.create_rest_api(name="mocked")["id"]
    (root,) = apigateway.get_resources(restApiId=made)["items"]
    there = apigateway.create_resource(restApiId=made, parentId=root["id"], pathPart="there")["id"]
    method = {"restApiId": made, "resourceId": there, "httpMethod": "GET"}
    apigateway.put_method(**method, authorizationType="NONE")
    apigateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    apigateway.put_method_response(**method, statusCode="200")
    apigateway.put_integration_response(**method, statusCode="200")
    apigateway.create_deployment(restApiId=made, stageName="api")
    return made


def call(apigateway: Any, api: str, path: str) -> requests.Response:
    url = f"{apigateway.meta.endpoint_url}/restapis/{api}/api/_user_request_/{path}"
    return requests.get(url, headers=ORIGIN, timeout=10)


def test_as_deployed_a_page_cannot_read_a_refusal(apigateway: Any, api: str) -> None:
    assert call(apigateway, api, "there").status_code == 200
    refusal = call(apigateway, api, "nowhere")
    assert refusal.status_code == 403
    assert "Access-Control-Allow-Origin" not in refusal.headers


def test_afterwards_it_can_and_finds_the_one_error_shape(apigateway: Any, api: str) -> None:
    assert ensure_gateway_cors(apigateway, api, "api")
    refusal = call(apigateway, api, "nowhere")
    assert refusal.status_code == 403
    assert refusal.headers["Access-Control-Allow-Origin"] == "*"
    error = refusal.json()["error"]
    assert (error["code"], error["details"]) == ("gateway", {})
    assert error["message"]


def test_the_second_time_nothing_happens(apigateway: Any, api: str) -> None:
    assert ensure_gateway_cors(apigateway, api, "api")
    before = deployments(apigateway, api)
    assert not ensure_gateway_cors(apigateway, api, "api")
    assert deployments(apigateway, api) == before


def test_another_deployment_of_the_api_needs_it_again(apigateway: Any, api: str) -> None:
    ensure_gateway_cors(apigateway, api, "api")
    apigateway.delete_gateway_response(restApiId=api, responseType="DEFAULT_4XX")
    apigateway.create_deployment(restApiId=api, stageName="api")
    assert "Access-Control-Allow-Origin" not in call(apigateway, api, "nowhere").headers
    assert ensure_gateway_cors(apigateway, api, "api")
    assert call(apigateway, api, "nowhere").headers["Access-Control-Allow-Origin"] == "*"


def test_what_was_set_but_not_yet_deployed_is_finished(apigateway: Any, api: str) -> None:
    ensure_gateway_cors(apigateway, api, "api")
    apigateway.create_deployment(restApiId=api, stageName="api", description="somebody else's")
    assert ensure_gateway_cors(apigateway, api, "api")
    current = apigateway.get_stage(restApiId=api, stageName="api")["deploymentId"]
    assert apigateway.get_deployment(restApiId=api, deploymentId=current)["description"] == MARK


def test_an_unknown_api_or_stage_is_refused(apigateway: Any, api: str) -> None:
    for where in (("nothing", "api"), (api, "nothing")):
        with pytest.raises(Invalid):
            ensure_gateway_cors(apigateway, *where)


def deployments(apigateway: Any, api: str) -> int:
    return len(apigateway.get_deployments(restApiId=api)["items"])
