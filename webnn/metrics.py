"""Attempts to commit as log lines that CloudWatch reads metrics from (its embedded metric format).

One line for each attempt, no call to any service. The metrics have one dimension, the stage, because each further
value of a dimension is billed as a metric of its own; the run, the version and the updates' ids stand beside them in
the same line, where a query of the log finds them. An update's id is the same everywhere: in the client's request, the
key of its body, this line, and the ledger.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from webnn.core.records import Update, UpdateState
from webnn.observe import Attempt

NAMESPACE = "WebNN"


def emit(stage: str, attempt: Attempt) -> None:
    """Writes the line of one attempt to standard output."""
    metrics = EphemeralMetrics(namespace=NAMESPACE)
    metrics.add_dimension("stage", stage)
    metrics.add_metadata("run", attempt.commit.base.run)
    metrics.add_metric("MergeMilliseconds", MetricUnit.Milliseconds, attempt.milliseconds)
    metrics.add_metric("Conflicts", MetricUnit.Count, 0 if attempt.landed else 1)
    if attempt.landed:
        _add_commit(metrics, attempt)
    metrics.flush_metrics()


def _add_commit(metrics: EphemeralMetrics, attempt: Attempt) -> None:
    commit = attempt.commit
    merged = [update for update in commit.settled if update.state is UpdateState.MERGED]
    metrics.add_metric("Commits", MetricUnit.Count, 1)
    metrics.add_metric("UpdatesPerCommit", MetricUnit.Count, len(merged))
    metrics.add_metric("Rejected", MetricUnit.Count, _count(commit.settled, UpdateState.REJECTED))
    metrics.add_metric("Discarded", MetricUnit.Count, _count(commit.settled, UpdateState.DISCARDED))
    metrics.add_metric("UpdateBytes", MetricUnit.Bytes, sum(update.bytes for update in merged))
    for update in merged:  # at most 95 values, of which CloudWatch gives any percentile; a line takes 100
        metrics.add_metric("Staleness", MetricUnit.Count, update.staleness or 0)
    if commit.entry is not None:
        metrics.add_metric("CheckpointBytes", MetricUnit.Bytes, commit.entry.bytes)
        metrics.add_metadata("version", commit.entry.version)
        metrics.add_metadata("attempt", commit.entry.attempt)
    metrics.add_metadata("updates", {update.update_id: str(update.state) for update in commit.settled})


def _count(settled: tuple[Update, ...], state: UpdateState) -> int:
    return sum(update.state is state for update in settled)
