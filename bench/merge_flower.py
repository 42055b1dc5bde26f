"""What Flower needs for the same updates; run by merge.py, each candidate in a process of its own.

    python bench/merge_flower.py CANDIDATE PARAMETERS UPDATES

Prints seconds of the first call and the median seconds of later calls. They differ much: Flower makes a new array
for every update, and what those cost depends on whether the process has such memory at hand already.

    webnn         our `merge`, rule `delta` with its default discount, from the bytes of the updates
    undiscounted  the same without discount: the sum of the deltas, which is Flower's mean times their number
    aggregate     `flwr.server.strategy.aggregate.aggregate`, on arrays that are views of the same bytes
    fedavg        `flwr.server.strategy.FedAvg.aggregate_fit` as it comes, from Flower's own bytes of the same arrays
"""

import contextlib
import json
import logging
import os
import statistics
import sys
from collections.abc import Callable

import numpy as np
from measure import clocked
from merge_load import EXAMPLES, Load, merged

from webnn.core.rules import Delta
from webnn.core.staleness import Constant
from webnn.core.wire import Vector, decode_vector

LATER_CALLS = 5

Work = Callable[[], Vector]

os.environ["FLWR_TELEMETRY_ENABLED"] = "0"


def webnn(load: Load) -> Work:
    """Ours, as it comes."""
    return _ours(load, Delta())


def undiscounted(load: Load) -> Work:
    """Ours, doing Flower's work."""
    return _ours(load, Delta(discounting=Constant()))


def _ours(load: Load, rule: Delta) -> Work:
    return lambda: merged(load, rule, decode_vector(load.specs, load.head)).weights


def aggregate(load: Load) -> Work:
    """Flower's averaging of arrays."""
    from flwr.server.strategy.aggregate import aggregate as flower  # noqa: PLC0415  # only where it is measured

    clients = [(layers(load, body), EXAMPLES) for body in load.bodies]
    return lambda: _joined(flower(clients))


def fedavg(load: Load) -> Work:
    """Flower's default strategy, which averages in place."""
    from flwr.common import Code, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays  # noqa: PLC0415
    from flwr.server.strategy import FedAvg  # noqa: PLC0415

    logging.getLogger("flwr").setLevel(logging.ERROR)
    status = Status(Code.OK, "")
    results = [(None, FitRes(status, ndarrays_to_parameters(layers(load, body)), EXAMPLES, {})) for body in load.bodies]
    strategy = FedAvg()
    return lambda: _joined(parameters_to_ndarrays(strategy.aggregate_fit(1, results, [])[0]))


def layers(load: Load, body: bytes) -> list[Vector]:
    """An update as Flower takes it: an array for each tensor."""
    vector = decode_vector(load.specs, body)
    ends = np.cumsum([spec.size for spec in load.specs])[:-1]
    return [part.reshape(spec.shape) for part, spec in zip(np.split(vector, ends), load.specs, strict=True)]


def _joined(arrays: list[Vector]) -> Vector:
    return np.concatenate([array.ravel() for array in arrays])


CANDIDATES: dict[str, Callable[[Load], Work]] = {
    "webnn": webnn,
    "undiscounted": undiscounted,
    "aggregate": aggregate,
    "fedavg": fedavg,
}


def check(load: Load, name: str, found: Vector) -> None:
    """All candidates but the discounted one must come to the same mean."""
    if name == "webnn":
        return
    mean = (found - decode_vector(load.specs, load.head)) / len(load.bodies) if name == "undiscounted" else found
    total = np.zeros(load.parameters)
    for body in load.bodies:
        total += decode_vector(load.specs, body)
    np.testing.assert_allclose(mean, total / len(load.bodies), atol=1e-5)


def main() -> None:
    """Prints [first, later]."""
    name, parameters, updates = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    load = Load.of(parameters, updates)
    with contextlib.redirect_stdout(sys.stderr):  # Flower logs to where the answer must stand alone
        work = CANDIDATES[name](load)
        first = clocked(work)()
        later = statistics.median(clocked(work)() for _ in range(LATER_CALLS))
        check(load, name, work())
    print(json.dumps([first, later]))


if __name__ == "__main__":
    main()
