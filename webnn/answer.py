"""What a batch of messages sets off: each run that they speak of is drained, and whatever fails is told apart.

In the model (`spec/commit.pml`): Answer.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from webnn.commit import Committer, Drained
from webnn.doorbell import Ring, ring, runs_in
from webnn.errors import Invalid, Missing, emptied
from webnn.live import Live
from webnn.rota import from_elsewhere


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

    def __init__(
        self,
        committer: Committer,
        live: Live,
        send: Callable[[bytes], None],
        *,
        later: Callable[[bytes], None],
        clock: Callable[[], int],
    ) -> None:
        """Takes the use cases that drain and show.

        And what puts a message on the queue at once, and what does so for when a run may be shown again; and a clock
        (milliseconds since 1970).
        """
        self._committer = committer
        self._live = live
        self._later = later
        self._send = send
        self._clock = clock

    def answer(self, bodies: Iterable[object], out_of_time: Callable[[], bool]) -> Answered:
        """Drains the runs that the messages speak of. Whatever is wrong with one, the others are served."""
        answered = Answered({}, [], [])
        for rung in from_elsewhere(_runs_in(bodies, answered.failures), self._clock()):
            try:
                answered.drained[rung.run] = self.drain(rung, out_of_time)
                self._show(rung.run, answered.drained[rung.run])
            except Missing:
                answered.gone.append(rung.run)
            except Exception as error:  # the others are not to blame
                answered.failures.append((rung.run, emptied(error)))
        return answered

    def drain(self, rung: Ring, out_of_time: Callable[[], bool]) -> Drained:
        """Drains one run, and rings for what is left when time is up. Raises what `Committer.drain` does."""
        drained = self._committer.drain(rung.run, out_of_time, rung.after, rung.again)
        if not drained.complete:
            self._send(ring(rung.run, drained.passed, drained.again))
        return drained

    def _show(self, run: str, drained: Drained) -> None:
        """Shows what came of it, if it is time; else somebody must come back, unless another is at this run anyhow."""
        shown = self._live.show(run, paced=True)
        if drained.commits and drained.complete and not shown:
            self._later(ring(run))


def _runs_in(bodies: Iterable[object], failures: list[tuple[str, Exception]]) -> list[Ring]:
    """One ring for each run that the messages speak of, by name."""
    rings: dict[str, Ring] = {}
    for body in bodies:
        try:
            for run, rung in runs_in(body).items():
                rings[run] = rung & rings.get(run, rung)
        except Invalid as error:
            failures.append(("", error))
    return [rings[run] for run in sorted(rings)]
