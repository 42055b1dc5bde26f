"""The deployed functions killed at any moment, the API's too, while many upload: every accepted update counts once.

A function killed in the middle of a message leaves the message on the queue until its visibility timeout of six minutes
is over, and its turn at the run for a minute. The minute is cut short here, as if it had passed; what is left in the
end is settled by the deployed sweep, and then by one on a clock that is a day ahead.
"""

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import pytest
import requests
from accounts import a_day_later, audit, note, services_on
from deployed import STAGE, Deployment, announcement
from msgspec.structs import replace
from samples import a_world
from volunteers import MERGE, Contribute, insisting, volunteers

from localstack.clients import Clients
from webnn import aws, wiring
from webnn.errors import Conflict, Unavailable
from webnn.settings import Settings, environment, settings
from webnn.store.ports import Catalog

pytestmark = pytest.mark.localstack

SECONDS = float(os.environ.get("WEBNN_RACE_SECONDS", "20"))
SEED = int(os.environ.get("WEBNN_RACE_SEED", "1"))
UPDATES, KILL_SECONDS = 64, 1.0
RUN = "raced"
SCHEDULED = {
    "version": "0", "account": "0", "region": "us-east-1", "detail": {}, "detail-type": "Scheduled Event",
    "source": "aws.events", "time": "", "id": "", "resources": [],
}  # fmt: skip


@pytest.fixture
def found(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The deployed stage as its owner sees it."""
    if not deployment.engine.pid:
        pytest.skip("functions in Docker are no processes of these tests' own")
    for name, value in {**deployment.engine.environment(), "WEBNN_STAGE": STAGE}.items():
        monkeypatch.setenv(name, value)
    where = environment(os.environ)
    return settings(where, aws.client(where, "ssm"))


def test_killed_functions(
    deployment: Deployment,
    found: Settings,
    localstack_clients: Clients,
    record_property: Callable[[str, object], None],
) -> None:
    world = a_world(*aws.stores(found), ids=wiring.new_id, name=RUN)
    world.start(weights=(0, 0, 0), merge=MERGE)
    begun = time.monotonic()

    with volunteers(lambda: through_the_api(deployment), SECONDS / UPDATES, UPDATES) as sending:
        killed = kill_for(SECONDS, deployment, world.catalog)
    raced_for = time.monotonic() - begun
    swept = localstack_clients("lambda").invoke(FunctionName=f"webnn-{STAGE}-sweep", Payload=json.dumps(SCHEDULED))
    told = swept["Payload"].read()
    account = audit(services_on(found), services_on(found, a_day_later), RUN, sending.accepted.deltas)

    assert "FunctionError" not in swept, told
    assert account.merged == UPDATES
    assert killed["merge"] > 0
    figures = {
        "commits": account.commits, "kills": sum(killed.values()), "of them merging": killed["merge"],
        "orphans": account.orphans, "unanswered": sending.accepted.unanswered, "seconds": round(raced_for, 1),
    }  # fmt: skip
    note(figures, record_property)


def kill_for(seconds: float, deployment: Deployment, catalog: Catalog) -> Counter[str]:
    """Kills the process of one function after another, the merging and the answering in turn; counts them by name."""
    chance, end = random.Random(SEED), time.monotonic() + seconds
    killed: Counter[str] = Counter()
    while time.monotonic() < end:
        time.sleep(KILL_SECONDS * (0.5 + chance.random()))
        wanted = chance.choice(["merge", "api_handler"])
        running = [process for process, name in functions(deployment.engine.pid) if name == wanted]
        if running:
            chance.choice(running).kill()
            killed[wanted] += 1
            _let_the_turn_run_out(catalog)
    return killed


def _let_the_turn_run_out(catalog: Catalog) -> None:
    """As a minute would. If it was a living merger's, two are at work now, which the commit has to stand as well."""
    lease = catalog.merge_lease(RUN)
    if lease is not None:
        with suppress(Conflict):
            catalog.claim_merging(replace(lease, expires_at=0), lease)


def functions(engine: int) -> list[tuple[psutil.Process, str]]:
    """The processes of this LocalStack's functions of this stage, each with its function's name."""
    found = []
    for process in psutil.Process(engine).children(recursive=True):
        try:
            name = process.environ().get("AWS_LAMBDA_FUNCTION_NAME", "")
        except psutil.Error:  # it has ended meanwhile
            continue
        if name.startswith(f"webnn-{STAGE}"):
            found.append((process, name.removeprefix(f"webnn-{STAGE}").lstrip("-") or "api_handler"))
    return found


def through_the_api(deployment: Deployment) -> Contribute:
    """Joins, and contributes as a browser does."""

    def contribute(body: bytes) -> str:
        token = _answered(deployment.post(f"/runs/{RUN}/clients", {}))["token"]
        base = _answered(deployment.get(f"/runs/{RUN}"))["head"]["version"]
        ticket = _answered(deployment.post(f"/runs/{RUN}/updates", announcement(body, base), token))
        insisting(lambda: _uploaded(deployment, ticket["upload"], body))
        return str(ticket["update_id"])

    return contribute


def _answered(answer: requests.Response) -> Any:
    if answer.status_code >= 500:
        raise Unavailable(f"the API did not answer: {answer.status_code} {answer.text[:200]}")
    assert answer.ok, answer.text
    return answer.json()


def _uploaded(deployment: Deployment, upload: dict[str, Any], body: bytes) -> None:
    answer = deployment.http.post(upload["url"], data=upload["fields"], files={"file": body}, timeout=30)
    if answer.status_code >= 500:
        raise Unavailable(f"storage did not answer: {answer.status_code}")
    assert answer.ok, answer.text
