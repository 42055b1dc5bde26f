"""What a merge remembers from one update to the next, beside the weights: momenta, buffers, counts.

It belongs to a checkpoint as the weights do: a blob of its own beside it, so that clients, who have no use for it, need
not load it.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from webnn.core.wire import STORED, Body, Vector
from webnn.errors import Invalid

SCALAR = np.dtype("<f8")


class Shape(Struct, frozen=True):
    """How much there is to remember: so many float64 scalars, so many vectors of the model's size."""

    scalars: int = 0
    vectors: int = 0

    def __add__(self, other: "Shape") -> "Shape":
        return Shape(self.scalars + other.scalars, self.vectors + other.vectors)

    def bytes(self, parameters: int) -> int:
        """Bytes of the blob for a model of so many parameters."""
        return self.scalars * SCALAR.itemsize + self.vectors * parameters * STORED["float32"].itemsize


class State(Struct, frozen=True):
    """What is remembered. Rules work in place on its arrays.

    Attributes:
        scalars: float64 [scalars].
        vectors: Each float32 [parameters].
    """

    scalars: NDArray[np.float64]
    vectors: tuple[Vector, ...]

    def copy(self) -> "State":
        """One that shares nothing with this one."""
        return State(self.scalars.copy(), tuple(vector.copy() for vector in self.vectors))

    def split(self, first: Shape) -> tuple["State", "State"]:
        """Two views: of the first so many, and of the rest."""
        return (
            State(self.scalars[: first.scalars], self.vectors[: first.vectors]),
            State(self.scalars[first.scalars :], self.vectors[first.vectors :]),
        )


def zeros(shape: Shape, parameters: int) -> State:
    """What is remembered in the beginning: nothing."""
    vectors = tuple(np.zeros(parameters, np.float32) for _ in range(shape.vectors))
    return State(np.zeros(shape.scalars, SCALAR), vectors)


def encode_state(state: State) -> bytes:
    """The scalars, then the vectors, one after another, little-endian."""
    vectors = (np.ascontiguousarray(vector, STORED["float32"]).data for vector in state.vectors)  # copied once only
    return b"".join([state.scalars.astype(SCALAR).data, *vectors])


def decode_state(shape: Shape, parameters: int, body: Body) -> State:
    """The state in a blob, viewed, not copied: it cannot be written to. Raises Invalid if the length does not fit."""
    expected = shape.bytes(parameters)
    if len(body) != expected:
        raise Invalid(f"{len(body)} bytes of state where {expected} were due", bytes=len(body), expected=expected)
    scalars = np.frombuffer(body, SCALAR, shape.scalars)
    rest = np.frombuffer(body, STORED["float32"], offset=scalars.nbytes)
    return State(scalars, tuple(rest.reshape(shape.vectors, parameters)))
