"""What a compiled model says of how it is to be trained, in the words of a spec. What pages cannot do is refused."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from webnn.core.terms import RATES
from webnn.errors import Invalid

LOSSES = {
    "sparsecategoricalcrossentropy": "sparseCategoricalCrossentropy",
    "categoricalcrossentropy": "categoricalCrossentropy",
    "binarycrossentropy": "binaryCrossentropy",
    "meansquarederror": "meanSquaredError",
    "mse": "meanSquaredError",
}
# What changes a loss, and is not done in pages.
PLAIN_LOSS = {"from_logits": False, "label_smoothing": 0.0, "ignore_class": None, "axis": -1}
WHY = {"from_logits": "end the model in a softmax or sigmoid instead"}
# Keras's own defaults, which are TF.js's, too; of what is not here any value will do.
PLAIN_OPTIMIZER = {
    "nesterov": False, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, "weight_decay": None,
    "clipnorm": None, "clipvalue": None, "global_clipnorm": None, "use_ema": False, "decay": 0.0,
    "gradient_accumulation_steps": None, "loss_scale_factor": None,
}  # fmt: skip
HAVE = "pages have SGD, SGD with momentum 0.9, and Adam with its defaults"
INSTEAD = "compile it with one of these, or name another to webnn.fit, as in optimizer='muon'"


class Compiled(Struct, frozen=True):
    """How to train: members of a spec's `training`."""

    loss: str
    optimizer: str
    learning_rate: float | None


def compiled(model: Any, optimizer: str | None = None, learning_rate: float | None = None) -> Compiled:
    """What a model was compiled with.

    Args:
        model: Of either Keras.
        optimizer: Instead of the model's, as a spec names it.
        learning_rate: Instead of the model's; None with another optimizer: a good one for that.

    Raises:
        Invalid: It was not compiled, or with what pages do not have; it says with what.
    """
    if getattr(model, "optimizer", None) is None or getattr(model, "loss", None) is None:
        raise Invalid("the model is not compiled: say model.compile(optimizer='adam', loss=…) first")
    if model.built and not model.trainable_weights:
        raise Invalid(f"nothing of the model {model.name} is trainable: set trainable = True on what is to be learnt")
    if (model.get_compile_config() or {}).get("loss_weights"):
        raise Invalid("the model is compiled with loss_weights: pages add the losses of all outputs up as they are")
    if optimizer is not None:
        if optimizer not in RATES:
            raise Invalid(f"there is no optimizer {optimizer!r}; there are {', '.join(RATES)}")
        return Compiled(_loss(model.loss), optimizer, learning_rate)
    name, rate = _optimizer(model.optimizer)
    return Compiled(_loss(model.loss), name, rate if learning_rate is None else learning_rate)


def _loss(given: Any) -> str:
    if isinstance(given, Mapping | list | tuple):
        each = list(given.values()) if isinstance(given, Mapping) else list(given)
        found = sorted({_loss(one) for one in each})
        if len(found) != 1:
            raise Invalid(
                f"the outputs are compiled with the losses {', '.join(found)}: pages have one for all outputs"
            )
        return found[0]
    name = given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)
    known = LOSSES.get(name.replace("_", "").lower())
    if known is None:
        words = "sparse_categorical_crossentropy, categorical_crossentropy, binary_crossentropy, mean_squared_error"
        raise Invalid(f"the model is compiled with the loss {name}: pages have {words}")
    config = given.get_config() if hasattr(given, "get_config") else {}
    if config.get("reduction") in ("sum", "none"):
        raise Invalid(f"the model is compiled with {name}(reduction={config['reduction']!r}): pages take the mean")
    _check_plain(name, config, PLAIN_LOSS, "pages do not do that")
    return known


def _optimizer(given: Any) -> tuple[str, float]:
    kind, config = type(given).__name__, given.get_config()
    if kind not in ("SGD", "Adam"):
        raise Invalid(f"the model is compiled with {kind}: {HAVE}; {INSTEAD}")
    _check_plain(kind, config, PLAIN_OPTIMIZER, f"{HAVE}; {INSTEAD}")
    momentum = config.get("momentum", 0.0) or 0.0
    if momentum not in (0.0, 0.9):
        raise Invalid(f"the model is compiled with SGD(momentum={momentum:g}): {HAVE}; {INSTEAD}")
    rate = config["learning_rate"]
    if not isinstance(rate, int | float | np.floating):
        schedule = rate.get("class_name", "a schedule") if isinstance(rate, Mapping) else type(rate).__name__
        raise Invalid(f"the model is compiled with the learning rate {schedule}: give a number, as learning_rate=…")
    # Of a float32 variable it comes back as 0.0010000000474974513.
    return ("adam" if kind == "Adam" else "momentum" if momentum else "sgd"), float(f"{rate:.7g}")


def _check_plain(what: str, config: Mapping[str, Any], plain: Mapping[str, Any], why: str) -> None:
    for option, value in config.items():
        if option in plain and value is not None and not _same(value, plain[option]):
            raise Invalid(f"the model is compiled with {what}({option}={value!r}): {WHY.get(option, why)}")


def _same(value: Any, usual: Any) -> bool:
    if isinstance(value, int | float) and isinstance(usual, int | float):
        return abs(value - usual) <= 1e-6 * abs(usual)
    return bool(value == usual or (usual is None and value is False))
