"""Buffered aggregation (Nguyen et al., "Federated Learning with Buffered Asynchronous Aggregation", AISTATS 2022).

The paper's algorithm 1: the buffer is a sum, so it costs one model's size however many updates it waits for.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from webnn.core.bases import Adding
from webnn.core.merge import Accumulator, Contribution, Folded, Step, add_scaled
from webnn.core.rules.delta import ServerRate
from webnn.core.staleness import AnyDiscount, Polynomial
from webnn.core.state import Shape

Buffer = Annotated[int, Meta(ge=1, le=10_000)]


class FedBuff(Adding, frozen=True, tag_field="name", tag="fedbuff", forbid_unknown_fields=True):
    """S <- S + s(tau / K) * delta; with every K-th update W <- W + eta / K * S, and S <- 0.

    The buffer counts updates, and so does a version. The paper counts staleness in steps of the server, which are K
    updates each: s sees tau / K, rounded down.

    Attributes:
        size: K, how many updates make a step.
        server_rate: eta, greater than 0.
        discounting: s, by name and parameters.
    """

    use: ClassVar[str] = (
        "many clients: about as many updates to a step as clients train at once; steady with optimizers"
    )

    size: Buffer = 10
    server_rate: ServerRate = 1.0
    discounting: AnyDiscount = Polynomial()

    @property
    def combines(self) -> bool:
        """It gathers updates itself."""
        return False

    @property
    def remembers(self) -> Shape:
        """How many updates are in the buffer; S."""
        return Shape(scalars=1, vectors=1)

    def discount(self, staleness: int) -> float:
        """s(tau / K)."""
        return self.discounting(staleness // self.size)

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        count, (buffer,) = into.state.scalars, into.state.vectors
        add_scaled(buffer, update.delta, how.discount)
        count[0] += 1
        if count[0] == self.size:
            step(into.weights, buffer, self.server_rate / self.size)
            count[0] = 0
            buffer.fill(0.0)
