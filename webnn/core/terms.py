"""Terms of a spec: how clients train, when the head is evaluated, when a run ends, and what protects it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from webnn.core.records import Encoding

Positive = Annotated[int, Meta(ge=1, le=10**12)]

EVERY_VERSIONS = 20  # between evaluations
LEAST_RATE = 1e-9  # that a learning rate falls to: what is 0 is no learning rate
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.002, "muon": 0.03}  # measured: docs/experiments.md


class Decay(Struct, frozen=True, forbid_unknown_fields=True):
    """How the learning rate falls, stair by stair.

    Attributes:
        factor: What it is multiplied by.
        every_versions: Versions from one stair to the next.
    """

    factor: Annotated[float, Meta(gt=0.0, le=1.0)]
    every_versions: Positive


class Training(Struct, frozen=True, forbid_unknown_fields=True):
    """How clients train.

    Attributes:
        optimizer: Empty only before it is parsed: then it is muon for rule auto, sgd for others.
        learning_rate: None: a good one for the optimizer.
        decay: None: the learning rate stays as it is.
    """

    optimizer: Literal["", "sgd", "momentum", "adam", "muon"] = ""
    learning_rate: Annotated[float, Meta(gt=0.0, le=1000.0)] | None = None
    loss: Literal[
        "sparseCategoricalCrossentropy", "categoricalCrossentropy", "binaryCrossentropy", "meanSquaredError"
    ] = "sparseCategoricalCrossentropy"
    local_steps: Annotated[int, Meta(ge=1, le=100_000)] = 4
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] = 64
    encoding: Encoding = "float32"
    decay: Decay | None = None

    @property
    def rate(self) -> float:
        """The learning rate, or a good one for the optimizer if none is given; before any decay."""
        return RATES[self.optimizer] if self.learning_rate is None else self.learning_rate

    def rate_at(self, version: int) -> float:
        """The learning rate for a client that trains from this version of the head; never below `LEAST_RATE`."""
        if self.decay is None:
            return self.rate
        fallen = self.rate * self.decay.factor ** (version // self.decay.every_versions)
        return max(fallen, min(self.rate, LEAST_RATE))


class Validation(Struct, frozen=True, forbid_unknown_fields=True):
    """How often the head is evaluated, on the whole validation set.

    Attributes:
        every_versions: Versions between evaluations. None: it goes by seconds, or where these are not given either, by
            `EVERY_VERSIONS`.
        every_seconds: Seconds between evaluations of heads that moved. With both, whichever comes first.
        batch_size: A good batch for inference.
        patience_seconds: How long one client has for it before another is asked.
    """

    every_versions: Positive | None = None
    every_seconds: Positive | None = None
    batch_size: Annotated[int, Meta(ge=1, le=100_000)] = 256
    patience_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 120

    def due(self, versions: int, seconds: float) -> bool:
        """Whether it is time, so many versions and seconds after the last evaluation was asked for."""
        every = EVERY_VERSIONS if self.every_versions is None and self.every_seconds is None else self.every_versions
        by_versions = every is not None and versions >= every
        return by_versions or (self.every_seconds is not None and versions > 0 and seconds >= self.every_seconds)


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """When the run finishes by itself, by whichever comes first; None means never.

    Attributes:
        seconds: Since its first update was merged, pauses included.
    """

    accuracy: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    versions: Positive | None = None
    seconds: Positive | None = None


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What protects the run.

    Attributes:
        delta_norm: An update whose delta has a larger Euclidean norm is rejected.
        pending: With more pending updates than this, clients are asked to wait.
        upload_seconds: How long an upload ticket is good.
        keep_days: How long bodies of merged updates and checkpoints that were followed by others are kept; None, the
            default, means for ever. Without them a replay can only begin behind them, and nothing can be unmerged.
        budget: When the run has cost more dollars than this, by an estimate (`webnn.spending`), it is paused.
    """

    delta_norm: Annotated[float, Meta(gt=0.0, le=1e12)] = 1e6
    pending: Annotated[int, Meta(ge=1, le=10_000)] = 1000
    upload_seconds: Annotated[int, Meta(ge=1, le=43_200)] = 900
    keep_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    budget: Annotated[float, Meta(gt=0.0, le=1e9)] | None = None
