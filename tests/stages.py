"""A stage of the app on some engine, as tests see it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from msgspec.structs import replace

from webnn import aws, wiring
from webnn.settings import Settings, environment, settings
from webnn.stack import create_or_update
from webnn.store.memory import MemoryBlobs, MemoryCatalog
from webnn.store.memory_public import MemoryPublicObjects
from webnn.store.ports import Blobs, Catalog
from webnn.store.public import PublicObjects

CHECKOUT = Path(__file__).resolve().parents[1]
# Engines that are reached over the network, as clients reach AWS.
NETWORKED = ["embedded", pytest.param("localstack", marks=pytest.mark.localstack)]

Stores = tuple[Catalog, Blobs]


@dataclass(frozen=True)
class Stage:
    """Stores on some engine.

    Attributes:
        variables: What a process needs in its environment to speak to it.
        make: Makes adapters that share nothing with others but the engine. (In memory there is but one of each.)
        settings: The names of its parts; None in memory, which has none.
    """

    name: str
    variables: Mapping[str, str]
    make: Callable[[], Stores]
    settings: Settings | None = None

    @cached_property
    def shared(self) -> Stores:
        """Adapters that all tests use: making AWS clients takes a while."""
        return self.make()

    @cached_property
    def rivals(self) -> list[Stores]:
        """Eight more, for races."""
        return [self.make() for _ in range(8)]

    @cached_property
    def public(self) -> PublicObjects:
        """Where everybody may read."""
        return MemoryPublicObjects() if self.settings is None else aws.public_objects(self.settings)

    def through(self, url: str) -> Stores:
        """Adapters that reach the engine by another URL."""
        assert self.settings is not None
        where = replace(self.settings.environment, endpoint_url=url)
        return aws.stores(replace(self.settings, environment=where))


def memory_stage() -> Stage:
    stores = MemoryCatalog(), MemoryBlobs()
    return Stage("memory", {}, lambda: stores)


def engine_stage(name: str, variables: Mapping[str, str]) -> Stage:
    """Creates the stack of a stage on a running engine."""
    where = environment(variables)
    with _environment(variables):
        template = (CHECKOUT / "infra" / "stack.yaml").read_text()
        polls = wiring.paced(60.0, 0.1)
        create_or_update(aws.stack_clients(where), where.stage, template, wiring.new_secret(), polls)
        found = settings(where, aws.client(where, "ssm"))
    return Stage(name, variables, lambda: aws.stores(found), found)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield
