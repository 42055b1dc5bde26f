"""Federated averaging (McMahan et al., "Communication-Efficient Learning of Deep Networks", AISTATS 2017).

Algorithm 1 averages the models of a cohort, each by its examples. Here a cohort is any `size` updates in a row, so
nobody waits for stragglers; where all of them started from the same weights, it is the paper's.
"""

from typing import ClassVar

from webnn.core.bases import Adding
from webnn.core.merge import Accumulator, Contribution, Folded, Step, add_scaled
from webnn.core.rules.delta import ServerRate
from webnn.core.rules.fedbuff import Buffer
from webnn.core.staleness import AnyDiscount, Constant
from webnn.core.state import Shape

COUNT, EXAMPLES = range(2)


class FedAvg(Adding, frozen=True, tag_field="name", tag="fedavg", forbid_unknown_fields=True):
    """S <- S + n * s(tau / K) * delta; with every K-th update W <- W + eta * S / (sum of n), and S <- 0.

    `n` is what clients claim: see docs/limits.md.

    Attributes:
        size: K, how many updates make a cohort.
        server_rate: eta, greater than 0.
        discounting: s, by name and parameters; the sum of n is not discounted.
    """

    use: ClassVar[str] = "clients with different amounts of data, and to compare with other systems"

    size: Buffer = 10
    server_rate: ServerRate = 1.0
    discounting: AnyDiscount = Constant()

    @property
    def combines(self) -> bool:
        """It gathers updates itself."""
        return False

    @property
    def remembers(self) -> Shape:
        """How many updates and how many examples are in the sum; S."""
        return Shape(scalars=2, vectors=1)

    def discount(self, staleness: int) -> float:
        """s(tau / K)."""
        return self.discounting(staleness // self.size)

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        sums, (buffer,) = into.state.scalars, into.state.vectors
        add_scaled(buffer, update.delta, update.examples * how.discount)
        sums += [1, update.examples]
        if sums[COUNT] == self.size:
            step(into.weights, buffer, self.server_rate / float(sums[EXAMPLES]))
            sums[:] = 0.0
            buffer.fill(0.0)
