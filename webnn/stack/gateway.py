"""CORS headers on the answers that API Gateway gives by itself.

A page cannot read an answer without them, not even its status: an overloaded or misrouted API would look to every
client like a dead network. The functions set them on their own answers; these are the others, such as 403 for an
unknown route, 429 and 504.
"""

import hashlib
import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from webnn.stack.calls import answered, code_of

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_apigateway.literals import GatewayResponseTypeType

# Static values are quoted within the value; API Gateway takes anything else for an expression.
HEADERS = {
    "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
    "gatewayresponse.header.Access-Control-Allow-Headers": "'Authorization,Content-Type'",
    "gatewayresponse.header.Access-Control-Expose-Headers": "'Retry-After'",
}
# The one error shape of the API, for whoever reads the body of an answer that no function gave.
TEMPLATES = {
    "application/json": '{"error": {"code": "gateway", "message": $context.error.messageString, "details": {}}}'
}


KINDS: "tuple[GatewayResponseTypeType, ...]" = ("DEFAULT_4XX", "DEFAULT_5XX")
# On the deployment that took these very answers into effect, so that an interruption before it shows.
MARK = "gateway answers " + hashlib.sha256(json.dumps([HEADERS, TEMPLATES]).encode()).hexdigest()[:16]


def ensure_gateway_cors(apigateway: "APIGatewayClient", rest_api_id: str, stage: str) -> bool:
    """Sets the headers and the error shape on all refusals of the API's gateway, and puts them into effect.

    Run it after every deployment of the API: one replaces the API's document and with it these answers.

    Args:
        apigateway: A client of the account and region that the API lives in.
        rest_api_id: The API's id.
        stage: The API Gateway stage, `api` for Chalice.

    Returns:
        False if everything was in effect already.

    Raises:
        Invalid: There is no such API or stage, or no leave to change it.
        Unavailable: API Gateway did not answer.
    """
    with answered(f"set the answers of API {rest_api_id}"):
        current = apigateway.get_stage(restApiId=rest_api_id, stageName=stage)["deploymentId"]
        deployed = apigateway.get_deployment(restApiId=rest_api_id, deploymentId=current)
        lacking = [kind for kind in KINDS if not _is_set(apigateway, rest_api_id, kind)]
        if not lacking and deployed.get("description") == MARK:
            return False
        for kind in lacking:
            apigateway.put_gateway_response(
                restApiId=rest_api_id, responseType=kind, responseParameters=HEADERS, responseTemplates=TEMPLATES
            )
        apigateway.create_deployment(restApiId=rest_api_id, stageName=stage, description=MARK)
    return True


def _is_set(apigateway: "APIGatewayClient", rest_api_id: str, kind: "GatewayResponseTypeType") -> bool:
    try:
        found = apigateway.get_gateway_response(restApiId=rest_api_id, responseType=kind)
    except ClientError as error:
        if code_of(error) != "NotFoundException":
            raise
        return False
    return found.get("responseParameters") == HEADERS and found.get("responseTemplates") == TEMPLATES
