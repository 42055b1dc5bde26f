"""What Flower makes of some updates. Runs in an environment of its own, which `make test` sets up: see the Makefile.

    python flower.py GIVEN.npz FOUND.npz

Given are `base` [parameters], `deltas` [rounds, clients, parameters] and `examples` [clients]. In every round
all clients start from what the round before made. Flower is left to compute in float64. Found is, under the name of
each strategy, what the last round made.
"""

import logging
import sys
from typing import Any

import numpy as np
from flwr.common import Code, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays
from flwr.server.strategy import (
    FedAdagrad,
    FedAdam,
    FedAvg,
    FedAvgM,
    FedMedian,
    FedTrimmedAvg,
    FedYogi,
    Krum,
    Strategy,
)  # fmt: skip
from numpy.typing import NDArray

Vector = NDArray[np.float64]
ADAPTIVE: dict[str, Any] = {"eta": 0.1, "eta_l": 0.1, "tau": 1e-3}
MOMENTS = {"beta_1": 0.9, "beta_2": 0.99}


def strategies(base: Vector) -> dict[str, Strategy]:
    """With the parameters that the test repeats."""
    start = ndarrays_to_parameters([base])
    return {
        "fedavg": FedAvg(),
        "momentum": FedAvgM(server_learning_rate=0.5, server_momentum=0.9, initial_parameters=start),
        "adam": FedAdam(initial_parameters=start, **ADAPTIVE, **MOMENTS),
        "yogi": FedYogi(initial_parameters=start, **ADAPTIVE, **MOMENTS),
        "adagrad": FedAdagrad(initial_parameters=start, **ADAPTIVE),
        "median": FedMedian(),
        "trimmed_mean": FedTrimmedAvg(beta=0.2),
        "krum": Krum(num_malicious_clients=2, num_clients_to_keep=0),
        "multi_krum": Krum(num_malicious_clients=2, num_clients_to_keep=3),
    }


def lived(name: str, strategy: Strategy, base: Vector, deltas: Vector, examples: Vector) -> Vector:
    """The weights after all rounds.

    FedAdam's correction raises its betas to the round's number plus 1, so its first round has to be number 0 to be
    Kingma and Ba's. Krum's mean is weighted by examples, ours is the paper's: it is given equal ones.
    """
    weights, first = base, 0 if name == "adam" else 1
    for number, of_round in enumerate(deltas, first):
        results: list[Any] = [
            (None, answer(weights + delta, 1 if "krum" in name else int(n)))
            for delta, n in zip(of_round, examples, strict=True)
        ]
        parameters, _ = strategy.aggregate_fit(number, results, [])
        assert parameters is not None
        weights = parameters_to_ndarrays(parameters)[0]
    return weights


def answer(weights: Vector, examples: int) -> FitRes:
    """What a client of Flower's sends."""
    return FitRes(Status(Code.OK, ""), ndarrays_to_parameters([weights]), examples, {})


def main(given: str, found: str) -> None:
    """From file to file."""
    logging.getLogger("flwr").setLevel(logging.ERROR)
    with np.load(given) as arrays:
        base, deltas, examples = (arrays[name].astype(np.float64) for name in ("base", "deltas", "examples"))
    made = {name: lived(name, each, base, deltas, examples) for name, each in strategies(base).items()}
    np.savez(found, **made)


if __name__ == "__main__":
    main(*sys.argv[1:])
