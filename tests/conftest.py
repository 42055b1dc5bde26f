"""The engines that tests run on, each started once and only if a test asks for it.

A test that asks for `stage` runs on every engine. A stage is never cleaned between tests: each works on a run of
its own name, `run_name`, as the tenants of a real table do.
"""

import importlib.metadata
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from webnn import aws, wiring
from webnn.local.engine import Engine, embedded_engine
from webnn.settings import environment, settings
from webnn.stack import create_or_update
from webnn.store.memory import MemoryBlobs, MemoryCatalog
from webnn.store.ports import Blobs, Catalog

CHECKOUT = Path(__file__).resolve().parents[1]
ANSWERED = pytest.StashKey[dict[str, str]]()

hypothesis_settings.register_profile("webnn", deadline=None, print_blob=True)
hypothesis_settings.load_profile("webnn")

Stores = tuple[Catalog, Blobs]


@dataclass(frozen=True)
class Stage:
    """Stores on some engine.

    Attributes:
        variables: What a process needs in its environment to speak to it.
        stores: Makes adapters that share nothing with others but the engine. (In memory there is but one of each.)
    """

    name: str
    variables: Mapping[str, str]
    stores: Callable[[], Stores]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ANSWERED] = {}


def pytest_report_header() -> str:
    found = [f"{name} {importlib.metadata.version(name)}" for name in ("ministack", "pynamodb", "botocore", "chalice")]
    return "stores: " + ", ".join(found)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for stage, engines in config.stash[ANSWERED].items():
        terminalreporter.write_line(f"{stage}: tests ran on {engines}")


@pytest.fixture(scope="session")
def embedded(pytestconfig: pytest.Config) -> Iterator[Engine]:
    """The embedded engine, bare."""
    with embedded_engine(wiring.new_secret()) as engine:
        pytestconfig.stash[ANSWERED]["embedded"] = _named(engine.versions)
        yield engine


@pytest.fixture(scope="session")
def embedded_stage(embedded: Engine) -> Stage:
    """The stage `local`, made from `infra/` on the embedded engine."""
    return a_stage("embedded", {**embedded.environment(), "WEBNN_STAGE": "local"})


@pytest.fixture
def memory_stage() -> Stage:
    stores = MemoryCatalog(), MemoryBlobs()
    return Stage("memory", {}, lambda: stores)


@pytest.fixture(params=["memory", "embedded"])
def stage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Each engine in turn, its variables in the environment."""
    found: Stage = request.getfixturevalue(f"{request.param}_stage")
    for name, value in found.variables.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def stores(stage: Stage) -> Stores:
    return stage.stores()


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


def a_stage(name: str, variables: Mapping[str, str]) -> Stage:
    """Creates the stack of a stage on a running engine."""
    where = environment(variables)
    with _environment(variables):
        template = (CHECKOUT / "infra" / "stack.yaml").read_text()
        polls = wiring.paced(60.0, 0.1)
        create_or_update(aws.stack_clients(where), where.stage, template, wiring.new_secret(), polls)
        found = settings(where, aws.client(where, "ssm"))
    return Stage(name, variables, lambda: aws.stores(found))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


def _named(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{product} {version}" for product, version in versions.items())
