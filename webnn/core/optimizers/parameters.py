"""The ranges of the optimizers' parameters."""

from typing import Annotated

from msgspec import Meta

Rate = Annotated[float, Meta(gt=0.0, le=1000.0)]
Decay = Annotated[float, Meta(ge=0.0, lt=1.0)]
Epsilon = Annotated[float, Meta(ge=1e-30, le=1.0)]
