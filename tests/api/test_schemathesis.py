"""Schemathesis makes requests of the document, good and bad, and drives `chalice local` on the embedded engine."""

import re
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from samples import a_spec
from schemathesis.specs.openapi import checks
from stages import CHECKOUT, Stage

from webnn import wiring
from webnn.core import spec as specs
from webnn.local.processes import child

RUN = "fuzzed"
RUN_NAME = "[a-z0-9][a-z0-9-]{0,62}"


@dataclass
class Served:
    """`chalice local`, with a run and a client that joined it."""

    url: str
    token: str


@pytest.fixture(scope="module")
def served(embedded_stage: Stage) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in embedded_stage.variables.items():
            patch.setenv(name, value)
        services = wiring.services_of(embedded_stage.settings)
        services.runs.start(RUN, "", "", specs.encode(a_spec()), np.float32([1, 2, 3]))
        member = services.clients.join(RUN)
        token = services.tokens.issue(member)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    chalice = [str(Path(sys.executable).with_name("chalice")), "local", "--stage", "local", "--no-autoreload"]
    environment = {**embedded_stage.variables, "PATH": str(Path(sys.executable).parent)}
    with child("the API", [*chalice, "--host", "127.0.0.1", "--port", str(port)], environment, CHECKOUT) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in wiring.paced(60.0, 0.1):
            process.check()
            try:
                requests.get(f"{url}/runs", timeout=5)
                break
            except requests.ConnectionError:
                continue
        yield Served(url, token)


document = schemathesis.openapi.from_path(str(CHECKOUT / "docs" / "openapi.yaml"))
# Python's own HTTP server answers 501 to TRACE before Chalice sees it.
document.config.phases.coverage.unexpected_methods = {"DELETE", "PATCH", "PUT"}
EXAMPLES = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.generate],
)


def check(case: Any, served: Served) -> None:
    """Holds the answer against the document."""
    response = case.call(base_url=served.url, headers={"Authorization": f"Bearer {served.token}"})
    # An announcement is also refused for what the document says in words: its size must be the model's.
    announces = case.operation.definition.raw["operationId"] == "announceUpdate"
    case.validate_response(response, excluded_checks=[checks.positive_data_acceptance] if announces else [])


@document.parametrize()
@EXAMPLES
def test_every_answer_is_one_that_the_document_promises(case: Any, served: Served) -> None:
    check(case, served)


@document.include(path_regex="{run}").parametrize()
@EXAMPLES
def test_also_of_a_run_that_is_there(case: Any, served: Served) -> None:
    if re.fullmatch(RUN_NAME, str(case.path_parameters.get("run"))):
        case.path_parameters["run"] = RUN
    check(case, served)
