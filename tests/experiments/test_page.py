"""docs/experiments.md says what the results say."""

import sys
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def test_the_page_is_what_its_text_and_the_results_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    import page  # noqa: PLC0415  # a script's module, beside the script

    try:
        assert page.PAGE.read_text() == page.filled(page.all_results())
    finally:
        for name in ("page", "tables", "run", "cases"):
            sys.modules.pop(name, None)
