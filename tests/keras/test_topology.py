"""What Keras says of a model as TF.js reads it, and what is refused: on literal descriptions, without Keras."""

import copy
from typing import Any

import pytest

from webnn.errors import Invalid
from webnn.keras.topology import to_keras3, to_tfjs

FLOAT = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
START = {
    "module": "keras.layers",
    "class_name": "InputLayer",
    "config": {"batch_shape": [None, 3], "dtype": "float32", "sparse": False, "ragged": False, "name": "start"},
    "registered_name": None,
}


def layer(kind: str, name: str, **options: Any) -> dict[str, Any]:
    config = {"name": name, "trainable": True, "dtype": FLOAT} | options
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}


def sequential(*layers: dict[str, Any]) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"name": "mine", "layers": [START, *layers]}}


def tensor(name: str, node: int = 0) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"shape": [None, 3], "keras_history": [name, node, 0]}}


def called(of: dict[str, Any], *arguments: Any, **options: Any) -> dict[str, Any]:
    calls = [{"args": list(arguments), "kwargs": options}] if arguments else []
    return of | {"name": of["config"]["name"], "inbound_nodes": calls}


def functional(*layers: dict[str, Any], outputs: Any) -> dict[str, Any]:
    config = {"name": "mine", "layers": list(layers), "input_layers": ["start", 0, 0], "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def test_a_sequential_of_keras_3_becomes_one_of_keras_2() -> None:
    dense = layer("Dense", "digit", units=2, activation="silu", use_bias=True, kernel_regularizer=None,
                  quantization_config=None)  # fmt: skip
    assert to_tfjs(sequential(dense)) == {
        "class_name": "Sequential",
        "config": {
            "name": "mine",
            "layers": [
                {
                    "class_name": "InputLayer",
                    "config": {
                        "batch_input_shape": [None, 3],
                        "dtype": "float32",
                        "sparse": False,
                        "name": "start",
                    },
                },
                {
                    "class_name": "Dense",
                    "config": {
                        "name": "digit",
                        "trainable": True,
                        "dtype": "float32",
                        "units": 2,
                        "activation": "swish",
                        "use_bias": True,
                    },
                },
            ],
        },
    }


def test_calls_become_lists_and_nested_models_count_their_own_making() -> None:
    tower = {**sequential(layer("Dense", "inside", units=3)), "module": "keras"}
    tower["config"]["name"] = "tower"
    described = functional(
        called(START),
        called(tower, tensor("start")),
        called(layer("Add", "sum"), [tensor("tower"), tensor("start")]),
        outputs=[["sum", 0, 0]],
    )
    found = to_tfjs(described)["config"]
    assert [one["inbound_nodes"] for one in found["layers"]] == [
        [],
        [[["start", 0, 0, {}]]],
        [[["tower", 1, 0, {}], ["start", 0, 0, {}]]],
    ]
    assert (found["input_layers"], found["output_layers"]) == ([["start", 0, 0]], [["sum", 0, 0]])


def test_what_only_works_out_a_mask_is_left_out() -> None:
    mask = {"module": "keras.src.ops.numpy", "class_name": "NotEqual", "config": {"name": "not_equal"}}
    described = functional(
        called(START),
        called(layer("Embedding", "words", input_dim=5, output_dim=2, mask_zero=True), tensor("start")),
        called(mask, tensor("start"), 0),
        called(layer("LSTM", "memory", units=2), tensor("words"), mask=tensor("not_equal"), training=False),
        outputs=["memory", 0, 0],
    )
    found = to_tfjs(described)["config"]["layers"]
    assert [one["name"] for one in found] == ["start", "words", "memory"]
    assert found[2]["inbound_nodes"] == [[["words", 0, 0, {}]]]


def test_there_and_back_gives_the_same_topology() -> None:
    dense = layer("Dense", "digit", units=2, activation="relu",
                  kernel_regularizer={"class_name": "L2", "config": {"l2": 0.1}},
                  kernel_initializer={"class_name": "HeNormal", "config": {"seed": None}})  # fmt: skip
    described = functional(
        called(START),
        called(dense, tensor("start")),
        called(layer("LeakyReLU", "leaky", negative_slope=0.2), tensor("digit")),
        outputs=["leaky", 0, 0],
    )
    topology = to_tfjs(described)
    modern = to_keras3(copy.deepcopy(topology))
    assert modern["config"]["layers"][2]["config"]["negative_slope"] == 0.2
    assert modern["config"]["layers"][1]["config"]["kernel_regularizer"]["module"] == "keras.regularizers"
    again = to_tfjs(modern)
    for one in (topology, again):
        for known in one["config"]["layers"]:
            known["config"].pop("trainable", None)  # which is only said where it is not so
    assert again == topology


def test_an_old_models_first_layer_says_what_its_input_is() -> None:
    old = {"class_name": "Dense", "config": {"name": "digit", "units": 2, "batch_input_shape": [None, 3]}}
    wrapped = {"model_config": {"class_name": "Sequential", "config": {"name": "mine", "layers": [old]}}}
    first = to_tfjs(wrapped)["config"]["layers"][0]
    assert first["class_name"] == "InputLayer"
    assert first["config"]["batch_input_shape"] == [None, 3]


def test_a_shape_that_keras_wrapped_is_a_list() -> None:
    shape = {"class_name": "__tuple__", "items": [None, 3]}
    start = START | {"config": START["config"] | {"batch_shape": shape}}
    described = {"class_name": "Sequential", "config": {"layers": [start, layer("Dense", "digit", units=2)]}}
    assert to_tfjs(described)["config"]["layers"][0]["config"]["batch_input_shape"] == [None, 3]


def test_an_initializer_that_takes_minutes_in_a_page_is_another() -> None:
    slow = layer("LSTM", "memory", units=2, recurrent_initializer={"class_name": "Orthogonal", "config": {}})
    config = to_tfjs(sequential(slow))["config"]["layers"][1]["config"]
    assert config["recurrent_initializer"]["class_name"] == "GlorotUniform"


REFUSED = {
    "code": (layer("Lambda", "mine"), "'mine' is a Lambda: it holds Python code"),
    "unknown": (layer("Attention", "look"), "'look' is a Attention: it is none that pages are known to train"),
    "own": (layer("Dense", "mine", units=2) | {"registered_name": "shop>Dense"}, "'mine' is a Dense of your own"),
    "dilated": (layer("Conv2D", "wide", dilation_rate=[2, 2]), "'wide' is a Conv2D with dilation_rate=[2, 2]: TF.js"),
    "grouped": (layer("Conv2D", "parts", groups=2), "'parts' is a Conv2D with groups=2"),
    "channels": (layer("Conv2D", "c", data_format="channels_first"), "data_format='channels_first'"),
    "causal": (layer("Conv1D", "past", padding="causal"), "'past' is a Conv1D with padding='causal'"),
    "newer GRU": (layer("GRU", "memory", reset_after=True), "build it with reset_after=False"),
    "stateful": (layer("LSTM", "memory", stateful=True), "'memory' is a LSTM with stateful=True"),
    "frozen": (layer("BatchNormalization", "norm", trainable=False), "'norm' is a BatchNormalization with trainable"),
    "half": (layer("Dense", "d", units=2, dtype={"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}),
             "'d' computes in mixed_float16"),
    "activation": (layer("Dense", "d", units=2, activation="hard_sigmoid"), "'d' has the activation 'hard_sigmoid'"),
    "own activation": (layer("Dense", "d", units=2, activation={"class_name": "function", "config": "mine"}),
                       "'d' has the activation 'function'"),
    "regularizer": (layer("Dense", "d", units=2, kernel_regularizer={"class_name": "Mine", "config": {}}),
                    "'d' has kernel_regularizer 'Mine'"),
    "constraint": (layer("Dense", "d", units=2, kernel_constraint={"class_name": "MaxNorm", "config": {}}),
                   "'d' is a Dense with kernel_constraint"),
    "activity": (layer("Dense", "d", units=2, activity_regularizer={"class_name": "L2", "config": {}}),
                 "'d' is a Dense with activity_regularizer"),
    "an option of tomorrow": (layer("Dense", "d", units=2, brand_new=7), "'d' is a Dense with brand_new=7"),
    "inside": (layer("TimeDistributed", "each", layer=layer("Lambda", "deep")), "'deep' is a Lambda"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_page_can_train_is_refused_with_the_layers_name(what: str) -> None:
    odd, said = REFUSED[what]
    with pytest.raises(Invalid, match="layer '") as refusal:
        to_tfjs(sequential(odd))
    assert said in refusal.value.message


def test_two_layers_of_one_name_are_refused() -> None:
    with pytest.raises(Invalid, match="two layers are called 'd'"):
        to_tfjs(sequential(layer("Dense", "d", units=2), layer("Dense", "d", units=2)))


def test_a_bare_function_is_refused_with_what_to_use_instead() -> None:
    plus = {"module": "keras.src.ops.numpy", "class_name": "Add", "config": {"name": "add"}}
    described = functional(called(START), called(plus, tensor("start"), tensor("start")), outputs=["add", 0, 0])
    with pytest.raises(Invalid, match=r"'add' is the bare function Add: use a layer"):
        to_tfjs(described)


@pytest.mark.parametrize(
    ("kind", "arguments", "options"),
    [
        ("LSTM", [tensor("start")], {"initial_state": [tensor("start")]}),
        ("LSTM", [tensor("start"), 7], {}),
        ("Dropout", [tensor("start")], {"training": True}),
        ("BatchNormalization", [tensor("start")], {"training": False}),
    ],
)
def test_a_call_with_more_than_inputs_is_refused(kind: str, arguments: list[Any], options: dict[str, Any]) -> None:
    described = functional(called(START), called(layer(kind, "odd"), *arguments, **options), outputs=["odd", 0, 0])
    with pytest.raises(Invalid, match="layer 'odd' is called with"):
        to_tfjs(described)


@pytest.mark.parametrize(
    "described",
    [
        {"class_name": "Mine", "config": {"layers": []}},
        {"class_name": "Sequential", "config": {}},
        {"class_name": "Functional", "config": []},
        {},
        {"class_name": "Sequential", "config": {"layers": []}},
        {"class_name": "Sequential", "config": {"layers": [layer("Dense", "d", units=2)]}},
    ],
)
def test_what_is_no_model_or_says_no_input_is_refused(described: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        to_tfjs(described)


@pytest.mark.parametrize("broken", [{"layers": [7]}, {"layers": [{"class_name": "Dense"}]}, {"layers": [{}]}])
def test_a_description_that_makes_no_sense_is_refused_and_no_crash(broken: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        to_tfjs({"class_name": "Sequential", "config": broken})


WORDS = layer("Embedding", "words", input_dim=5, output_dim=2, mask_zero=True)


def test_a_mask_ends_at_a_recurrent_layer_that_gives_one_step() -> None:
    to_tfjs(sequential(WORDS, layer("LSTM", "memory", units=2), layer("Softmax", "end")))


@pytest.mark.parametrize(
    "behind",
    [
        layer("GlobalAveragePooling1D", "odd"),
        layer("Conv1D", "odd", filters=2, kernel_size=3),
        layer("Flatten", "odd"),
        layer("Bidirectional", "odd", layer=layer("LSTM", "inner", units=2, return_sequences=True)),
    ],
)
def test_a_mask_that_tfjs_takes_otherwise_is_refused(behind: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=r"layer 'odd' is a .* behind a mask"):
        to_tfjs(sequential(WORDS, layer("Dropout", "some", rate=0.5), behind))
    with pytest.raises(Invalid, match=r"layer 'odd' is a .* behind a mask"):
        to_tfjs(
            functional(
                called(START), called(WORDS, tensor("start")), called(behind, tensor("words")), outputs=["odd", 0, 0]
            )
        )


def test_masking_behind_a_layer_that_learns_is_refused() -> None:
    masking = layer("Masking", "odd", mask_value=0.0)
    memory = layer("LSTM", "memory", units=2)
    to_tfjs(sequential(masking, memory))
    with pytest.raises(Invalid, match="layer 'odd' is a Masking behind other layers"):
        to_tfjs(sequential(layer("Dense", "first", units=2), masking, memory))


@pytest.mark.parametrize("source", [tensor("start", 1), tensor("nobody"), tensor("digit")])
def test_a_call_of_what_is_not_there_is_refused(source: dict[str, Any]) -> None:
    """Keras 2 looked for it for ever."""
    described = functional(
        called(START),
        called(layer("Dense", "digit", units=2), source),
        outputs=["digit", 0, 0],
    )
    with pytest.raises(Invalid, match=r"which is not there|makes no sense"):
        to_tfjs(described)
