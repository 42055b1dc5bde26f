"""`webnn deploy` on a whole stage: broken off at any step and typed again, it goes on."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webnn.cli import deploy
from webnn.cli.main import webnn
from webnn.errors import Unavailable
from webnn.local.stage import LocalStage

WORDS = ("deploy", "--stage", "local", "--only", "infrastructure", "--only", "site")


@pytest.fixture
def typed(stage: LocalStage, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for name, value in stage.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(deploy, "ROUTE_SECONDS", 1.0)
    monkeypatch.setattr(deploy, "LOOK_SECONDS", 0.05)
    return lambda *words: CliRunner().invoke(webnn, [*WORDS, *words])


def test_broken_off_at_each_step_and_typed_again_it_goes_on(
    stage: LocalStage, typed: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = {
        "_stack": KeyboardInterrupt,
        "_mounted": Unavailable,
        "_site": KeyboardInterrupt,
        "_check_page": Unavailable,
    }
    for step, fault in steps.items():
        monkeypatch.setattr(deploy, step, once_broken(getattr(deploy, step), fault))
    words = ("--api", stage.api, "--json")
    for done, fault in enumerate(steps.values()):
        broken = typed(*words)
        assert broken.exit_code == (130 if fault is KeyboardInterrupt else 1)
        assert "What is done stays done" in broken.stderr
        assert "webnn deploy --stage local --only infrastructure --only site" in broken.stderr
        assert [broken.stderr.count(mark) for mark in "✓✗"] == [min(done, 1) + (done > 2), 1]
    whole = typed(*words)
    assert whole.exit_code == 0, whole.stderr
    told = json.loads(whole.stdout)
    assert (told["api"], told["page"]) == (stage.api, stage.page)
    assert len(told["seconds"]) == whole.stderr.count("✓") == 3


def once_broken(real: Callable[..., Any], fault: type[BaseException]) -> Callable[..., Any]:
    faults = iter([fault("S3 did not answer")])

    def broken(*given: Any) -> Any:
        for one in faults:
            raise one
        return real(*given)

    return broken


def test_a_page_that_leads_elsewhere_is_not_believed(stage: LocalStage, typed: Callable[..., Result]) -> None:
    with pytest.raises(Unavailable, match="does not lead to http://127"):
        deploy._check_page(stage.page, "http://127.0.0.1:9", lambda _: None)
