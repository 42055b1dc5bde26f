"""A spec parses or says which member is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from samples import SHARD, a_spec

from webnn.core.optimizers import Adam
from webnn.core.robust import Median, NormClip
from webnn.core.rules import Auto, Average, Delta, FedBuff, Weighted
from webnn.core.spec import MAX_PARAMETERS, MAX_TENSORS, encode, parse
from webnn.core.staleness import Hinge
from webnn.errors import Invalid

EXAMPLES = Path(__file__).parents[2] / "examples"


def parsed(**members: Any) -> Any:
    return parse(json.dumps(a_spec(**members)).encode())


def weights(*tensors: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"weights": list(tensors)}]


def a_weight(**members: Any) -> dict[str, Any]:
    return {"name": "w", "shape": [1], "dtype": "float32"} | members


def data(**members: Any) -> dict[str, Any]:
    found: dict[str, Any] = a_spec()["data"] | members
    return found


def classes(number: int, **members: Any) -> dict[str, Any]:
    """Data of one-hot targets; one example in each shard."""
    targets = [{"name": "y", "shape": [number], "dtype": "float32"}]
    shard = SHARD | {"bytes": 8 + 4 * number, "examples": 1}
    return data(targets=targets, train=[shard], validation=[shard], **members)


def test_what_is_left_out_has_a_default() -> None:
    spec = parsed(merge={}, training={})
    assert (spec.merge.rule, spec.merge.robust, spec.merge.optimizer) == (Auto(), (), None)
    assert (spec.training.optimizer, spec.training.rate) == ("muon", 0.03)
    assert (spec.training.local_steps, spec.training.batch_size, spec.training.encoding) == (4, 64, "float32")
    assert (spec.end.accuracy, spec.end.versions, spec.end.seconds) == (None, None, None)
    assert spec.limits.upload_seconds == 900
    assert (spec.data.own, spec.data.labels) == ("never", None)


def test_a_run_of_data_of_ones_own_alone_has_no_training_data() -> None:
    found = data(own="must")
    del found["train"]
    spec = parsed(data=found)
    assert (spec.data.train, spec.data.train_examples, spec.data.validation_examples) == ((), 0, 8)
    assert parsed(data=data(own="must", train=[])).data == spec.data


@pytest.mark.parametrize(
    ("found", "loss"),
    [
        (data(labels=["no", "yes"]), "binaryCrossentropy"),
        (classes(3, labels=["a", "b", "c"]), "categoricalCrossentropy"),
        (data(labels=["of", "indices", "only", "the", "model", "knows"]), "sparseCategoricalCrossentropy"),
    ],
)
def test_labels_name_as_many_classes_as_the_targets_have(found: dict[str, Any], loss: str) -> None:
    assert parsed(data=found, training={"loss": loss}).data.labels == tuple(found["labels"])


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"name": "average"}, Average()),
        ({"name": "weighted"}, Weighted()),
        ({"name": "delta", "discounting": {"name": "hinge", "grace": 2}}, Delta(discounting=Hinge(10.0, 2))),
        ({"name": "fedbuff", "size": 3}, FedBuff(3)),
    ],
)
def test_the_rule_is_chosen_by_name(document: dict[str, Any], rule: object) -> None:
    assert parsed(merge={"rule": document}).merge.rule == rule


def test_a_recipe_is_put_together_from_its_parts() -> None:
    robust = [{"name": "norm_clip", "norm": 2.0}, {"name": "median", "size": 5}]
    merge = parsed(
        merge={"rule": {"name": "delta"}, "robust": robust, "optimizer": {"name": "adam", "rate": 0.5}}
    ).merge
    assert (merge.rule, merge.robust, merge.optimizer) == (Delta(), (NormClip(2.0), Median(5)), Adam(0.5))
    assert (merge.remembers.scalars, merge.remembers.vectors) == (1 + 5, 2 + 5)


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.1), ("momentum", 0.02), ("adam", 0.002), ("muon", 0.03)])
def test_an_optimizer_has_a_learning_rate_of_its_own(optimizer: str, rate: float) -> None:
    training = parsed(training={"optimizer": optimizer}).training
    assert (training.optimizer, training.rate) == (optimizer, rate)


@pytest.mark.parametrize(
    ("version", "rate"), [(0, 0.4), (99, 0.4), (100, 0.2), (250, 0.1), (100_000, 1e-9), (10**12, 1e-9)]
)
def test_a_learning_rate_falls_stair_by_stair_and_never_to_nothing(version: int, rate: float) -> None:
    training = parsed(training={"learning_rate": 0.4, "decay": {"factor": 0.5, "every_versions": 100}}).training
    assert training.rate_at(version) == rate
    assert parsed(training={"learning_rate": 0.4}).training.rate_at(version) == 0.4


@pytest.mark.parametrize(
    ("validation", "versions", "seconds", "due"),
    [
        ({}, 19, 1e9, False),
        ({}, 20, 0, True),
        ({"every_versions": 3}, 2, 1e9, False),
        ({"every_versions": 3}, 3, 0, True),
        ({"every_seconds": 30}, 1000, 29.9, False),
        ({"every_seconds": 30}, 1, 30, True),
        ({"every_seconds": 30}, 0, 30, False),
        ({"every_versions": 3, "every_seconds": 30}, 3, 0, True),
        ({"every_versions": 3, "every_seconds": 30}, 1, 30, True),
        ({"every_versions": 3, "every_seconds": 30}, 2, 29, False),
    ],
)
def test_an_evaluation_is_due_by_versions_or_seconds(
    validation: dict[str, int], versions: int, seconds: float, due: bool
) -> None:
    assert parsed(validation=validation).validation.due(versions, seconds) is due


def test_clients_of_other_rules_take_plain_steps_unless_told() -> None:
    assert parsed(merge={"rule": {"name": "average"}}).training.optimizer == "sgd"


def test_sizes_follow_from_the_tensors() -> None:
    spec = parsed()
    assert [spec.update_bytes(e) for e in ("float32", "float16", "uint16", "uint8")] == [12, 6, 6, 3]
    assert (spec.data.train_examples, spec.data.validation_examples) == (8, 8)
    assert [tensor.name for tensor in spec.data.example] == ["x", "y"]


def test_members_that_only_tensorflow_knows_are_let_through() -> None:
    spec = parsed(format="layers-model", generatedBy="keras")
    assert spec.topology["class_name"] == "Sequential"


def test_equal_documents_are_equal_bytes() -> None:
    document = a_spec()
    assert encode(document) == encode(dict(reversed(document.items())))


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_the_examples_parse_once_they_have_shards(name: str) -> None:
    document = json.loads((EXAMPLES / name / "spec.json").read_text())
    example = sum(_bytes(tensor) for tensor in document["data"]["inputs"] + document["data"]["targets"])
    shard = {"sha256": "a" * 64, "bytes": 10 * example, "examples": 10}
    document["data"] |= {"train": [shard], "validation": [shard]}

    assert parse(json.dumps(document).encode()).data.train_examples == 10


def _bytes(tensor: dict[str, Any]) -> int:
    size = 1
    for dimension in tensor["shape"]:
        size *= dimension
    return size * {"uint8": 1, "uint16": 2, "float16": 2}[tensor["quantization"]["dtype"]]


WRONG = {
    "no topology": ({"modelTopology": None}, "modelTopology"),
    "topology is a list": ({"modelTopology": []}, "modelTopology"),
    "no manifest": ({"weightsManifest": []}, "weightsManifest"),
    "two groups": ({"weightsManifest": weights(a_weight()) * 2}, "weightsManifest"),
    "no weights": ({"weightsManifest": weights()}, "1 to 1000 weight tensors"),
    "a nameless weight": ({"weightsManifest": weights(a_weight(name=""))}, "name"),
    "two of one name": ({"weightsManifest": weights(a_weight(), a_weight())}, "same name"),
    "integer weights": ({"weightsManifest": weights(a_weight(dtype="int32"))}, "'w' is not plain float32"),
    "quantised weights": (
        {"weightsManifest": weights(a_weight(quantization={"dtype": "uint8"}))},
        "'w' is not plain float32",
    ),
    "string weights": ({"weightsManifest": weights(a_weight(dtype="string"))}, "dtype"),
    "a negative dimension": ({"weightsManifest": weights(a_weight(shape=[-1]))}, "shape"),
    "a dimension of half": ({"weightsManifest": weights(a_weight(shape=[1.5]))}, "shape"),
    "nine dimensions": ({"weightsManifest": weights(a_weight(shape=[1] * 9))}, "shape"),
    "no parameters": ({"weightsManifest": weights(a_weight(shape=[0]))}, "parameters"),
    "too many": ({"weightsManifest": weights(a_weight(shape=[MAX_PARAMETERS + 1]))}, "parameters"),
    "far too many": ({"weightsManifest": weights(a_weight(shape=[2**31] * 8))}, "parameters"),
    "too many tensors": (
        {"weightsManifest": weights(*(a_weight(name=f"w{i}") for i in range(MAX_TENSORS + 1)))},
        "weight tensors",
    ),
    "no inputs": ({"data": data(inputs=[])}, "inputs"),
    "no targets": ({"data": data(targets=[])}, "targets"),
    "no training data": ({"data": data(train=[])}, "train"),
    "no validation data": ({"data": data(validation=[])}, "validation"),
    "inputs of one name": (
        {"data": data(inputs=[{"name": "x", "shape": [1], "dtype": "float32"}] * 2)},
        "same name",
    ),
    "an input named as a target": (
        {"data": data(targets=[{"name": "x", "shape": [], "dtype": "float32"}])},
        "same name",
    ),
    "a shard of another size": ({"data": data(train=[SHARD | {"examples": 9}])}, "9 examples take 108"),
    "a validation shard of another size": ({"data": data(validation=[SHARD | {"bytes": 95}])}, "has 95 bytes"),
    "an empty shard": ({"data": data(train=[SHARD | {"examples": 0, "bytes": 0}])}, "train"),
    "a hash in capitals": ({"data": data(train=[SHARD | {"sha256": "A" * 64}])}, "sha256"),
    "a hash and a line": ({"data": data(train=[SHARD | {"sha256": "a" * 64 + "\n"}])}, "sha256"),
    "a short hash": ({"data": data(train=[SHARD | {"sha256": "a" * 63}])}, "sha256"),
    "an unknown member of data": ({"data": data(test=[])}, "data"),
    "no data": ({"data": None}, "data"),
    "own data now and then": ({"data": data(own="sometimes")}, "own"),
    "own data alone, and shards": ({"data": data(own="must")}, "nobody would be given any of `data.train`"),
    "own data that peers would see": (
        {"data": data(own="may"), "merge": {"where": "peer", "rule": {"name": "average"}}},
        "let the server merge",
    ),
    "one label": ({"data": data(labels=["a"])}, "labels"),
    "a label twice": ({"data": data(labels=["a", "a"])}, "two of `data.labels`"),
    "a label without a name": ({"data": data(labels=["a", ""])}, "labels"),
    "labels of another number": (
        {"data": classes(3, labels=["a", "b"]), "training": {"loss": "categoricalCrossentropy"}},
        "names 2 classes, the targets have 3",
    ),
    "labels of a number that is no yes or no": (
        {"data": data(labels=["a", "b", "c"]), "training": {"loss": "binaryCrossentropy"}},
        "names 3 classes, the targets have 2",
    ),
    "an unknown rule": ({"merge": {"rule": {"name": "median"}}}, "rule"),
    "an unknown optimizer of the server": ({"merge": {"optimizer": {"name": "sgd"}}}, "optimizer"),
    "an optimizer for a rule that does not add": (
        {"merge": {"rule": {"name": "average"}, "optimizer": {"name": "adam"}}},
        "average does not",
    ),
    "two ways to combine": (
        {"merge": {"rule": {"name": "delta"}, "robust": [{"name": "median"}, {"name": "median"}]}},
        "only the last",
    ),
    "clipping what was combined": (
        {"merge": {"rule": {"name": "delta"}, "robust": [{"name": "median"}, {"name": "norm_clip"}]}},
        "only the last",
    ),
    "combining what a rule gathers": (
        {"merge": {"rule": {"name": "fedbuff"}, "robust": [{"name": "median"}]}},
        "fedbuff gathers",
    ),
    "combining models that are compared": (
        {"merge": {"rule": {"name": "copy"}, "robust": [{"name": "median"}]}},
        "copy gathers or compares",
    ),
    "half of the updates trimmed": (
        {"merge": {"rule": {"name": "delta"}, "robust": [{"name": "trimmed_mean", "share": 0.5}]}},
        "share",
    ),
    "too many liars for Krum": (
        {"merge": {"rule": {"name": "delta"}, "robust": [{"name": "multi_krum", "size": 6, "malicious": 2}]}},
        "multi_krum",
    ),
    "a median of a model too large": (
        {
            "weightsManifest": [{"weights": [a_weight(shape=[6_000_001])]}],
            "merge": {"rule": {"name": "delta"}, "robust": [{"name": "median"}]},
        },
        "6,000,000 parameters, no more",
    ),
    "a rule without a name": ({"merge": {"rule": {}}}, "rule"),
    "a server rate of 0": ({"merge": {"rule": {"name": "delta", "server_rate": 0}}}, "server_rate"),
    "an unknown parameter": ({"merge": {"rule": {"name": "average", "server_rate": 1}}}, "rule"),
    "an unknown optimizer": ({"training": {"optimizer": "adamw"}}, "optimizer"),
    "a learning rate of 0": ({"training": {"learning_rate": 0}}, "learning_rate"),
    "an unknown loss": ({"training": {"loss": "hinge"}}, "loss"),
    "no local steps": ({"training": {"local_steps": 0}}, "local_steps"),
    "an empty batch": ({"training": {"batch_size": 0}}, "batch_size"),
    "an unknown encoding": ({"training": {"encoding": "bfloat16"}}, "encoding"),
    "a misspelt member": ({"training": {"learningRate": 1}}, "learningRate"),
    "validation never": ({"validation": {"every_versions": 0}}, "every_versions"),
    "validation all the time": ({"validation": {"every_seconds": 0}}, "every_seconds"),
    "a decay that grows": ({"training": {"decay": {"factor": 1.5, "every_versions": 1}}}, "factor"),
    "a decay without stairs": ({"training": {"decay": {"factor": 0.5}}}, "every_versions"),
    "no time at all": ({"end": {"seconds": 0}}, "seconds"),
    "no patience": ({"validation": {"patience_seconds": 0}}, "patience_seconds"),
    "more than all right": ({"end": {"accuracy": 1.01}}, "accuracy"),
    "an end before the start": ({"end": {"versions": 0}}, "versions"),
    "a norm of 0": ({"limits": {"delta_norm": 0}}, "delta_norm"),
    "no room to wait": ({"limits": {"pending": 0}}, "pending"),
    "tickets for a day": ({"limits": {"upload_seconds": 86_400}}, "upload_seconds"),
}


@pytest.mark.parametrize(("members", "named"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(members: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid, match=named):
        parsed(**members)


@pytest.mark.parametrize("missing", ["modelTopology", "weightsManifest", "data"])
def test_what_is_missing_is_named(missing: str) -> None:
    document = a_spec()
    del document[missing]
    with pytest.raises(Invalid, match=missing):
        parse(json.dumps(document).encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'"spec"',
        b"\xff\xfe{}",
        b'{"modelTopology": NaN}',
        b'{"modelTopology":' + b"[" * 100_000,
    ],
    ids=["empty", "list", "null", "cut", "string", "not UTF-8", "NaN", "deep"],
)
def test_what_is_no_json_object_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid, match="the spec is wrong"):
        parse(body)


def test_a_topology_nested_deeper_than_any_model_is_invalid() -> None:
    body = json.dumps(a_spec()).encode().replace(b'"layers": []', b'"layers": ' + b"[" * 50_000 + b"]" * 50_000)
    with pytest.raises(Invalid):
        parse(body)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_lacks_is_refused_instead_of_becoming_the_default(number: float) -> None:
    with pytest.raises(Invalid, match="NaN or infinite"):
        encode({"training": {"local_steps": 4, "rates": [{"learning_rate": number}]}})
