"""LocalStack for tests, started once and only if a test asks for it: `pytest_plugins = ["localstack.fixtures"]`."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from localstack.clients import Clients, clients
from localstack.engine import localstack_engine
from webnn.errors import Missing
from webnn.local.engine import Engine

ENGINE = pytest.StashKey[Engine]()


@pytest.fixture(scope="session")
def localstack(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The engine, bare. Tests that ask for it are skipped, with the reason, where it cannot run."""
    with ExitStack() as running:
        try:
            engine = running.enter_context(localstack_engine())
        except Missing as error:
            pytest.skip(error.message)
        pytestconfig.stash[ENGINE] = engine
        yield engine


@pytest.fixture(scope="session")
def localstack_clients(localstack: Engine) -> Clients:
    """Makes clients of the engine, one for each service."""
    return clients(localstack)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says which engine each service of LocalStack's tests really was."""
    engine = config.stash.get(ENGINE, None)
    if engine is not None:
        answered = ", ".join(f"{service}: {what}" for service, what in engine.versions.items())
        terminalreporter.write_line(f"localstack: tests ran on {answered}")
