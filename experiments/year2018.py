"""2018 again: clients that swap weights through the one slot of a server.

Each holds weights of its own. In every unit of time it takes one step on 64 images, leaves its weights in the slot,
takes what lay there and merges it into its own.

*As it ran*: the original's merge began from the weights that the client had last loaded, so its own step was lost to
itself and lived on only with whoever took it from the slot; and a client read accuracies byte by byte the wrong way
round, so `copy` never copied. It stopped when the mean of five validations, of 64 images each, was 98 %.

*As described*: the merge begins from the trained weights, `copy` compares accuracies, and the end is 98 % of the whole
test set, for the client whose turn it is.
"""

from collections import deque
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case
from live import BATCH, EVERY, TARGET, batches, data, learner
from msgspec.structs import replace

from webnn.core.initial import initial_weights
from webnn.core.merge import Rule
from webnn.core.rules import Average, Copy, Mimic, Weighted
from webnn.simulate.learner import Practice
from webnn.simulate.peer import Candidate, merged

RULES: dict[str, Rule] = {"average": Average(), "weighted": Weighted(), "mimic": Mimic(), "copy": Copy()}
PRACTICE = Practice("sgd", 0.2)
LIMIT = 1500
VALIDATION = 64
PATIENCE = 5  # validations in a row


def lived(case: Case, folder: Path, *, as_it_ran: bool) -> dict[str, Any]:
    """One run."""
    spec, model = learner(folder)
    dataset, chance = data(folder), np.random.default_rng(case.seed)
    start, rule = initial_weights(spec.weights, chance), RULES[case.label]
    peers = [Candidate(start, 0, None)] * case.given["clients"]
    rows, slot, seen = batches(len(dataset.train.inputs), BATCH, chance), None, deque[float](maxlen=PATIENCE)
    for time in count(1):
        for index, loaded in enumerate(peers):
            taken = next(rows)
            batch = dataset.train.inputs[taken][None], dataset.train.targets[taken][None]
            weights = model.train(loaded.weights, model.fresh(), *batch, PRACTICE).weights
            trained = Candidate(weights, loaded.steps + 1, loaded.accuracy)
            own, peers[index] = replace(trained, weights=loaded.weights) if as_it_ran else trained, trained
            if slot is not None and len(peers) > 1 and not (as_it_ran and isinstance(rule, Copy)):
                peers[index] = merged(rule, own, slot)
            slot = trained
        if time % EVERY:
            continue
        chosen = int(chance.integers(len(peers)))
        some = chance.choice(len(dataset.validation.inputs), VALIDATION, replace=False)
        one = replace(peers[chosen], accuracy=model.evaluate(peers[chosen].weights, some).accuracy)
        peers[chosen] = one
        seen.append(one.accuracy or 0.0)
        if as_it_ran:
            over = len(seen) == PATIENCE and np.mean(seen) >= TARGET
        else:
            over = model.evaluate(one.weights).accuracy >= TARGET
        if over or time >= LIMIT:
            return {"time": time if over else None, "accuracy": model.evaluate(one.weights).accuracy}
    raise AssertionError
