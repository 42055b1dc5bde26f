"""The data. What is here makes it up, so that there is something to train; put your own in its place.

Each function returns one of

    (x, y)               arrays of all examples: numpy's, also those that are mapped from a file
    a tf.data.Dataset    of examples or batches
    a generator          that yields pairs (x, y): examples or batches; for data that memory cannot hold

With several inputs or targets, x or y is a mapping by the names in webnn.toml, or a tuple in their order.
"""

import numpy as np


def train():
    """Points [3000, 4] around three centres, and which [3000]."""
    return _made_up(3000, seed=1)


def validation():
    """Others that are not trained on: what every accuracy is measured on."""
    return _made_up(600, seed=2)


def _made_up(count, seed):
    random = np.random.default_rng(seed)
    centres = np.array([[1, 0, 0, 1], [0, 1, 0, -1], [0, 0, 1, 0]])
    labels = random.integers(0, 3, count)
    points = centres[labels] + random.normal(0, 0.3, (count, 4))
    return points.astype(np.float32), labels
