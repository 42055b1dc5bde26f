"""The merge rules by name. A run's spec chooses one; its parameters are checked when the spec is parsed."""

from webnn.core.rules.average import Average
from webnn.core.rules.delta import Delta
from webnn.core.rules.weighted import Weighted

__all__ = ["AnyRule", "Average", "Delta", "Weighted"]

AnyRule = Average | Delta | Weighted
