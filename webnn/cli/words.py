"""How the commands say shares and numbers of things."""


def percent(share: float) -> str:
    """A share that somebody typed, with all its digits: a target that is rounded may look reached, or out of reach."""
    return f"{100 * share:.10g}%"


def on_the_way(accuracy: float | None, goal: float) -> float:
    """How much of the way to a goal is behind, 0 to 1; exactly 1 from the goal on.

    A bar that is given goal and accuracy divides one by the other, and may lack its last half sign for a bit.
    """
    return min(1.0, (accuracy or 0.0) / goal)


def counted(count: int, what: str) -> str:
    """A number of things whose plural takes an s."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
