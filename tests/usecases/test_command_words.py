"""How the commands say targets, and draw the way to them."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console
from samples import World, a_world, an_evaluation

from webnn.cli import demo
from webnn.cli.follow import follow
from webnn.cli.words import percent
from webnn.core.records import Status
from webnn.local.demo import Progress


@pytest.mark.parametrize(
    ("share", "said"), [(0.95, "95%"), (0.999, "99.9%"), (0.57, "57%"), (0.9999999, "99.99999%"), (1.0, "100%")]
)
def test_a_target_keeps_its_digits(share: float, said: str) -> None:
    assert percent(share) == said


def drawn(show: Callable[[Console], object]) -> str:
    shown = io.StringIO()
    show(Console(file=shown, width=160, force_terminal=True, color_system=None))
    return shown.getvalue()


# Of all but the first two, 20 signs times the goal, divided by it again, come to less than 20.
@pytest.mark.parametrize("goal", [0.5, 0.95, 0.94, 0.988, 0.235])
@pytest.mark.parametrize("beyond", [0.0, 0.004])
class TestTheBarOfAGoal:
    def test_is_full_where_demo_reaches_it(self, goal: float, beyond: float) -> None:
        def show(console: Console) -> None:
            shown = demo._Show(console, goal)
            with shown.bar:
                shown.progress(Progress(goal + beyond, 0.1, 3, 1, 2.0, 5.0, None))

        assert "━" * 20 in drawn(show)
        assert f"of {percent(goal)}  version 3" in drawn(show)

    def test_is_full_where_train_reaches_it(self, goal: float, beyond: float) -> None:
        world: World = a_world()
        world.start(end={"accuracy": goal})
        world.catalog.record_evaluation(an_evaluation("line", 0, accuracy=goal + beyond))
        world.catalog.set_status(world.head, Status.FINISHED)
        shown = drawn(lambda console: follow(world.services.runs, world.services.failures, "line", console))
        assert "━" * 20 in shown
        assert f"of {percent(goal)}, version 0" in shown


def test_what_is_not_reached_is_not_drawn_full() -> None:
    def show(console: Console) -> None:
        shown = demo._Show(console, 0.9)
        with shown.bar:
            shown.progress(Progress(0.85, 0.1, 3, 1, 2.0, 5.0, None))

    assert "━" * 20 not in drawn(show)
