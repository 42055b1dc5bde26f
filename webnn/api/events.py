"""What the queue and the schedule set off. Both may come any number of times: see `webnn.commit`."""

import logging
import os
from collections.abc import Callable
from typing import Any

from chalice.app import CloudWatchEvent, Rate, SQSEvent

from webnn.api.mounting import Lasting
from webnn.commit import Drained
from webnn.wiring import deadline, services

LOG = logging.getLogger("webnn.events")

events = Lasting(__name__)

# What one more commit may take, of the time that the function has left: 60 s and 300 s in config.json, or what another
# app's says.
COMMIT_SECONDS = 20.0
# No longer, however long the function may take.
MERGE_SECONDS = 40.0
SWEEP_SECONDS = 240.0


@events.on_sqs_message(
    queue=f"webnn-{os.environ.get('WEBNN_STAGE', 'local')}-doorbell",
    batch_size=10,
    maximum_batching_window_in_seconds=1,
    name="merge",
)
def merge(event: SQSEvent) -> dict[str, int]:
    """Drains the runs that the messages speak of.

    A message that cannot be read or served is raised after the others were served: it comes back, and ends in
    the dead-letter queue.
    """
    bodies = [record.get("body") for record in event.to_dict()["Records"]]
    answered = services().answerer.answer(bodies, _deadline(event, MERGE_SECONDS))
    for run, drained in answered.drained.items():
        _note("merged", run, drained)
    for run in answered.gone:
        LOG.error("a message speaks of run %r, which is not there", run)
    for run, error in answered.failures:
        LOG.error("cannot merge run=%s", run, exc_info=error)
    if answered.failures:
        raise answered.failures[0][1]
    merged = sum(drained.merged for drained in answered.drained.values())
    return {"runs": len(answered.drained) + len(answered.gone), "merged": merged}


@events.schedule(Rate(5, unit=Rate.MINUTES), name="sweep")
def sweep(event: CloudWatchEvent) -> dict[str, int]:
    """Settles what outages left behind. What failed is raised after the rest was done."""
    swept = services().sweeper.sweep(_deadline(event, SWEEP_SECONDS))
    for one in swept:
        _note("swept", one.run, one.drained)
        LOG.info("cleared run=%s orphans=%d expired=%d", one.run, one.cleared.orphans, one.cleared.expired)
    failures = [(one.run, one.error) for one in swept if one.error]
    for run, error in failures:
        LOG.error("cannot sweep run=%s", run, exc_info=error)
    if failures:
        raise failures[0][1]
    return {"runs": len(swept), "merged": sum(one.drained.merged for one in swept)}


def _deadline(event: SQSEvent | CloudWatchEvent, most: float) -> Callable[[], bool]:
    context: Any = event.context
    left = context.get_remaining_time_in_millis() / 1000
    return deadline(min(most, left - min(COMMIT_SECONDS, left / 2)))


def _note(what: str, run: str, drained: Drained) -> None:
    LOG.info(
        "%s run=%s merged=%d refused=%d commits=%d conflicts=%d elsewhere=%s",
        what, run, drained.merged, drained.refused, drained.commits, drained.conflicts, drained.elsewhere,
    )  # fmt: skip
