"""`webnn simulate`, as somebody types it; on the digits, with numpy."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from webnn.cli.main import webnn
from webnn.errors import Invalid, Missing, WebnnError

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def typed() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(webnn, ["simulate", *arguments])


def found(typed: Callable[..., Result], *arguments: str) -> dict[str, Any]:
    shown = typed("--json", *arguments)
    assert shown.exit_code == 0, shown.exception
    return json.loads(shown.stdout)  # type: ignore[no-any-return]


def test_it_ends_with_what_became_of_each_seed(typed: Callable[..., Result]) -> None:
    one = found(
        typed, "--rule", "weighted", "--clients", "4", "--learning-rate", "0.3", "--target", "0.9", "--seeds", "2"
    )
    assert list(one) == [
        "rule", "clients", "time_to_target", "accuracy", "updates", "staleness_p50", "staleness_p95",
        "bytes_up", "bytes_down",
    ]  # fmt: skip
    assert (one["rule"], one["clients"], len(one["time_to_target"])) == ("weighted", 4, 2)
    assert all(0 < time < 200 for time in one["time_to_target"])
    assert min(one["accuracy"]) >= 0.9
    assert one["staleness_p50"] == one["staleness_p95"] == 3  # of equal clients each waits for the three others
    assert one["bytes_up"] == one["updates"] * 2410 * 4


def test_the_same_seeds_live_the_same_lives(typed: Callable[..., Result]) -> None:
    many = (
        "--clients",
        "5",
        "--sigma",
        "1",
        "--failures",
        "0.1",
        "--leaving",
        "0.4",
        "--latency",
        "0.5",
        "--time",
        "60",
    )
    assert found(typed, *many) == found(typed, *many)


def test_auto_needs_no_tuning(typed: Callable[..., Result]) -> None:
    one = found(typed, "--rule", "auto", "--target", "0.95", "--time", "200")
    assert one["time_to_target"][0] is not None


def test_what_is_not_reached_is_null(typed: Callable[..., Result]) -> None:
    one = found(typed, "--target", "1", "--time", "8")
    assert one["time_to_target"] == [None]
    assert 0 < one["accuracy"][0] < 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--rule", '{"name": "fedbuff", "size": 4}', "--server-optimizer", '{"name": "adam", "rate": 0.05}'),
        ("--rule", "delta", "--robust", '{"name": "median", "size": 4}'),
        ("--rule", "average", "--optimizer", "adam"),
        ("--dirichlet", "0.3", "--arrivals", "10", "--bandwidth", "10000", "--merge-delay", "2"),
        ("--malicious", "0.25", "--attack", "label_flip", "--robust", "norm_clip"),
        ("--where", "peer", "--rule", "average", "--sigma", "1"),
        ("--where", "peer", "--rule", "copy", "--merge-delay", "5", "--bandwidth", "10000"),
        ("--where", "peer", "--rule", "weighted", "--failures", "0.2", "--leaving", "0.5", "--stay", "5"),
        ("--leaving", "1", "--stay", "5", "--replaced"),
        ("--batch-size", "16", "--local-steps", "2", "--optimizer", "momentum"),
        ("--rule", " delta", "--robust", "norm_clip", "--robust", ' {"name": "median", "size": 4}'),
    ],
)
def test_options_go_together(typed: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    assert found(typed, "--time", "30", *arguments)["updates"] > 0


def test_people_see_a_table_and_a_chart(typed: Callable[..., Result], tmp_path: Path) -> None:
    chart = tmp_path / "chart.png"
    shown = typed("--time", "20", "--plot", str(chart))
    assert "time to target" in shown.stdout
    assert chart.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        (("--clients", "0"), Invalid, "clients"),
        (("--failures", "1.5"), Invalid, "failures"),
        (("--rule", "sum"), Invalid, "`webnn rules` lists the names"),
        (("--merge-delay", "-1"), Invalid, "--merge-delay"),
        (("--rule", '{"name": "fedbuff", "size": 0}'), Invalid, "size"),
        (("--server-optimizer", "adam", "--rule", "average"), Invalid, "average does not"),
        (("--dirichlet", "nan"), Invalid, "dirichlet"),
        (("--where", "peer", "--rule", "delta"), Invalid, "peers merge by"),
        (("--data", "."), Missing, "train-images"),
        (("--model", str(EXAMPLES / "mnist")), Invalid, "its spec says (360, 28, 28, 1)"),
        (("--plot", "/nowhere/chart.png"), Invalid, "there is no such folder"),
        (("--plot", "chart.xyz"), Invalid, "charts end in .png"),
    ],
)
def test_what_makes_no_sense_is_said(
    typed: Callable[..., Result], arguments: tuple[str, ...], kind: type[WebnnError], says: str
) -> None:
    shown = typed(*arguments)
    assert isinstance(shown.exception, kind)
    assert says in shown.exception.message


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--rule", "{name", "neither a name nor JSON"),
        ("--rule", "{}", 'takes a "name"'),
        ("--robust", "[]", 'takes a "name"'),
        ("--every", "1e-9", "not in the range"),
        ("--learning-rate", "-1", "not in the range"),
        ("--learning-rate", "nan", "not a number to work with"),
        ("--every", "nan", "not a number to work with"),
        ("--target", "nan", "not a number to work with"),
        ("--time", "inf", "not a number to work with"),
    ],
)
def test_wrong_options_are_told_by_name(typed: Callable[..., Result], option: str, value: str, says: str) -> None:
    shown = typed(option, value)
    assert shown.exit_code == 2
    assert f"'{option}'" in shown.stderr
    assert says in shown.stderr


def test_those_who_replace_others_stay_as_long_as_they(typed: Callable[..., Result]) -> None:
    """Each download of a checkpoint is a task or a visit: they grow with time, not beyond it."""
    population = ("--clients", "8", "--leaving", "1", "--stay", "10", "--replaced", "--target", "1")
    short, long = (found(typed, *population, "--time", time) for time in ("20", "60"))
    assert 2 < long["bytes_down"] / short["bytes_down"] < 5
    assert 2 < long["updates"] / short["updates"] < 5


def test_updates_that_are_refused_are_told_of(typed: Callable[..., Result]) -> None:
    shown = typed("--json", "--rule", "delta", "--learning-rate", "1000", "--time", "30")
    assert shown.exit_code == 0
    assert "updates were refused: the delta" in shown.stderr
    silent = typed("--json", "--bandwidth", "1", "--time", "8")
    assert silent.stderr.strip() == "no update was merged in this time"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("[]", "holds no JSON object"),
        ("{", "cannot be read"),
        ('{"training": 5}', "training is no JSON object"),
        ('{"modelTopology": "dense"}', "modelTopology is no JSON object"),
        ('{"merge": []}', "merge is no JSON object"),
        ("{}", "`data` must describe"),
    ],
)
def test_a_broken_spec_is_told_of_in_a_line(
    typed: Callable[..., Result], tmp_path: Path, document: str, says: str
) -> None:
    (tmp_path / "spec.json").write_text(document)
    shown = typed("--model", str(tmp_path))
    assert isinstance(shown.exception, Invalid)
    assert says in shown.exception.message


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"trainning": {}}, "no member 'trainning'"),
        ({"modelTopology": {"class_name": "Sequential", "config": {"layers": ["dense"]}}}, "TensorFlow"),
    ],
)
def test_a_spec_with_something_misspelt_is_refused(
    typed: Callable[..., Result], tmp_path: Path, wrong: dict[str, Any], says: str
) -> None:
    document = json.loads((EXAMPLES / "digits" / "spec.json").read_text()) | wrong
    (tmp_path / "spec.json").write_text(json.dumps(document))
    shown = typed("--model", str(tmp_path))
    assert isinstance(shown.exception, Invalid | Missing)
    assert says in shown.exception.message
