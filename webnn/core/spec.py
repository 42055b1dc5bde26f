"""The spec of a run: a TF.js `model.json` with `training`, `merge`, `validation`, `end`, `limits` and `data`.

Parsed once, strictly; what parses is consistent: shards have the size their tensors take, weights are float32,
the rule and its parameters exist.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from webnn.core.recipe import Merging, Recipe
from webnn.core.rules import Auto
from webnn.core.tensors import TensorSpec, total_bytes, total_size
from webnn.core.terms import End, Limits, Positive, Training, Validation
from webnn.core.wire import update_bytes
from webnn.errors import Invalid

Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
RunName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
Label = Annotated[str, Meta(min_length=1, max_length=100)]
# Whoever lists a stage's runs, or watches one, is sent these each time.
MOST_TITLE, MOST_DESCRIPTION = 200, 5000
Title = Annotated[str, Meta(max_length=MOST_TITLE)]
Words = Annotated[str, Meta(max_length=MOST_DESCRIPTION)]

MAX_PARAMETERS = 50_000_000  # 200 MB of float32: what one merge function of 1 GB can fold
MAX_ELEMENTS = 66_000_000  # of weights and what is remembered together, if anything is: a merge holds both three times
MAX_TENSORS = 1000
# Beside those that count, what TF.js writes into a model.json, and what people read.
KNOWN = frozenset({
    "title", "description", "modelTopology", "weightsManifest", "data", "training", "merge", "validation", "end",
    "limits", "format", "generatedBy", "convertedBy", "trainingConfig", "userDefinedMetadata", "signature",
    "initializerSignature", "modelInitializer",
})  # fmt: skip
PEER_RULES = ("average", "weighted", "mimic", "copy")  # those that web/src/merge.ts has


class Merge(Recipe, frozen=True, forbid_unknown_fields=True):
    """How updates become weights, and where.

    Attributes:
        where: The server folds updates into the head; or each client (a peer) folds those of others into weights of its
            own besides, and goes on training these.
    """

    where: Literal["server", "peer"] = "server"

    def __post_init__(self) -> None:
        """Raises ValueError, which msgspec makes its own, if the parts do not fit together."""
        super().__post_init__()
        if self.where == "peer" and (self.name not in PEER_RULES or self.robust or self.optimizer):
            raise ValueError(
                f"peers merge by {', '.join(PEER_RULES)} alone, not by {self.name} and whatever is beside it"
            )

    @property
    def recipe(self) -> Recipe:
        """What a ledger entry records."""
        return Recipe(self.rule, self.robust, self.optimizer)


class Shard(Struct, frozen=True, forbid_unknown_fields=True):
    """A slice of the data: an immutable blob named by its hash."""

    sha256: Sha256
    bytes: Positive
    examples: Positive


class Data(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one example looks like, and the shards. Shapes are without the examples axis.

    Attributes:
        train: Empty where clients train on data of their own and nothing else.
        own: Whether clients train on data of their own, which they keep to themselves.
        labels: Names of the classes, in the order of the model's outputs, for people.
    """

    inputs: Annotated[tuple[TensorSpec, ...], Meta(min_length=1, max_length=64)]
    targets: Annotated[tuple[TensorSpec, ...], Meta(min_length=1, max_length=64)]
    train: tuple[Shard, ...] = ()
    validation: Annotated[tuple[Shard, ...], Meta(min_length=1)]
    own: Literal["never", "may", "must"] = "never"
    labels: Annotated[tuple[Label, ...], Meta(min_length=2, max_length=1000)] | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which msgspec makes its own, if the parts do not fit together."""
        if self.own == "must" and self.train:
            raise ValueError("`data.own` is must, so nobody would be given any of `data.train`: leave it out")
        if self.own != "must" and not self.train:
            raise ValueError("`data.train` needs a shard at least, unless `data.own` is must")
        if self.labels and len(set(self.labels)) != len(self.labels):
            raise ValueError("two of `data.labels` are the same")

    @property
    def example(self) -> tuple[TensorSpec, ...]:
        """Inputs, then targets: the order of the tensors in a shard."""
        return self.inputs + self.targets

    @property
    def train_examples(self) -> int:
        """Training examples in all shards."""
        return sum(shard.examples for shard in self.train)

    @property
    def validation_examples(self) -> int:
        """Validation examples in all shards: what every accuracy is measured on."""
        return sum(shard.examples for shard in self.validation)


class WeightsGroup(Struct, frozen=True):
    """One group of a TF.js weights manifest."""

    weights: tuple[TensorSpec, ...]
    paths: tuple[str, ...] = ()


class Spec(
    Struct,
    frozen=True,
    forbid_unknown_fields=False,
    rename={"topology": "modelTopology", "manifest": "weightsManifest"},
):
    """All that owner, clients and merge function must agree on."""

    topology: dict[str, Any]
    manifest: Annotated[tuple[WeightsGroup, ...], Meta(min_length=1, max_length=1)]
    data: Data
    training: Training = Training()
    merge: Merge = Merge()
    validation: Validation = Validation()
    end: End = End()
    limits: Limits = Limits()

    @property
    def weights(self) -> tuple[TensorSpec, ...]:
        """The model's weights, in the order of every checkpoint and update."""
        return self.manifest[0].weights

    @property
    def merging(self) -> Merging:
        """What folds updates into the weights."""
        return Merging(self.merge, self.weights)

    def update_bytes(self, encoding: str) -> int:
        """Exact size of an update's body."""
        return update_bytes(self.weights, encoding)


