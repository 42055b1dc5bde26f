"""What the queue and the schedule set off. Both may come any number of times: see `webnn.commit`."""

import logging
import os
from collections.abc import Callable

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent

from webnn import doorbell
from webnn.errors import Invalid, Missing, WebnnError
from webnn.wiring import deadline, services

LOG = logging.getLogger("webnn.events")

events = Blueprint(__name__)

# Of the functions' time limit (60 s and 300 s in config.json), less what one more commit may take.
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
    runs, failures = _runs_in(event)
    out_of_time = deadline(MERGE_SECONDS)
    merged = 0
    for run in sorted(runs):
        try:
            merged += _drain(run, out_of_time)
        except WebnnError as error:
            LOG.error("cannot merge run=%s: %s", run, error.message)
            failures.append(error)
    if failures:
        raise failures[0]
    return {"runs": len(runs), "merged": merged}


@events.schedule(Rate(5, unit=Rate.MINUTES), name="sweep")
def sweep(_event: CloudWatchEvent) -> dict[str, int]:
    """Settles what outages left behind. What failed is raised after the rest was done."""
    swept = services().sweeper.sweep(deadline(SWEEP_SECONDS))
    for one in swept:
        LOG.info("swept run=%s merged=%d expired=%d", one.run, one.drained.merged, one.expired)
    failures = [one.error for one in swept if one.error]
    if failures:
        raise failures[0]
    return {"runs": len(swept), "merged": sum(one.drained.merged for one in swept)}


def _runs_in(event: SQSEvent) -> tuple[set[str], list[WebnnError]]:
    runs: set[str] = set()
    unreadable: list[WebnnError] = []
    for record in event:
        try:
            runs |= doorbell.runs_in(record.body)
        except Invalid as error:
            LOG.error("unreadable message: %s", error.message)
            unreadable.append(error)
    return runs, unreadable


def _drain(run: str, out_of_time: Callable[[], bool]) -> int:
    try:
        drained = services().committer.drain(run, out_of_time)
    except Missing:
        LOG.error("a message speaks of run %r, which is not there", run)
        return 0
    if not drained.complete:
        services().ring(doorbell.ring(run))
    LOG.info(
        "merged run=%s merged=%d refused=%d commits=%d conflicts=%d",
        run, drained.merged, drained.refused, drained.commits, drained.conflicts,
    )  # fmt: skip
    return drained.merged
