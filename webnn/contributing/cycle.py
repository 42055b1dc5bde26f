"""The cycle of a client: ask, do, send, again. As `web/src/cycle.ts`."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from webnn.contributing.api import Api, Blob, EvaluateTask, StopTask, Task, TrainTask, WaitTask
from webnn.contributing.encoding import encoded
from webnn.contributing.faults import Diverged, Refused, Unfit
from webnn.contributing.learning import Columns, Training, taken
from webnn.contributing.peer import Peer
from webnn.contributing.sending import Curiosity, Delivery
from webnn.contributing.time import Throttle, Time
from webnn.core import spec as specs
from webnn.core.spec import Spec
from webnn.core.wire import Array, Vector, decode_vector, sha256
from webnn.cutting import Example
from webnn.errors import Invalid
from webnn.project.elements import whole
from webnn.simulate.learner import MakeLearner, Practice
from webnn.simulate.shuffle import permutation

STEP_EVENT = 0.1  # seconds between two
MEMORY_BYTES = 512 * 2**20
SHORTEST_WAIT, LONGEST_WAIT, USUAL_WAIT, AFTER_NOTHING = 0.25, 3600.0, 30.0, 5.0

Emit = Callable[[str, dict[str, Any]], None]


class Own(Struct, frozen=True):
    """Examples of the client's own, which stay here: x and y as `webnn.fit` takes arrays."""

    x: Any
    y: Any


class _Trained(Struct):
    weights: Vector
    loss: float
    steps: int