def parse(body: bytes) -> Spec:
    """The spec in a JSON document.

    Raises:
        Invalid: Naming the member that is wrong and why.
    """
    try:
        spec = msgspec.json.decode(body, type=Spec)
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except Exception as error:  # a rule of another package may raise anything about its parameters
        hint = "; `webnn rules` lists the names" if str(error).startswith("Invalid value") else ""
        raise Invalid(f"the spec is wrong: {error}{hint}") from error
    if unknown := sorted(members.keys() - KNOWN):
        raise Invalid(f"the spec is wrong: it has no member {unknown[0]!r}")
    spec = _with_optimizer(spec)
    _check_names("weights", spec.weights)
    _check_names("tensors of an example", spec.data.example)
    _check_weights(spec)
    _check_shards(spec)
    _check_labels(spec)
    _check_own(spec)
    return spec


def _with_optimizer(spec: Spec) -> Spec:
    if spec.training.optimizer:
        return spec
    optimizer: Literal["muon", "sgd"] = "muon" if isinstance(spec.merge.rule, Auto) else "sgd"
    return replace(spec, training=replace(spec.training, optimizer=optimizer))


def encode(document: Mapping[str, Any]) -> bytes:
    """A spec document as the bytes that are stored and hashed (sorted, so equal documents are equal bytes).

    Raises:
        Invalid: It is nothing that JSON can hold: a number in it is NaN or infinite, which would become null, and that
            the default; or it contains itself, or something that is neither text, number, list nor mapping.
    """
    try:
        found, values = msgspec.json.encode(document, order="sorted"), msgspec.to_builtins(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid(f"the spec is wrong: {error}") from error
    if not _finite(values):
        raise Invalid("the spec is wrong: one of its numbers is NaN or infinite")
    return found


def _finite(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_finite(one) for one in value.values())
    if isinstance(value, list | tuple):
        return all(_finite(one) for one in value)
    return not isinstance(value, float) or isfinite(value)


def _check_names(what: str, tensors: Sequence[TensorSpec]) -> None:
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise Invalid(f"two {what} have the same name")


def _check_weights(spec: Spec) -> None:
    if not 0 < len(spec.weights) <= MAX_TENSORS:
        raise Invalid(f"a model has 1 to {MAX_TENSORS} weight tensors, this one {len(spec.weights)}")
    for tensor in spec.weights:
        if tensor.dtype != "float32" or tensor.quantization is not None:
            raise Invalid(f"weight {tensor.name!r} is not plain float32, so it cannot be merged")
    if not 0 < total_size(spec.weights) <= MAX_PARAMETERS:
        raise Invalid(f"a model has 1 to {MAX_PARAMETERS:,} parameters, this one {total_size(spec.weights):,}")
    vectors = spec.merge.remembers.vectors
    if vectors and total_size(spec.weights) * (1 + vectors) > MAX_ELEMENTS:
        most = MAX_ELEMENTS // (1 + vectors)
        raise Invalid(
            f"merging remembers {vectors} vectors of the model's size: it may have {most:,} parameters, no more"
        )


def _check_shards(spec: Spec) -> None:
    example_bytes = total_bytes(spec.data.example)
    for shard in spec.data.train + spec.data.validation:
        if shard.bytes != shard.examples * example_bytes:
            raise Invalid(
                f"shard {shard.sha256[:12]} has {shard.bytes} bytes; {shard.examples} examples "
                f"take {shard.examples * example_bytes}"
            )


def _check_labels(spec: Spec) -> None:
    """Where the targets say how many classes there are; of class indices only the model knows."""
    labels, loss = spec.data.labels, spec.training.loss
    if labels is None or loss == "sparseCategoricalCrossentropy":
        return
    counts = {_classes(tensor, loss) for tensor in spec.data.targets}
    if len(labels) not in counts:
        have = " or ".join(map(str, sorted(counts)))
        raise Invalid(f"`data.labels` names {len(labels)} classes, the targets have {have}")


def _classes(target: TensorSpec, loss: str) -> int:
    last = target.shape[-1] if target.shape else 1
    return 2 if last == 1 and loss == "binaryCrossentropy" else last


def _check_own(spec: Spec) -> None:
    if spec.data.own != "never" and spec.merge.where == "peer":
        raise Invalid(
            f"`data.own` is {spec.data.own}, and peers give their updates to one another: what one learnt from data of "
            "its own would be seen by any visitor, with nothing else mixed in; let the server merge"
        )
