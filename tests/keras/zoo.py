"""One small model for each layer and for each way of putting them together, in either Keras.

A builder takes the module, `keras` or `tf_keras`; what the two write differently is settled here.
"""

from collections.abc import Callable
from typing import Any

Builder = Callable[[Any], Any]
ACTIVATIONS = (
    "linear", "relu", "relu6", "elu", "selu", "sigmoid", "softplus", "softsign", "tanh", "softmax", "gelu", "mish",
    "swish",
)  # fmt: skip


def of(shape: tuple[int, ...], *kinds: tuple[str, dict[str, Any]] | str) -> Builder:
    """A Sequential of layers by their class names."""

    def build(k: Any) -> Any:
        layers = [one if isinstance(one, tuple) else (one, {}) for one in kinds]
        return sequential(k, shape, *(getattr(k.layers, kind)(**options) for kind, options in layers))

    return build


def sequential(k: Any, shape: tuple[int, ...], *layers: Any) -> Any:
    return k.Sequential([k.layers.InputLayer(shape), *layers])


def conv(kind: str, **options: Any) -> tuple[str, dict[str, Any]]:
    return kind, {"filters": 2, "kernel_size": 3} | options


OPTIONS: dict[str, dict[str, Any]] = {
    "Dropout": {"rate": 0.5},
    "SpatialDropout1D": {"rate": 0.5},
    "Activation": {"activation": "tanh"},
    "Dense": {"units": 2},
    "SimpleRNN": {"units": 2, "return_sequences": True},
    "GRU": {"units": 2, "return_sequences": True, "reset_after": False},
}


def masked(kind: str) -> Builder:
    """A layer between a mask and the recurrent layer that heeds it."""

    def build(k: Any) -> Any:
        la, start = k.layers, k.Input((6,), dtype="int32")
        words = la.Embedding(4, 2, mask_zero=True)
        if kind == "Bidirectional":
            return k.Model(start, la.Bidirectional(la.LSTM(2))(words(start)))
        if kind == "TimeDistributed":
            x = la.TimeDistributed(la.Dense(2))(words(start))
        elif kind == "Concatenate":
            x = la.Concatenate()([words(start), la.Embedding(4, 2, mask_zero=True)(start)])
        else:
            x = getattr(la, kind)(**OPTIONS.get(kind, {}))(words(start))
        return k.Model(start, la.LSTM(2)(x))

    return build


