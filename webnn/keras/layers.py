"""The layers that TF.js 4.22 can load and train: what each may say of itself, and why others are refused.

Pure. A layer is here only if `tests/keras` has seen it give in TF.js what it gives in Keras, and take a training
step on the wasm backend. The names of options are those of TF.js's dialect, which is Keras 2's.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Known(Struct, frozen=True):
    """One kind of layer.

    Attributes:
        options: What is kept of its config, beside what every layer has.
        fixed: What else it may say, and only with this value: TF.js knows no other.
        renamed: Keras 3's word for an option, by Keras 2's.
        idle: Said, but without a meaning for this layer.
        note: For people: under which conditions it is taken.
    """

    options: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = {}
    renamed: Mapping[str, str] = {}
    idle: tuple[str, ...] = ()
    note: str = ""


EVERY = ("name", "trainable", "dtype")

_BIAS = ("activation", "use_bias", "bias_initializer", "bias_regularizer")
_KERNEL = (*_BIAS, "kernel_initializer", "kernel_regularizer")
_SLIDING = ("kernel_size", "strides", "padding", "data_format", "dilation_rate")
_CONV = (*_KERNEL, *_SLIDING, "filters")
_POOL = ("pool_size", "strides", "padding", "data_format")
_DEPTH = ("depth_multiplier", "depthwise_initializer", "depthwise_regularizer")
_RECURRENT = (
    *_KERNEL, "units", "recurrent_initializer", "recurrent_regularizer", "dropout", "recurrent_dropout",
    "return_sequences", "return_state", "go_backwards", "stateful", "unroll",
)  # fmt: skip
_NORM = (
    "axis", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer", "beta_regularizer",
    "gamma_regularizer",
)  # fmt: skip

_PLAIN_CONV = {"dilation_rate": 1, "groups": 1, "data_format": "channels_last"}
_TRANSPOSED = {"dilation_rate": 1, "output_padding": None, "groups": 1, "data_format": "channels_last"}
_LAST = {"data_format": "channels_last"}
_ONE_STATE = {"return_state": False, "stateful": False, "unroll": False}

KNOWN: Mapping[str, Known] = {
    "InputLayer": Known(("sparse",), {"sparse": False, "ragged": False, "optional": False}),
    "Dense": Known((*_KERNEL, "units"), {"lora_rank": None}),
    "Activation": Known(("activation",)),
    "Dropout": Known(("rate",), {"noise_shape": None}),
    "SpatialDropout1D": Known(("rate",)),
    "Flatten": Known(("data_format",), _LAST),
    "RepeatVector": Known(("n",)),
    "Reshape": Known(("target_shape",)),
    "Permute": Known(("dims",)),
    "Masking": Known(("mask_value",), note="on an input"),
    "Embedding": Known(
        ("input_dim", "output_dim", "embeddings_initializer", "embeddings_regularizer", "mask_zero"),
        {"lora_rank": None},
        note="with mask_zero, see below",
    ),
    "Conv1D": Known(_CONV, {**_PLAIN_CONV, "padding": ("valid", "same")}, note="no dilation, groups, causal padding"),
    "Conv2D": Known(_CONV, {**_PLAIN_CONV, "lora_rank": None}, note="no dilation, no groups"),
    "Conv2DTranspose": Known(_CONV, _TRANSPOSED, note="no dilation, no output padding"),
    "SeparableConv2D": Known(
        (*_BIAS, *_SLIDING, *_DEPTH, "filters", "pointwise_initializer", "pointwise_regularizer"),
        _PLAIN_CONV,
        idle=("kernel_initializer", "kernel_regularizer"),
        note="no dilation",
    ),
    "DepthwiseConv2D": Known((*_BIAS, *_SLIDING, *_DEPTH), _PLAIN_CONV,
                             idle=("filters", "kernel_initializer", "kernel_regularizer"), note="no dilation"),
    "Cropping2D": Known(("cropping", "data_format"), _LAST),
    "UpSampling2D": Known(("size", "data_format", "interpolation"), {**_LAST, "interpolation": "nearest"},
                          note="nearest only"),
    "ZeroPadding2D": Known(("padding", "data_format"), _LAST),
    "MaxPooling1D": Known(_POOL, _LAST),
    "AveragePooling1D": Known(_POOL, _LAST),
    "MaxPooling2D": Known(_POOL, _LAST),
    "AveragePooling2D": Known(_POOL, _LAST),
    "GlobalAveragePooling1D": Known((), {**_LAST, "keepdims": False}),
    "GlobalMaxPooling1D": Known((), {**_LAST, "keepdims": False}),
    "GlobalAveragePooling2D": Known(("data_format",), {**_LAST, "keepdims": False}),
    "GlobalMaxPooling2D": Known(("data_format",), {**_LAST, "keepdims": False}),
    "BatchNormalization": Known(
        (*_NORM, "momentum", "moving_mean_initializer", "moving_variance_initializer"),
        {"renorm": False, "synchronized": False, "trainable": True, "center": True, "scale": True},
        note="not frozen, for TF.js would go on moving its means; with both center and scale",
    ),
    "LayerNormalization": Known(_NORM, {"rms_scaling": False, "center": True, "scale": True},
                                note="with both center and scale"),
    "Add": Known(),
    "Multiply": Known(),
    "Average": Known(),
    "Maximum": Known(),
    "Minimum": Known(),
    "Concatenate": Known(("axis",)),
    "Dot": Known(("axes", "normalize")),
    "GaussianNoise": Known(("stddev",)),
    "GaussianDropout": Known(("rate",)),
    "AlphaDropout": Known(("rate",), {"noise_shape": None}),
    "ReLU": Known(("max_value",), {"negative_slope": 0.0, "threshold": 0.0}, note="no slope, no threshold"),
    "LeakyReLU": Known(("alpha",), renamed={"alpha": "negative_slope"}),
    "PReLU": Known(("alpha_initializer", "alpha_regularizer", "shared_axes")),
    "ELU": Known(("alpha",), {"alpha": 1.0}, note="alpha 1 only"),
    "Softmax": Known(("axis",)),
    "SimpleRNN": Known(_RECURRENT, _ONE_STATE, note="not stateful, gives no state"),
    "LSTM": Known((*_RECURRENT, "recurrent_activation", "unit_forget_bias"), _ONE_STATE,
                  note="not stateful, gives no state"),
    "GRU": Known((*_RECURRENT, "recurrent_activation", "reset_after"), {**_ONE_STATE, "reset_after": False},
                 note="with reset_after=False, which is not Keras's default; not stateful, gives no state"),
    "TimeDistributed": Known(("layer",)),
    "Bidirectional": Known(("layer", "merge_mode"), note="both directions alike"),
    "Rescaling": Known(("scale", "offset")),
}  # fmt: skip

MODELS = ("Sequential", "Functional", "Model")

# Said in a config, and of no consequence for what a model gives: chance, speed, what is recorded in passing.
PASSED_OVER = frozenset({
    "seed", "implementation", "zero_output_for_mask", "renorm_clipping", "renorm_momentum", "autocast", "noise_shape",
    "build_input_shape", "batch_input_shape", "quantization_config", "time_major", "fused", "input_length", "sparse",
    "backward_layer", "virtual_batch_size", "adjustment", "adaptive",
})  # fmt: skip

WHY = {
    "center": "TF.js cannot train it otherwise",
    "scale": "TF.js cannot train it otherwise",
    "Lambda": "it holds Python code, which no page can run",
    "dilation_rate": "TF.js has no gradient of a dilated convolution",
    "reset_after": "TF.js only has the older GRU: build it with reset_after=False",
    "groups": "TF.js has no grouped convolutions",
    "stateful": "pages train on shuffled batches, so nothing is to be kept between them",
    "data_format": "only channels_last is what pages and TensorFlow on a CPU both have",
    "trainable": "TF.js would move its means all the same; train it, or leave it out",
}

ACTIVATIONS = (
    "linear", "relu", "relu6", "elu", "selu", "sigmoid", "softplus", "softsign", "tanh", "softmax", "gelu",
    "mish", "swish",
)  # fmt: skip
OTHER_NAMES = {"silu": "swish"}  # what Keras 3 calls the same function

INITIALIZERS = (
    "Zeros", "Ones", "Constant", "RandomUniform", "RandomNormal", "TruncatedNormal", "GlorotUniform", "GlorotNormal",
    "HeNormal", "HeUniform",
)  # fmt: skip
