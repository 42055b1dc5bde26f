"""Which examples a client trains on: the shuffle that `docs/openapi.yaml` defines and `web/src/shuffle.ts` is."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STEP = 0x6D2B79F5


def mulberry32(seed: int, count: int) -> NDArray[np.float64]:
    """The first so many numbers in [0, 1) from this seed."""
    with np.errstate(over="ignore"):
        a = (np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(STEP)).astype(np.uint32)
        t = (a ^ a >> np.uint32(15)) * (a | np.uint32(1))
        t ^= t + (t ^ t >> np.uint32(7)) * (t | np.uint32(61))
    found: NDArray[np.float64] = (t ^ t >> np.uint32(14)) / 2.0**32
    return found


@lru_cache(maxsize=256)
def permutation(seed: int, n: int) -> NDArray[np.int64]:
    """The numbers 0 … n-1, shuffled by Fisher and Yates from the seed. Not to be written to."""
    order = list(range(n))
    for i, chance in zip(range(n - 1, 0, -1), mulberry32(seed, n - 1), strict=True):
        j = int(chance * (i + 1))
        order[i], order[j] = order[j], order[i]
    found = np.array(order)
    found.flags.writeable = False
    return found
