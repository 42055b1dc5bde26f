"""The stage that a call of `fit` works on: the one that was named, or one of its own on this machine."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from msgspec import Struct

from webnn import aws, wiring
from webnn.cli import stage as stages
from webnn.errors import Missing, Unavailable
from webnn.local import address
from webnn.local.address import Address
from webnn.local.processes import Child, child
from webnn.local.stage import STAGE, variables_set
from webnn.settings import settings
from webnn.stack.site import site_url
from webnn.wiring import Services

DEV = (sys.executable, "-c", "from webnn.cli.main import main; main()", "dev", "--json")
NOT_PASSED_ON = ("AWS_", "FORCE_COLOR", "CLICOLOR")  # keys of another place; a kernel's wish for colours
UP_SECONDS, LOOK_SECONDS = 90.0, 0.1

Tell = Callable[[str], None]


class Reached(Struct, frozen=True):
    """A stage that answers.

    Attributes:
        page: Address of its volunteer page.
        own: What keeps it up, if this program has brought it up.
    """

    page: str
    services: Services
    own: Child | None

    def check(self) -> None:
        """Raises Unavailable if the stage was this program's own and has ended."""
        if self.own is not None:
            self.own.check()


@contextmanager
def reached(stage: str, tell: Tell) -> Iterator[Reached]:
    """A stage for as long as the block lasts. Where it is `local` and none is up, it is brought up, and ends with it.

    While it lasts, this process's environment has the variables by which AWS's clients find a local stage.

    Raises:
        Invalid: The environment does not say where the stage is.
        Missing: What the stage takes is not installed.
        Unavailable: It does not come up, or does not answer.
    """
    with ExitStack() as stack:
        own = None
        if stage == STAGE and not os.environ.get("AWS_ENDPOINT_URL"):
            known = _up()
            if known is None:
                tell("bringing up a stage on this machine")
                own, known = _brought_up(stack)
            stack.enter_context(variables_set(known.environment))
        where = stages.of(stage)
        found = settings(where, aws.client(where, "ssm"))
        yield Reached(site_url(aws.s3_client(where), found.site), wiring.services_of(found), own)


def _up() -> Address | None:
    try:
        return address.found(address.folder(stages.CHECKOUT, os.environ))
    except Missing:  # one was, and was killed; another takes its place
        return None


def _brought_up(stack: ExitStack) -> tuple[Child, Address]:
    """`webnn dev` as a child: other commands find it as if somebody had typed that."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(NOT_PASSED_ON)}
    started = stack.enter_context(child("webnn dev", DEV, variables, stages.CHECKOUT))
    for _ in wiring.paced(UP_SECONDS, LOOK_SECONDS):
        started.check()
        if known := _up():  # it says so when it is
            return started, known
    raise Unavailable("`webnn dev` did not come up in time", log="\n".join(started.lines_from(0)[0]))
