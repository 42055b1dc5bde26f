"""The digits that scikit-learn ships: 1,437 to train on, 360 to validate on."""

import numpy as np
from sklearn.datasets import load_digits

VALIDATION = 360


def train():
    """Images [1437, 8, 8] of 0 to 16 and labels [1437], as uint8: stored as the bytes they are."""
    images, labels = _shuffled()
    return images[VALIDATION:], labels[VALIDATION:]


def validation():
    """Images and labels that are not trained on: what every accuracy is measured on."""
    images, labels = _shuffled()
    return images[:VALIDATION], labels[:VALIDATION]


def _shuffled():
    found = load_digits()
    order = np.random.default_rng(20180504).permutation(len(found.images))
    return found.images[order].astype(np.uint8), found.target[order].astype(np.uint8)