class Cycle:
    """One client of one run."""

    def __init__(
        self,
        api: Api,
        curious: Api,
        time: Time,
        throttle: Throttle,
        emit: Emit,
        make: MakeLearner | None,
        own: Own | None,
    ) -> None:
        """Takes the API, another for what nothing depends on, and what makes a learner; None for the usual one."""
        self._api, self._time, self._throttle, self._emit = api, time, throttle, emit
        self._make, self._own = make, own
        self.curiosity = Curiosity(curious, time, emit)
        self._peer = Peer(api, emit)
        self._delivery = Delivery(api, time, self._sent)
        self._blobs: OrderedDict[str, bytes] = OrderedDict()
        self._columns: OrderedDict[str, Columns] = OrderedDict()
        self._training: tuple[str, Training] | None = None
        self._last_step = float("-inf")
        self._created: int | None = None
        self.token: str | None = None

    def turn(self) -> str | None:
        """Delivers what is left over, or does one task. The reason, when the run is over."""
        token = self._member()
        if self._delivery.pending:
            self._delivery.deliver(token)
            self._peer.meet(token)
            return None
        self.curiosity.wonder(token, 1)
        return self._perform(self._api.next_task(token), token)

    def forget_membership(self) -> None:
        """The server no longer knows the token."""
        self.token = None
        self.curiosity.forget()

    def complain(self, report: dict[str, Any]) -> None:
        """Tells the run's owner why this client cannot train."""
        if self.token is not None:
            self._api.complain(self.token, report)

    def forget_training(self) -> None:
        """Something went wrong with it: begin with nothing."""
        self._peer.forget()
        if self._training is not None:
            self._training[1].forget()

    def _sent(self, update_id: str, announcement: dict[str, Any]) -> None:
        self.curiosity.sent(update_id)
        self._peer.sent(update_id)
        told = {name: announcement[name] for name in ("examples", "bytes")}
        steps, version = announcement["local_steps"], announcement["base_version"]
        self._emit("uploaded", {"update_id": update_id, "version": version, "steps": steps, **told})

    def _member(self) -> str:
        if self.token is None:
            self._check_run()
            found = self._api.join()
            self.token = found.token
            self._emit("joined", {"client_id": found.client_id})
        return self.token

    def _check_run(self) -> None:
        """Whoever was let in is not led on to another run of the name. Raises Refused."""
        created = self._api.created_at()
        self._created = created if self._created is None else self._created
        if created != self._created:
            message = f"the run {self._api.run} was deleted, and another of its name was made since"
            raise Refused(404, "missing", message, {})

    def _perform(self, task: Task, token: str) -> str | None:
        if isinstance(task, StopTask):
            self.curiosity.farewell(token)
            return task.reason
        if isinstance(task, WaitTask):
            self._wait(task.seconds, task.reason)
            self.curiosity.wonder(token)
        elif isinstance(task, TrainTask):
            self._train(task, token)
        else:
            self._evaluate(task, token)
        return None

    def _wait(self, seconds: float, reason: str) -> None:
        """Never at once, whatever the server says, and never for so long that it is forgotten."""
        bearable = min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT) if np.isfinite(seconds) else USUAL_WAIT
        self._emit("waiting", {"seconds": bearable, "reason": reason})
        self._time.sleep(bearable)
        self._throttle.after(0.0)

    def _train(self, task: TrainTask, token: str) -> None:
        deadline = self._time.now() + task.expires_in
        self._emit("task", {"kind": "train", "version": task.version, "generation": task.generation})
        training = self._of(task.model)
        columns = self._examples(task, training)
        start, origin = self._start(task, training.spec)
        found = self._steps(task, training, columns, start, deadline)
        accuracy = self._validated(task, training, found.weights)
        steps = self._peer.trained(found.weights, found.steps, accuracy) if task.peer else found.steps
        delta = np.asarray(found.weights - origin, np.float32)
        if not np.isfinite(delta).all():
            raise Diverged("the trained weights hold NaN or infinity")
        self._delivery.keep(*_announced(task, training.spec, delta, found, steps, accuracy))
        self._delivery.deliver(token)
        self._peer.meet(token)

    def _start(self, task: TrainTask, spec: Spec) -> tuple[Vector, Vector]:
        """Where to train from, and what the delta is taken from."""
        if task.peer:
            return self._peer.start(task, task.peer, spec)
        head = decode_vector(spec.weights, self._api.download(task.checkpoint))
        return head, head

    def _steps(self, task: TrainTask, training: Training, columns: Columns, start: Vector, deadline: float) -> _Trained:
        count, size, total = len(columns[0][0]), task.training.batch_size, task.training.local_steps
        order = permutation(task.seed, count)
        practice = Practice(task.training.optimizer, task.training.learning_rate)
        found = _Trained(start, float("nan"), 0)
        while found.steps < total and (found.steps == 0 or self._time.now() < deadline):
            began = self._time.now()
            rows: Array = order[(task.offset + found.steps * size + np.arange(size)) % count]
            step = training.step(found.weights, taken(columns, rows), practice, task.generation)
            found = _Trained(step.weights, step.loss, found.steps + 1)
            self._tell(found, total, size / max(self._time.now() - began, 1e-6))
            self._throttle.after(self._time.now() - began)
        return found

    def _tell(self, found: _Trained, total: int, rate: float) -> None:
        now = self._time.now()
        if found.steps == total or now - self._last_step >= STEP_EVENT:
            self._last_step = now
            told = {"step": found.steps, "steps": total, "loss": found.loss, "examples_per_second": rate}
            self._emit("step", told)

    def _examples(self, task: TrainTask, training: Training) -> Columns:
        if self._own is not None:
            return self._owned(self._own, training)
        if task.shard is None:
            raise Unfit("this run trains on data of your own alone: give some, as webnn.Client(…, data=(x, y))")
        return self._decoded(task.shard, training)

    def _owned(self, own: Own, training: Training) -> Columns:
        data = training.spec.data
        if data.own == "never":
            raise Unfit("this run takes no data of your own: leave them out")
        try:
            found = whole(Example(data.inputs, data.targets), (own.x, own.y))
        except Invalid as error:
            raise Unfit(f"your data do not fit the run: {error.message}") from error
        return training.shaped([np.asarray(found[one.name], one.dtype) for one in data.example])

    def _decoded(self, shard: Blob, training: Training) -> Columns:
        if shard.sha256 not in self._columns:
            while len(self._columns) > 1 and sum(map(_size, self._columns.values())) > MEMORY_BYTES:
                self._columns.popitem(last=False)
            self._columns[shard.sha256] = training.columns(self._kept(shard), shard.examples)
        self._columns.move_to_end(shard.sha256)
        return self._columns[shard.sha256]

    def _validated(self, task: TrainTask, training: Training, weights: Vector) -> float | None:
        """The accuracy of what was trained, where the rule goes by that."""
        if task.validation is None:
            return None
        shard = self._decoded(task.validation, training)
        sums = training.evaluated(weights, [shard], task.training.batch_size, lambda _: True)
        return None if sums is None else sums.right / sums.examples

    def _evaluate(self, task: EvaluateTask, token: str) -> None:
        deadline = self._time.now() + task.expires_in
        self._emit("task", {"kind": "evaluate", "version": task.version, "generation": task.generation})
        training = self._of(task.model)
        weights = decode_vector(training.spec.weights, self._api.download(task.checkpoint))
        shards = [self._decoded(shard, training) for shard in task.shards]
        began = self._time.now()

        def more(_examples: int) -> bool:
            nonlocal began
            self._throttle.after(self._time.now() - began)
            began = self._time.now()
            return began < deadline

        sums = training.evaluated(weights, shards, task.batch_size, more)
        if sums is None:  # the server may well ask for the same again, and must not get nothing in a hurry
            return self._wait(AFTER_NOTHING, "this machine could not evaluate in time")
        found = {
            "loss": sums.loss / sums.examples, "accuracy": sums.right / sums.examples, "examples": sums.examples
        }  # fmt: skip
        self._api.report(token, {"evaluation_id": task.evaluation_id, "version": task.version, **found})
        return self._emit("evaluated", {"version": task.version, **found})

    def _of(self, model: Blob) -> Training:
        if self._training is None or self._training[0] != model.sha256:
            try:
                found = specs.parse(self._kept(model))
            except Invalid as error:
                raise Unfit(f"this client cannot read the run's model: {error.message}") from error
            self._training = model.sha256, Training(found, self._make)
            self._columns.clear()
        return self._training[1]

    def _kept(self, blob: Blob) -> bytes:
        """A blob that lasts: what was downloaded once is not downloaded again."""
        if blob.sha256 not in self._blobs:
            while self._blobs and sum(map(len, self._blobs.values())) > MEMORY_BYTES:
                self._blobs.popitem(last=False)
            self._blobs[blob.sha256] = self._api.download(blob)
        self._blobs.move_to_end(blob.sha256)
        return self._blobs[blob.sha256]


def _size(columns: Columns) -> int:
    return sum(one.nbytes for part in columns for one in part)


def _announced(
    task: TrainTask, spec: Spec, delta: Vector, found: _Trained, steps: int, accuracy: float | None
) -> tuple[dict[str, Any], bytes]:
    """The announcement of an update, and its body. What a peer sends stands on the genesis."""
    sent = encoded(spec.weights, delta, task.training.encoding)
    metrics = {"loss": found.loss} | ({} if accuracy is None else {"accuracy": accuracy})
    announcement: dict[str, Any] = {
        "base_version": 0 if task.peer else task.version,
        "generation": task.generation,
        "local_steps": steps,
        "examples": found.steps * task.training.batch_size,
        "bytes": len(sent.body),
        "sha256": sha256(sent.body),
        "encoding": task.training.encoding,
        "metrics": metrics,
    }
    if sent.quantization:
        announcement["quantization"] = [{"min": one.min, "scale": one.scale} for one in sent.quantization]
    return msgspec.to_builtins(announcement), sent.body
