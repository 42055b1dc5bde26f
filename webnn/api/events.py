"""What the queue and the schedule set off. Both may come any number of times: see `webnn.commit`."""

import logging
import os
from collections.abc import Callable

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent

from webnn import doorbell
from webnn.errors import Invalid, Missing
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
    for run, after in sorted(runs.items()):
        try:
            merged += _drain(run, after, out_of_time)
        except Exception as error:  # whatever is wrong with one run, the others are not to blame
            LOG.exception("cannot merge run=%s", run)
            failures.append(error)
    if failures:
        raise failures[0]
    return {"runs": len(runs), "merged": merged}


@events.schedule(Rate(5, unit=Rate.MINUTES), name="sweep")
def sweep(_event: CloudWatchEvent) -> dict[str, int]:
    """Settles what outages left behind. What failed is raised after the rest was done."""
    swept = services().sweeper.sweep(deadline(SWEEP_SECONDS))
    for one in swept:
        LOG.info("swept run=%s merged=%d refused=%d", one.run, one.drained.merged, one.drained.refused)
    failures = [(one.run, one.error) for one in swept if one.error]
    for run, error in failures:
        LOG.error("cannot sweep run=%s", run, exc_info=error)
    if failures:
        raise failures[0][1]
    return {"runs": len(swept), "merged": sum(one.drained.merged for one in swept)}


def _runs_in(event: SQSEvent) -> tuple[dict[str, str], list[Exception]]:
    runs: dict[str, str] = {}
    unreadable: list[Exception] = []
    for record in event.to_dict()["Records"]:
        try:
            for run, after in doorbell.runs_in(record.get("body")).items():
                runs[run] = min(after, runs.get(run, after))
        except Invalid as error:
            LOG.error("unreadable message: %s", error.message)
            unreadable.append(error)
    return runs, unreadable


def _drain(run: str, after: str, out_of_time: Callable[[], bool]) -> int:
    stage = services()  # not below: what a stage lacks is no missing run
    try:
        drained = stage.committer.drain(run, out_of_time, after)
    except Missing:
        LOG.error("a message speaks of run %r, which is not there", run)
        return 0
    if not drained.complete:
        stage.ring(doorbell.ring(run, drained.passed))
    LOG.info(
        "merged run=%s merged=%d refused=%d commits=%d conflicts=%d",
        run, drained.merged, drained.refused, drained.commits, drained.conflicts,
    )  # fmt: skip
    return drained.merged
