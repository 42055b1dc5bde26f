"""What a function must know of its stage: two environment variables, the rest from the parameter store.

`WEBNN_STAGE` names the stage. `AWS_ENDPOINT_URL`, which boto3 itself reads, is the only thing that tells an
engine on this machine from AWS; nothing else in the code may know. The stack writes the remaining names under
`/webnn/STAGE/`, so that no bucket name or secret is in a file.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from webnn.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class Environment(Struct, frozen=True):
    """What the environment says.

    Attributes:
        endpoint_url: Where an engine answers; None for AWS.
    """

    stage: str
    region: str
    endpoint_url: str | None


class Settings(Struct, frozen=True):
    """The names of a stage's parts."""

    environment: Environment
    bucket: str
    site: str
    table: str
    queue_url: str
    token_secret: str


def environment(variables: Mapping[str, str]) -> Environment:
    """Reads the environment. Raises Invalid when a variable is absent."""
    stage = variables.get("WEBNN_STAGE", "")
    region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION") or ""
    if not stage:
        raise Invalid("set WEBNN_STAGE to the stage's name (local, localstack, dev, prod)")
    if not region:
        raise Invalid("set AWS_DEFAULT_REGION")
    return Environment(stage, region, variables.get("AWS_ENDPOINT_URL") or None)


def settings(environment: Environment, ssm: "SSMClient") -> Settings:
    """Reads the stage's parameters, in one call.

    Raises:
        Unavailable: The parameter store did not answer, or the stage's stack was not created or is not complete.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # see `webnn.wiring.services`

    path = f"/webnn/{environment.stage}/"
    try:
        answer = ssm.get_parameters_by_path(Path=path, WithDecryption=True)
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(f"the parameter store did not answer: {error}") from error
    found = {parameter["Name"].removeprefix(path): parameter["Value"] for parameter in answer["Parameters"]}
    absent = {"bucket", "site", "queue-url", "token-secret"} - found.keys()
    if absent:
        lacking, stage = ", ".join(sorted(absent)), environment.stage
        raise Unavailable(f"stage {stage!r} lacks {lacking}: create it with: webnn deploy --stage {stage}")
    return Settings(
        environment=environment,
        bucket=found["bucket"],
        site=found["site"],
        table=f"webnn-{environment.stage}",
        queue_url=found["queue-url"],
        token_secret=found["token-secret"],
    )
