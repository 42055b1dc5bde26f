"""Feeds a queue's messages and the schedule to the handlers that WebNN has in an app, as Lambda would.

`chalice local` serves HTTP routes only. This is the rest: each of WebNN's event sources in the `app.py` of the current
folder is polled (the queue) or timed (the schedule), and its handler called with the event that AWS would send. A
handler that raises leaves its messages in the queue: they come back after the visibility timeout, and end in the
dead-letter queue. What else the app may do by schedule is nothing to be done here.
"""

import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webnn import aws
from webnn.settings import Environment, environment

LOG = logging.getLogger("webnn.pump")
IDLE_SECONDS = 1
OURS = "webnn."  # the package of a handler
FAILURE_PAUSE_SECONDS = 1.0

Handler = Callable[[dict[str, Any], Any], Any]

# All that AWS sends, for Chalice wants it all; what differs from call to call nobody looks at.
SCHEDULED = {
    "version": "0",
    "id": "local",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "1970-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler is told of its invocation."""

    function_name: str
    aws_request_id: str = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Locally nobody hurries it."""
        return 300_000


class QueuePump:
    """Moves messages from one queue to one handler."""

    def __init__(self, sqs: Any, queue_url: str, batch_size: int, handler: Handler, context: Context) -> None:
        """Takes an SQS client, the queue, the most messages of one event, and whom to call."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._batch_size = batch_size
        self._handler = handler
        self._context = context

    def turn(self) -> int:
        """Hands over one batch, waiting up to a second for it; gives the number of messages handled."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=IDLE_SECONDS,
            AttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return 0
        self._handler({"Records": [_record(message) for message in messages]}, self._context)
        entries = [{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)]
        self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return len(messages)


class Timer:
    """Calls one handler every so often."""

    def __init__(self, seconds: float, handler: Handler, context: Context, clock: Callable[[], float]) -> None:
        """Takes the period, whom to call, and a clock in seconds. The first call is one period from now."""
        self._seconds = seconds
        self._handler = handler
        self._context = context
        self._clock = clock
        self._due = clock() + seconds

    def turn(self) -> bool:
        """Calls the handler if it is due."""
        if self._clock() < self._due:
            return False
        self._due = self._clock() + self._seconds
        self._handler(dict(SCHEDULED), self._context)
        return True


def sources(app: Any, where: Environment, sqs: Any) -> tuple[list[QueuePump], list[Timer]]:
    """A pump or a timer for each of WebNN's event sources in a Chalice app."""
    pumps: list[QueuePump] = []
    timers: list[Timer] = []
    for source in app.event_sources:
        if not source.handler_string.startswith(OURS):
            continue
        handler, context = app.handler_map[source.name], Context(source.name)
        if hasattr(source, "schedule_expression"):
            timers.append(Timer(_period(source.schedule_expression), handler, context, time.monotonic))
        else:
            url = sqs.get_queue_url(QueueName=source.queue)["QueueUrl"]
            url = _through(where, url)
            pumps.append(QueuePump(sqs, url, source.batch_size, handler, context))
    return pumps, timers


def _through(where: Environment, url: str) -> str:
    """The queue's URL at the endpoint: an engine may put a host into it that this machine cannot resolve."""
    if where.endpoint_url is None:
        return url
    return "/".join([where.endpoint_url, *url.split("/")[-2:]])


def _period(expression: Any) -> float:
    """Seconds in `rate(N unit)`."""
    text = expression if isinstance(expression, str) else expression.to_string()
    count, unit = text.removeprefix("rate(").removesuffix(")").split()
    return float(count) * {"minute": 60, "hour": 3600, "day": 86_400}[unit.removesuffix("s")]


def _record(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }


def main() -> None:
    """Pumps until the process is told to stop."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    where = environment(os.environ)
    app = importlib.import_module("app").app
    pumps, timers = sources(app, where, aws.client(where, "sqs"))
    print(json.dumps({"pumping": len(pumps), "timers": len(timers)}), flush=True)
    while True:
        for pump in pumps:
            _turn(pump)
        for timer in timers:
            _turn(timer)


def _turn(source: QueuePump | Timer) -> None:
    try:
        source.turn()
    except Exception as error:  # as Lambda does: log, leave the message, go on
        LOG.exception("a handler failed")
        print(json.dumps({"type": "error", "message": f"{type(error).__name__}: {error}"}), flush=True)
        time.sleep(FAILURE_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
