"""The routes of `docs/openapi.yaml`. A view parses, asks and answers."""

import logging
from typing import Annotated, Any

from chalice.app import Response
from msgspec import Meta

from webnn.api import answers
from webnn.api.mounting import Lasting
from webnn.api.schemas import AnnouncementIn, EvaluationIn, ExchangeIn, FailureIn, Id, Nothing, parse, parse_text
from webnn.api.translate import answer, translated
from webnn.core.spec import RunName
from webnn.errors import Invalid
from webnn.runs import Description
from webnn.tokens import Member
from webnn.wiring import services

LOG = logging.getLogger("webnn.api")

routes = Lasting(__name__)

# As text, because a lenient reading of numbers would take 1e3 too.
After = Annotated[str, Meta(pattern=r"^(-1|[0-9]{1,12})\Z")]


@routes.route("/runs", methods=["GET"], cors=True)
@translated
def list_runs() -> Response:
    """All runs."""
    return answer({"runs": [_described(found) for found in services().runs.all()]})


@routes.route("/runs/{run}", methods=["GET"], cors=True)
@translated
def get_run(run: str) -> Response:
    """One run."""
    return answer(_described(services().runs.describe(_name(run))))


@routes.route("/runs/{run}/model", methods=["GET"], cors=True)
@translated
def get_model(run: str) -> Response:
    """The current model."""
    return answer(answers.model(*services().runs.newest(_name(run)), services().blobs))


@routes.route("/runs/{run}/history", methods=["GET"], cors=True)
@translated
def get_history(run: str) -> Response:
    """What happened after a version."""
    after = int(parse_text(After, _query("after"), "after", default="-1"))
    return answer(answers.history(run, services().runs.history(_name(run), after)))


@routes.route("/runs/{run}/clients", methods=["POST"], cors=True)
@translated
def join(run: str) -> Response:
    """Join."""
    parse(Nothing, _body())
    member = services().clients.join(_name(run))
    return answer(answers.membership(member, services().tokens.issue(member)), 201)


@routes.route("/runs/{run}/tasks", methods=["POST"], cors=True)
@translated
def next_task(run: str) -> Response:
    """What to do next."""
    member = _member(run)
    parse(Nothing, _body())
    return answer(answers.task(services().clients.next_task(member), services().blobs))


@routes.route("/runs/{run}/updates", methods=["POST"], cors=True)
@translated
def announce_update(run: str) -> Response:
    """Announce an update."""
    member = _member(run)
    announced = parse(AnnouncementIn, _body()).announcement()
    opened = services().updates.announce(member, announced)
    LOG.info(
        "announced run=%s update=%s client=%s base=%d",
        run, opened.update_id, member.client_id, announced.base_version,
    )  # fmt: skip
    return answer(answers.ticket(opened), 201)


@routes.route("/runs/{run}/updates/{update}", methods=["GET"], cors=True)
@translated
def get_update(run: str, update: str) -> Response:
    """What became of an update."""
    member = _member(run)
    return answer(answers.update(services().updates.state(member, parse_text(Id, update, "update"))))


@routes.route("/runs/{run}/exchange", methods=["POST"], cors=True)
@translated
def exchange_update(run: str) -> Response:
    """Leave an update and take another client's."""
    member = _member(run)
    left = parse(ExchangeIn, _body()).update_id
    return answer(answers.exchanged(services().peers.exchange(member, left), services().blobs))


@routes.route("/runs/{run}/evaluations", methods=["POST"], cors=True)
@translated
def report_evaluation(run: str) -> Response:
    """Report an evaluation."""
    member = _member(run)
    report = parse(EvaluationIn, _body()).report()
    return answer(answers.evaluation(services().evaluations.report(member, report)), 201)


@routes.route("/runs/{run}/failures", methods=["POST"], cors=True)
@translated
def report_failure(run: str) -> Response:
    """Say why this client cannot train."""
    member = _member(run)
    report = parse(FailureIn, _body()).report()
    LOG.info("cannot train run=%s client=%s code=%s", run, member.client_id, report.code)
    return answer(answers.failure(services().failures.report(member, report)), 201)


def _described(found: Description) -> answers.Json:
    return answers.description(found, services().live.address(found.run.run))


def _request() -> Any:
    return routes.current_request


def _body() -> bytes:
    try:
        return bytes(_request().raw_body or b"")
    except ValueError as error:  # a lone surrogate, or what is called base64 and is not
        raise Invalid("the body cannot be read") from error


def _query(name: str) -> str | None:
    found: str | None = (_request().query_params or {}).get(name)
    return found


def _name(run: str) -> str:
    name: str = parse_text(RunName, run, "run")
    return name


def _member(run: str) -> Member:
    return services().tokens.member(_name(run), _request().headers.get("authorization"))
