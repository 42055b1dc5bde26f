"""The model of the commit protocol, searched through by spin: no promise breaks, and each bug put in breaks one."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[2] / "spec" / "commit.pml"
TOOLS = ("spin", "gcc")
# Far beyond the depth that any of them reaches; pan tells if it is not.
DEPTH = "-m1000000"


@dataclass(frozen=True)
class Model:
    """A configuration: what spin, the compiler and the search are given."""

    switches: tuple[str, ...]
    compiled: tuple[str, ...]
    searched: tuple[str, ...] = ()


LIVE = ("-DCOLLAPSE", "-DNFAIR=3")
SAFETY = Model(("-DSAFETY",), ("-DCOLLAPSE", "-DSAFETY", "-DNOFAIR"))
ROLLBACK = Model(("-DSAFETY", "-DROLLBACK", "-DUPDATES=2"), SAFETY.compiled)
PROGRESS = Model(("-DPROGRESS", "-DFAULTS=1"), LIVE, ("-a", "-f"))
DOORBELL = Model(("-DDOORBELL", "-DFAULTS=3"), LIVE, ("-a", "-f"))

BROKEN = "assertion violated"
UNSETTLED = "acceptance cycle"


@pytest.fixture(autouse=True)
def tools() -> None:
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")


def search(model: Model, folder: Path, mutant: str = "") -> str:
    """What the search through all states reports."""
    switches = (*model.switches, *([f"-DMUTANT_{mutant}"] if mutant else []))
    run(folder, "spin", "-a", *switches, str(MODEL))
    faster = "-O0" if mutant else "-O2"  # a bug is found sooner than it is optimised for
    run(folder, "gcc", faster, "-w", *model.compiled, "-o", "pan", "pan.c")
    return run(folder, "./pan", DEPTH, *model.searched)


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_all_is_well(report: str) -> None:
    assert "errors: 0" in report, report
    for excuse in ("Search not completed", "max search depth too small", "out of memory", "Bitstate"):
        assert excuse not in report, report
    assert idle(report) == []


def idle(report: str) -> list[str]:
    """Steps that no search came to: such a model would promise less than it says. No process ends but the operator."""
    steps = [line for line in report.splitlines() if "commit.pml:" in line and ", state " in line]
    return [line for line in steps if '"-end-"' not in line]


def test_every_update_is_settled_at_most_once_whoever_dies_and_whatever_lands_late(tmp_path: Path) -> None:
    check_all_is_well(search(SAFETY, tmp_path))


def test_a_rollback_among_merges_breaks_no_promise_and_is_made_once(tmp_path: Path) -> None:
    check_all_is_well(search(ROLLBACK, tmp_path))


def test_every_update_is_settled_under_fair_scheduling(tmp_path: Path) -> None:
    check_all_is_well(search(PROGRESS, tmp_path))


def test_no_ring_is_lost_on_a_turn_that_another_has(tmp_path: Path) -> None:
    check_all_is_well(search(DOORBELL, tmp_path))


@pytest.mark.parametrize(
    ("mutant", "model", "found"),
    [
        ("NO_HEAD_CONDITION", SAFETY, BROKEN),
        ("NO_PENDING_CONDITION", SAFETY, BROKEN),
        ("MARKS_BEFORE_COMMIT", SAFETY, BROKEN),
        ("SWEEPS_WHAT_IS_NAMED", SAFETY, BROKEN),
        ("SWEEPS_AHEAD_OF_HEAD", SAFETY, BROKEN),
        ("SILENCE_IS_LANDED", ROLLBACK, BROKEN),
        ("MOVES_WITHOUT_A_LOOK", ROLLBACK, BROKEN),
        ("NEVER_GIVES_UP", PROGRESS, UNSETTLED),
        ("LETS_GO_UNLOOKED", DOORBELL, UNSETTLED),
        ("DROPS_UNMARKED", DOORBELL, UNSETTLED),
        ("FORGETS_WHOM_IT_FOLLOWS", DOORBELL, UNSETTLED),
        ("FORGETS_WHAT_IT_WAS_RUNG_FOR", DOORBELL, UNSETTLED),
        ("TRUSTS_ITS_MESSAGE", DOORBELL, UNSETTLED),
    ],
)
def test_a_bug_that_is_put_in_is_found(mutant: str, model: Model, found: str, tmp_path: Path) -> None:
    report = search(model, tmp_path, mutant)
    assert found in report, report
    assert "errors: 1" in report, report
    assert "invalid array index" not in report, report  # a slip of the model, not of the protocol


def test_each_mutant_of_the_model_is_tried() -> None:
    tried = {case[0] for mark in test_a_bug_that_is_put_in_is_found.pytestmark for case in mark.args[1]}
    switches = {word.removeprefix("MUTANT_") for word in MODEL.read_text().split() if word.startswith("MUTANT_")}
    assert switches == tried
