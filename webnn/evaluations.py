"""What clients report of a version on the whole validation set, and whether that ends the run."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.records import Evaluation, EvaluationLease
from webnn.core.spec import Spec
from webnn.ending import Ending
from webnn.errors import Conflict, Invalid, Missing
from webnn.lineage import versions_behind
from webnn.observe import Changed, unwatched
from webnn.specs import Specs
from webnn.store.ports import Catalog
from webnn.tokens import Member


class Report(Struct, frozen=True):
    """What a client found.

    Attributes:
        loss: Mean over all validation examples.
        accuracy: Fraction of all validation examples, in [0, 1].
        examples: How many it evaluated.
    """

    evaluation_id: str
    version: int
    loss: float
    accuracy: float
    examples: int


class Evaluations:
    """Records reports."""

    def __init__(
        self, catalog: Catalog, specs: Specs, *, clock: Callable[[], int], changed: Changed = unwatched
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970), and whom to tell of reports."""
        self._catalog = catalog
        self._specs = specs
        self._clock = clock
        self._ending = Ending(catalog, clock)
        self._changed = changed

    def report(self, member: Member, report: Report) -> Evaluation:
        """Records the report of the client that was asked for it, and finishes the run when its end is reached.

        Raises:
            Missing: No such run, or this client was never asked, or another has been asked since.
            Invalid: The report is about another version, or not about the whole validation set.
            Conflict: The version has another evaluation: this client's first answer counts.
        """
        spec = self._specs.of(member.run)
        self._check_asked(member, report, spec)
        evaluation = Evaluation(
            run=member.run,
            version=report.version,
            evaluation_id=report.evaluation_id,
            client_id=member.client_id,
            loss=report.loss,
            accuracy=report.accuracy,
            examples=report.examples,
            at=self._clock(),
        )
        recorded = self._recorded(evaluation)
        try:
            self._finish_if_due(spec, recorded)
        finally:
            self._changed(member.run)
        return recorded

    def _recorded(self, evaluation: Evaluation) -> Evaluation:
        """The evaluation, or the one that the same answer recorded before."""
        try:
            self._catalog.record_evaluation(evaluation)
        except Conflict:
            first = self._catalog.evaluations(evaluation.run, evaluation.version - 1, 1)[0]
            if replace(first, at=evaluation.at) != evaluation:
                raise
            return first
        return evaluation

    def finish_if_reached(self, run: str) -> None:
        """Finishes a run whose time is up, or whose end a report reached but could not bring: a fault, or a pause.

        Raises:
            Missing: No such run.
            Unavailable: The head is moved too often at this moment.
        """
        spec = self._specs.of(run)
        newest = self._catalog.latest_evaluation(run)
        if newest is not None:
            self._finish_if_due(spec, newest)
        if self._ending.time_is_up(spec, run):
            self._ending.finish(run, self._catalog.head(run).generation)

    def time_is_up(self, run: str) -> bool:
        """Whether the time that its spec sets has passed. Raises Missing."""
        return self._ending.time_is_up(self._specs.of(run), run)

    def reached(self, run: str) -> Evaluation | None:
        """The newest evaluation, if it ends the run. Raises Missing.

        What was reached before a rollback ends nothing.
        """
        newest, head = self._catalog.latest_evaluation(run), self._catalog.head(run)
        if newest is None or not self._is_end(self._specs.of(run), newest):
            return None
        return newest if self._generation(newest) == head.generation else None

    def _check_asked(self, member: Member, report: Report, spec: Spec) -> None:
        """That this client was asked, for this; one that was, and answered, may say the same again at any time."""
        found = self._catalog.evaluations(member.run, report.version - 1, 1)
        if not any((e.evaluation_id, e.client_id) == (report.evaluation_id, member.client_id) for e in found):
            _check(report, self._lease(member, report.evaluation_id), spec)

    def _lease(self, member: Member, evaluation_id: str) -> EvaluationLease:
        lease = self._catalog.evaluation_lease(member.run)
        if lease is None or (lease.evaluation_id, lease.client_id) != (evaluation_id, member.client_id):
            raise Missing(f"no evaluation {evaluation_id!r} is awaited from this client")
        return lease

    def _finish_if_due(self, spec: Spec, evaluation: Evaluation) -> None:
        if self._is_end(spec, evaluation):
            self._ending.finish(evaluation.run, self._generation(evaluation))

    def _is_end(self, spec: Spec, evaluation: Evaluation) -> bool:
        target, last = spec.end.accuracy, spec.end.versions
        if target is not None and evaluation.accuracy >= target:
            return True
        if last is None or evaluation.version < last:
            return False
        entry = self._catalog.ledger_entry(evaluation.run, evaluation.version)
        return versions_behind(self._catalog, entry) >= last

    def _generation(self, evaluation: Evaluation) -> int:
        return self._catalog.ledger_entry(evaluation.run, evaluation.version).generation


def _check(report: Report, lease: EvaluationLease, spec: Spec) -> None:
    if report.version != lease.version:
        raise Invalid(f"version {lease.version} was to be evaluated, not {report.version}")
    if report.examples != spec.data.validation_examples:
        raise Invalid(
            f"the validation set has {spec.data.validation_examples} examples, {report.examples} were evaluated",
            expected=spec.data.validation_examples,
        )
