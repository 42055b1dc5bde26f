"""The app on a run in memory."""

import pytest
from asking import Api
from chalice.test import Client
from samples import World, a_world
from stages import CHECKOUT

import app


@pytest.fixture
def world() -> World:
    return a_world()


@pytest.fixture
def api(world: World, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The app before any run was started."""
    for module in ("routes", "events"):
        monkeypatch.setattr(f"webnn.api.{module}.services", lambda: world.services)
    return Api(world, Client(app.app, stage_name="local", project_dir=str(CHECKOUT)))


@pytest.fixture
def joined(api: Api) -> Api:
    """The app with a run `line`, which the client has joined."""
    api.world.start()
    api.join()
    return api