LAYERS: dict[str, Builder] = {
    **{f"Dense {name}": of((3,), ("Dense", {"units": 4, "activation": name})) for name in ACTIVATIONS},
    "Activation": of((3,), ("Dense", {"units": 2}), ("Activation", {"activation": "tanh"})),
    "Dropout": of((3,), ("Dropout", {"rate": 0.5}), ("Dense", {"units": 2})),
    "SpatialDropout1D": of((3, 2), ("SpatialDropout1D", {"rate": 0.5}), ("Dense", {"units": 2})),
    "Flatten": of((2, 3), "Flatten", ("Dense", {"units": 2})),
    "Flatten of what is flat": of((3, 4, 1), conv("Conv2D", padding="same"), "GlobalAveragePooling2D", "Flatten",
                                  ("Dense", {"units": 2})),
    "RepeatVector": of((3,), ("Dense", {"units": 2}), ("RepeatVector", {"n": 3})),
    "Reshape": of((4,), ("Dense", {"units": 4}), ("Reshape", {"target_shape": (2, -1)})),
    "Reshape before Dense": of((2, 4), ("Dense", {"units": 4}), ("Reshape", {"target_shape": (-1,)}),
                               ("Dense", {"units": 2})),
    "Permute": of((2, 3), ("Dense", {"units": 2}), ("Permute", {"dims": (2, 1)})),
    "Conv1D": of((6, 2), conv("Conv1D", strides=2, padding="same", activation="relu")),
    "Conv2D": of((5, 6, 2), conv("Conv2D", strides=(2, 1), padding="same", activation="relu")),
    "Conv2D valid": of((5, 6, 1), conv("Conv2D", use_bias=False)),
    "Conv2DTranspose": of((3, 4, 2), conv("Conv2DTranspose", strides=2, padding="same")),
    "SeparableConv2D": of((5, 5, 2), conv("SeparableConv2D", depth_multiplier=2, activation="relu")),
    "DepthwiseConv2D": of((5, 5, 2), ("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 2})),
    "Cropping2D": of((4, 5, 1), conv("Conv2D", padding="same"), ("Cropping2D", {"cropping": ((1, 0), (2, 1))})),
    "UpSampling2D": of((2, 3, 1), ("UpSampling2D", {"size": (2, 3)}), conv("Conv2D")),
    "ZeroPadding2D": of((2, 3, 1), ("ZeroPadding2D", {"padding": ((1, 0), (2, 1))}), conv("Conv2D")),
    "MaxPooling1D": of((6, 1), conv("Conv1D"), ("MaxPooling1D", {"pool_size": 2})),
    "AveragePooling1D": of((6, 1), conv("Conv1D"), ("AveragePooling1D", {"pool_size": 2, "padding": "same"})),
    "MaxPooling2D": of((6, 5, 1), conv("Conv2D"), ("MaxPooling2D", {"pool_size": 2, "padding": "same"})),
    "AveragePooling2D": of((6, 5, 1), conv("Conv2D"), ("AveragePooling2D", {"pool_size": 2, "strides": 1})),
    "GlobalAveragePooling1D": of((5, 2), ("Dense", {"units": 2}), "GlobalAveragePooling1D"),
    "GlobalMaxPooling1D": of((5, 2), ("Dense", {"units": 2}), "GlobalMaxPooling1D"),
    "GlobalAveragePooling2D": of((4, 4, 1), conv("Conv2D"), "GlobalAveragePooling2D"),
    "GlobalMaxPooling2D": of((4, 4, 1), conv("Conv2D"), "GlobalMaxPooling2D"),
    "BatchNormalization": of((3,), "BatchNormalization", ("Dense", {"units": 2})),
    "BatchNormalization 4D": of((4, 4, 2), conv("Conv2D"), ("BatchNormalization", {"epsilon": 0.01})),
    "LayerNormalization": of((3, 4), "LayerNormalization", ("Dense", {"units": 2})),
    "GaussianNoise": of((3,), ("GaussianNoise", {"stddev": 0.1}), ("Dense", {"units": 2})),
    "GaussianDropout": of((3,), ("GaussianDropout", {"rate": 0.1}), ("Dense", {"units": 2})),
    "AlphaDropout": of((3,), ("AlphaDropout", {"rate": 0.1}), ("Dense", {"units": 2})),
    "ReLU": of((3,), ("Dense", {"units": 4}), ("ReLU", {"max_value": 0.5})),
    "LeakyReLU": of((3,), ("Dense", {"units": 4}), "LeakyReLU"),
    "PReLU": of((3, 2), ("Dense", {"units": 4}), ("PReLU", {"shared_axes": [1]})),
    "ELU": of((3,), ("Dense", {"units": 4}), "ELU"),
    "Softmax": of((3,), ("Dense", {"units": 4}), "Softmax"),
    "Rescaling": of((3,), ("Rescaling", {"scale": 0.5, "offset": -1.0}), ("Dense", {"units": 4})),
    "SimpleRNN": of((4, 2), ("SimpleRNN", {"units": 3})),
    "LSTM": of((4, 2), ("LSTM", {"units": 3, "return_sequences": True, "dropout": 0.1})),
    "LSTM backwards": of((4, 2), ("LSTM", {"units": 3, "go_backwards": True})),
    "GRU": of((4, 2), ("GRU", {"units": 3, "reset_after": False})),
    "Masking": of((4, 2), ("Masking", {"mask_value": 0.0}), ("LSTM", {"units": 3})),
    "Embedding": of((4,), ("Embedding", {"input_dim": 6, "output_dim": 2}), "Flatten", ("Dense", {"units": 2})),
    "Embedding masked": of((4,), ("Embedding", {"input_dim": 6, "output_dim": 2, "mask_zero": True}),
                           ("LSTM", {"units": 3})),
    **{f"masked {kind}": masked(kind) for kind in (
        "Dropout", "SpatialDropout1D", "Activation", "Dense", "BatchNormalization", "LayerNormalization",
        "SimpleRNN", "GRU", "Bidirectional", "TimeDistributed", "Concatenate")},
    "masked sequences": of((6,), ("Embedding", {"input_dim": 4, "output_dim": 2, "mask_zero": True}),
                           ("LSTM", {"units": 2, "return_sequences": True}), ("LSTM", {"units": 2})),
    "TimeDistributed": lambda k: sequential(k, (3, 2), k.layers.TimeDistributed(k.layers.Dense(2))),
    "Bidirectional": lambda k: sequential(k, (4, 2), k.layers.Bidirectional(k.layers.LSTM(2, return_sequences=True))),
    "Bidirectional sum": lambda k: sequential(
        k, (4, 2), k.layers.Bidirectional(k.layers.GRU(2, reset_after=False), merge_mode="sum")),
    **{name: (lambda k, name=name: merged(k, name)) for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")},
    "Concatenate": lambda k: merged(k, "Concatenate"),
    "Dot": lambda k: merged(k, "Dot", axes=1),
}  # fmt: skip


def merged(k: Any, kind: str, **options: Any) -> Any:
    one, other = k.Input((3,)), k.Input((3,))
    ways = [k.layers.Dense(3, activation="tanh")(one), k.layers.Dense(3, activation="tanh")(other)]
    return k.Model([one, other], getattr(k.layers, kind)(**options)(ways))


def cnn(k: Any) -> Any:
    la = k.layers
    return sequential(
        k, (8, 8, 1), la.Conv2D(4, 3, activation="relu", kernel_regularizer="l2"), la.MaxPooling2D(), la.Dropout(0.2),
        la.Flatten(), la.Dense(8, activation="relu"), la.Dense(3, activation="softmax"),
    )  # fmt: skip


def branches(k: Any) -> Any:
    """A small residual net: Add, Concatenate, BatchNormalization, Dropout."""
    la, start = k.layers, k.Input((6, 6, 2), name="picture")
    x = la.BatchNormalization()(la.Conv2D(4, 3, padding="same")(start))
    y = la.Activation("relu")(x)
    y = la.BatchNormalization()(la.Conv2D(4, 3, padding="same")(y))
    x = la.Add()([x, y])
    x = la.Concatenate()([la.GlobalAveragePooling2D()(x), la.GlobalMaxPooling2D()(x)])
    return k.Model(start, la.Dense(3, activation="softmax")(la.Dropout(0.3)(x)))


def sequence(k: Any) -> Any:
    la, words = k.layers, k.Input((5,), dtype="int32", name="words")
    x = la.LSTM(4)(la.Embedding(12, 3, mask_zero=True)(words))
    return k.Model(words, la.Dense(1, activation="sigmoid")(x))


def two_inputs(k: Any) -> Any:
    la = k.layers
    words, numbers = k.Input((4,), dtype="int32", name="words"), k.Input((3,), name="numbers")
    x = la.Concatenate()([la.Flatten()(la.Embedding(9, 2)(words)), la.Dense(4, activation="relu")(numbers)])
    return k.Model([words, numbers], la.Dense(2, activation="softmax", name="answer")(x))


def two_outputs(k: Any) -> Any:
    la, start = k.layers, k.Input((4,))
    x = la.Dense(5, activation="relu")(start)
    return k.Model(start, [la.Dense(3, activation="softmax")(x), la.Dense(1)(x)])


def shared(k: Any) -> Any:
    la, one, other = k.layers, k.Input((3,)), k.Input((3,))
    twin = la.Dense(2, activation="tanh")
    return k.Model([one, other], la.Dense(1)(la.Concatenate()([twin(one), twin(other)])))


def nested(k: Any) -> Any:
    la, one, other = k.layers, k.Input((3,)), k.Input((3,))
    tower = sequential(k, (3,), la.Dense(2, activation="relu", name="inside"))
    start = k.Input((4,))
    top = k.Model(start, la.Dense(2, name="above")(start))
    return k.Model([one, other], top(la.Concatenate()([tower(one), tower(other)])))


WHOLE: dict[str, Builder] = {
    "cnn": cnn,
    "branches": branches,
    "sequence": sequence,
    "two_inputs": two_inputs,
    "two_outputs": two_outputs,
    "shared": shared,
    "nested": nested,
}
