"""The schedule on this machine, through Chalice, as the functions are called."""

from typing import Any

import pytest
from chalice import Blueprint, Chalice, Rate

from webnn.local import pump
from webnn.settings import Environment

WHERE = Environment("local", "us-east-1", "http://127.0.0.1:9")


@pytest.fixture
def called() -> list[Any]:
    return []


@pytest.fixture
def app(called: list[Any]) -> Chalice:
    made, ours = Chalice(app_name="test"), Blueprint("webnn.test")

    @ours.schedule(Rate(5, unit=Rate.MINUTES), name="sweep")
    def sweep(event: Any) -> None:
        called.append(event)

    made.register_blueprint(ours)
    return made


def test_a_schedule_is_heard_every_so_often(app: Chalice, called: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """It never was: Chalice refuses an event that lacks anything of what AWS sends."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    _, (timer,) = pump.sources(app, WHERE, None)
    heard: list[tuple[bool, int]] = []
    for now[0] in (1000.0, 1299.0, 1300.0, 1301.0, 1600.0):
        heard.append((timer.turn(), len(called)))
    assert heard == [(False, 0), (False, 0), (True, 1), (False, 1), (True, 2)]
    assert called[0].detail_type == "Scheduled Event"


def test_what_an_app_does_besides_is_let_be(app: Chalice) -> None:
    @app.schedule("cron(0 8 * * ? *)")
    def remind(event: Any) -> None: ...

    @app.on_sqs_message("orders")
    def orders(event: Any) -> None: ...

    pumps, timers = pump.sources(app, WHERE, None)
    assert (len(pumps), len(timers)) == (0, 1)
