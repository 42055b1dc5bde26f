"""That a stage does not answer, said once, and that it does again: for who looks at a run again and again."""

from collections.abc import Callable

SILENT = "The stage does not answer: trying again."
HEARD = "The stage answers again."


class Silence:
    """Says when a stage falls silent, and when that is over."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Takes what says a line."""
        self._say = say
        self._silent = False

    def looked(self, answered: bool) -> None:
        """Takes whether the stage has answered a look; says a line where the last look went otherwise."""
        if answered is self._silent:
            self._say(HEARD if answered else SILENT)
        self._silent = not answered
