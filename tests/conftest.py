"""The engines that tests run on, each started once and only if a test asks for it.

A test that asks for `stage` runs on every engine. A stage is never cleaned between tests: each works on a run of
its own name, `run_name`, as the tenants of a real table do.
"""

import importlib.metadata
import itertools
import os
import signal
from collections.abc import Iterator, Mapping

import deployed
import pytest
import stages
from hypothesis import settings as hypothesis_settings
from stages import NETWORKED, Stage, Stores

from webnn import wiring
from webnn.local.engine import Engine, embedded_engine
from webnn.store.ports import Blobs, Catalog

# It is ignored where the tests run in the background, and by what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["localstack.fixtures", "browsers"]

ANSWERED = pytest.StashKey[dict[str, str]]()

hypothesis_settings.register_profile("webnn", deadline=None, print_blob=True)
hypothesis_settings.load_profile("webnn")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ANSWERED] = {}


def pytest_report_header() -> str:
    found = [f"{name} {importlib.metadata.version(name)}" for name in ("ministack", "pynamodb", "botocore", "chalice")]
    return "stores: " + ", ".join(found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for stage, engines in config.stash[ANSWERED].items():
        terminalreporter.write_line(f"{stage}: tests ran on {engines}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """On the project's own CI a skipped test is a failed one: there every part is to be had."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("skipped tests fail the run where CI is set", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def embedded(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The embedded engine, bare."""
    with embedded_engine(wiring.new_secret()) as engine:
        pytestconfig.stash[ANSWERED]["embedded"] = _named(engine.versions)
        yield engine


@pytest.fixture(scope="session")
def embedded_stage(embedded: Engine) -> Stage:
    """The stage `local`, made from `infra/` on the embedded engine."""
    return stages.engine_stage("embedded", {**embedded.environment(), "WEBNN_STAGE": "local"})


@pytest.fixture(scope="session")
def localstack_stage(localstack: Engine) -> Stage:
    """A stage on LocalStack, of another name than the one that is deployed there: no function merges its updates."""
    return stages.engine_stage("localstack", {**localstack.environment(), "WEBNN_STAGE": "contract"})


@pytest.fixture(scope="session")
def deployment(localstack: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[deployed.Deployment]:
    """The stage that `webnn deploy` puts into LocalStack."""
    checkout = deployed.copied_checkout(tmp_path_factory.mktemp("checkout"))
    with deployed.deployed(localstack, checkout) as found:
        yield found


@pytest.fixture
def memory_stage() -> Stage:
    return stages.memory_stage()


@pytest.fixture(params=["memory", *NETWORKED])
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Each engine in turn, its variables in the environment."""
    found: Stage = request.getfixturevalue(f"{request.param}_stage")
    for name, value in found.variables.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def stores(stage: Stage) -> Stores:
    return stage.shared


@pytest.fixture
def catalog(stores: Stores) -> Catalog:
    return stores[0]


@pytest.fixture
def blobs(stores: Stores) -> Blobs:
    return stores[1]


_numbers = itertools.count()


@pytest.fixture
def run_name() -> str:
    """A name that no other test of this session uses."""
    return f"run-{next(_numbers)}"


def _named(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{product} {version}" for product, version in versions.items())
