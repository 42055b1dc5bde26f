"""What a batch of messages sets off: each run that they speak of is drained, and whatever fails is told apart."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from webnn import doorbell
from webnn.commit import Committer, Drained
from webnn.errors import Invalid, Missing


class Answered(Struct, frozen=True):
    """What came of the messages.

    Attributes:
        drained: By run.
        failures: What could not be read or served: the messages have to come back. With the run, if one is known.
        gone: Runs that are not there: nothing will change that.
    """

    drained: dict[str, Drained]
    failures: list[tuple[str, Exception]]
    gone: list[str]


class Answerer:
    """Answers messages."""

    def __init__(self, committer: Committer, ring: Callable[[bytes], None]) -> None:
        """Takes the use case that drains, and what puts a message on the queue."""
        self._committer = committer
        self._ring = ring

    def answer(self, bodies: Iterable[object], out_of_time: Callable[[], bool]) -> Answered:
        """Drains the runs that the messages speak of. Whatever is wrong with one, the others are served."""
        answered = Answered({}, [], [])
        for run, after in sorted(_runs_in(bodies, answered.failures).items()):
            try:
                answered.drained[run] = self._drain(run, after, out_of_time)
            except Missing:
                answered.gone.append(run)
            except Exception as error:  # the others are not to blame
                answered.failures.append((run, error))
        return answered

    def _drain(self, run: str, after: str, out_of_time: Callable[[], bool]) -> Drained:
        drained = self._committer.drain(run, out_of_time, after)
        if not drained.complete:
            self._ring(doorbell.ring(run, drained.passed))
        return drained


def _runs_in(bodies: Iterable[object], failures: list[tuple[str, Exception]]) -> dict[str, str]:
    """The runs, each with the id behind which to look; of several that of the message that skips least."""
    runs: dict[str, str] = {}
    for body in bodies:
        try:
            for run, after in doorbell.runs_in(body).items():
                runs[run] = min(after, runs.get(run, after))
        except Invalid as error:
            failures.append(("", error))
    return runs
