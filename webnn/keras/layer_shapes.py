"""What each kind of layer makes of shapes in TF.js, without the axis of examples; None is a length that may differ.

Every function takes a layer's config, as `to_tfjs` gives it, and the shapes of its inputs, and gives the shapes of its
outputs and of its weights, these by their last name. What TF.js does not build or train is a Misfit, whose text goes
behind "layer 'a' is a Dense and gets []:". Where Keras takes more, that is said beside it.
"""

from collections.abc import Mapping, Sequence
from math import prod

from webnn.keras.axes import (
    Config,
    Kind,
    Made,
    Misfit,
    Shape,
    Weights,
    at_most,
    check_last,
    known,
    last,
    one,
    pair,
    ranked,
    with_bias,
)  # fmt: skip
from webnn.keras.window_shapes import (
    conv1d,
    conv2d,
    conv2d_transpose,
    depthwise,
    edged,
    pool1d,
    pool2d,
    separable,
    upsampling,
)


def same(_config: Config, shapes: Sequence[Shape]) -> Made:
    """Gives what it gets."""
    return [one(shapes)], []


def dense(config: Config, shapes: Sequence[Shape]) -> Made:
    """Works on the last axis. Keras takes more axes; TF.js adds no bias to them."""
    shape, units = one(shapes), config["units"]
    at_most(4, shape)
    return with_bias((*shape[:-1], units), [("kernel", (last(shape), units))], config, units)


def flatten(_config: Config, shapes: Sequence[Shape]) -> Made:
    """One axis of all. Keras takes one axis, too, and leaves it as it is."""
    shape = one(shapes)
    if len(shape) < 2:
        raise Misfit("TF.js takes at least two axes; leave it out, for it changes nothing")
    return [(prod(known(length, "each axis") for length in shape),)], []


def reshape(config: Config, shapes: Sequence[Shape]) -> Made:
    """As many elements in other axes. What is behind -1 Keras works out, and TF.js leaves open."""
    made = reshape_in_keras(config, shapes)
    return [tuple(None if length == -1 else length for length in config["target_shape"])], made[1]


def reshape_in_keras(config: Config, shapes: Sequence[Shape]) -> Made:
    """As many elements in other axes."""
    shape, target = one(shapes), list(config["target_shape"])
    if None in shape:
        return [tuple(None if length == -1 else length for length in target)], []
    size, rest = prod(length or 0 for length in shape), prod(length for length in target if length != -1)
    fits = size % rest == 0 if -1 in target and rest else size == rest
    if not fits:
        raise Misfit(f"its {size} values do not fill {target}")
    return [tuple(size // rest if length == -1 else length for length in target)], []


def permute(config: Config, shapes: Sequence[Shape]) -> Made:
    """Axes in another order, counted from 1."""
    shape, dims = one(shapes), config["dims"]
    if sorted(dims) != list(range(1, len(shape) + 1)):
        raise Misfit(f"dims {list(dims)} names other axes")
    return [tuple(shape[axis - 1] for axis in dims)], []


def repeat(config: Config, shapes: Sequence[Shape]) -> Made:
    """The same n times."""
    return [(config["n"], *ranked(shapes, "length"))], []


def embedding(config: Config, shapes: Sequence[Shape]) -> Made:
    """A vector for each index."""
    size = config["output_dim"]
    return [(*one(shapes), size)], [("embeddings", (config["input_dim"], size))]


def pooled_away(axes: str) -> Kind:
    """One value for each channel."""
    return lambda _config, shapes: ([ranked(shapes, axes)[-1:]], [])


def _axes(config: Config, shape: Shape) -> list[int]:
    found = config.get("axis", -1)
    axes = [axis if axis < 0 else axis - 1 - len(shape) for axis in (found if isinstance(found, list) else [found])]
    if any(not -len(shape) <= axis < 0 for axis in axes):
        raise Misfit(f"it has no axis {found}")
    return axes


def normalized(*parts: str) -> Kind:
    """What it gets, moved and stretched along an axis. Keras takes more axes, and others in any order."""

    def kind(config: Config, shapes: Sequence[Shape]) -> Made:
        shape = one(shapes)
        at_most(3, shape)
        axes = _axes(config, shape)
        if axes != sorted(axes):
            raise Misfit("name its axes in their order")
        along = tuple(known(shape[axis], "the axis that it normalizes") for axis in axes)
        return [shape], [(part, along) for part in parts]

    return kind


def batch_normalized(config: Config, shapes: Sequence[Shape]) -> Made:
    """Keras normalizes along any axis; of others than the last TF.js has no gradient."""
    check_last(_axes(config, one(shapes)), "it normalizes")
    return normalized("gamma", "beta", "moving_mean", "moving_variance")(config, shapes)


def softmax(config: Config, shapes: Sequence[Shape]) -> Made:
    """What it gets, as shares. Keras takes any axis."""
    check_last(_axes(config, one(shapes)), "it works")
    return same(config, shapes)


def spatial(_config: Config, shapes: Sequence[Shape]) -> Made:
    """What it gets, without some channels."""
    return [ranked(shapes, "length, channels")], []


def prelu(config: Config, shapes: Sequence[Shape]) -> Made:
    """A slope for each value; one for all along shared axes, counted from 1."""
    shape, shared = one(shapes), config.get("shared_axes") or ()
    if any(axis > len(shape) for axis in shared):
        raise Misfit(f"it has no axis {max(shared)}")
    alpha = tuple(1 if axis in shared else known(n, "each axis") for axis, n in enumerate(shape, 1))
    return [shape], [("alpha", alpha)]


def recurrent(gates: int) -> Kind:
    """One state after another, along a sequence."""

    def kind(config: Config, shapes: Sequence[Shape]) -> Made:
        length, features = ranked(shapes, "length, features")
        units = config["units"]
        kernels: Weights = [
            ("kernel", (known(features), gates * units)), ("recurrent_kernel", (units, gates * units)),
        ]  # fmt: skip
        gives: Shape = (length, units) if config.get("return_sequences") else (units,)
        return with_bias(gives, kernels, config, gates * units)

    return kind


def bidirectional(config: Config, shapes: Sequence[Shape]) -> Made:
    """A recurrent layer, and another from the end to the beginning."""
    inner, mode = config["layer"], config.get("merge_mode", "concat")
    (gives,), weights = KINDS[inner["class_name"]](inner["config"], shapes)
    name = inner["config"]["name"]
    both = [(f"{way}_{name}/{part}", shape) for way in ("forward", "backward") for part, shape in weights]
    if mode is None:
        return [gives, gives], both
    return [(*gives[:-1], 2 * last(gives)) if mode == "concat" else gives], both


def distributed(config: Config, shapes: Sequence[Shape]) -> Made:
    """A layer on each element of a sequence."""
    shape, inner = one(shapes), config["layer"]
    if len(shape) < 2:
        raise Misfit("it takes a sequence of what has axes itself")
    gives, weights = KINDS[inner["class_name"]](inner["config"], [shape[1:]])
    return [(shape[0], *one) for one in gives], weights


def merged(_config: Config, shapes: Sequence[Shape]) -> Made:
    """Of several inputs one, element by element; a length of 1 goes with any."""
    if len(shapes) < 2:
        raise Misfit("it takes several inputs")
    longest = max(map(len, shapes))
    padded = [(*[1] * (longest - len(shape)), *shape) for shape in shapes]
    found: list[int | None] = []
    for lengths in zip(*padded, strict=True):
        others = {length for length in lengths if length != 1}
        if len(others - {None}) > 1:
            raise Misfit("its inputs differ")
        found.append(next(iter(others - {None}), None if others else 1))
    return [tuple(found)], []


def extreme(config: Config, shapes: Sequence[Shape]) -> Made:
    """Of inputs of one shape the largest or smallest. Keras stretches them; TF.js has no gradient of that."""
    if len(set(shapes)) > 1:
        raise Misfit("TF.js trains it only on inputs of one shape")
    return merged(config, shapes)


def concatenated(config: Config, shapes: Sequence[Shape]) -> Made:
    """Inputs one behind the other."""
    if len(shapes) < 2:
        raise Misfit("it takes several inputs")
    (axis,) = _axes(config, shapes[0])
    rests = {(*shape[:axis], *shape[len(shape) + axis + 1 :]) for shape in shapes}
    if len(rests) > 1:
        raise Misfit(f"its inputs differ in more than the axis {config.get('axis', -1)}")
    lengths = [shape[axis] for shape in shapes]
    whole = None if None in lengths else sum(length or 0 for length in lengths)
    found = list(shapes[0])
    found[axis] = whole
    return [tuple(found)], []


def dot(config: Config, shapes: Sequence[Shape]) -> Made:
    """The sum of products along an axis of each of two inputs."""
    if len(shapes) != 2:
        raise Misfit("it takes two inputs")
    for shape in shapes:
        at_most(2, shape)
    axes = config.get("axes", -1)
    two = pair(axes) if isinstance(axes, int) else tuple(axes)
    places = [axis if axis < 0 else axis - 1 - len(shape) for axis, shape in zip(two, shapes, strict=True)]
    if any(not -len(shape) <= axis < 0 for axis, shape in zip(places, shapes, strict=True)):
        raise Misfit(f"its inputs have no axes {axes}")
    if shapes[0][places[0]] != shapes[1][places[1]]:
        raise Misfit("its inputs differ along the axes that it multiplies")
    rest: list[int | None] = []
    for shape, axis in zip(shapes, places, strict=True):
        rest += [*shape[:axis], *shape[len(shape) + axis + 1 :]]
    return [tuple(rest) or (1,)], []


LINE, IMAGE = "length, channels", "height, width, channels"

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys((
        "Activation", "Dropout", "Masking", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ReLU", "LeakyReLU",
        "ELU", "Rescaling",
    ), same),
    **dict.fromkeys(("Add", "Multiply", "Average"), merged),
    **dict.fromkeys(("Maximum", "Minimum"), extreme),
    "SpatialDropout1D": spatial,
    "Softmax": softmax,
    "Dense": dense,
    "Flatten": flatten,
    "RepeatVector": repeat,
    "Reshape": reshape,
    "Permute": permute,
    "Embedding": embedding,
    "Conv1D": conv1d,
    "Conv2D": conv2d,
    "Conv2DTranspose": conv2d_transpose,
    "SeparableConv2D": separable,
    "DepthwiseConv2D": depthwise,
    "Cropping2D": edged("cropping", -1),
    "ZeroPadding2D": edged("padding", 1),
    "UpSampling2D": upsampling,
    "MaxPooling1D": pool1d,
    "AveragePooling1D": pool1d,
    "MaxPooling2D": pool2d,
    "AveragePooling2D": pool2d,
    "GlobalAveragePooling1D": pooled_away(LINE),
    "GlobalMaxPooling1D": pooled_away(LINE),
    "GlobalAveragePooling2D": pooled_away(IMAGE),
    "GlobalMaxPooling2D": pooled_away(IMAGE),
    "BatchNormalization": batch_normalized,
    "LayerNormalization": normalized("gamma", "beta"),
    "PReLU": prelu,
    "SimpleRNN": recurrent(1),
    "LSTM": recurrent(4),
    "GRU": recurrent(3),
    "Bidirectional": bidirectional,
    "TimeDistributed": distributed,
    "Concatenate": concatenated,
    "Dot": dot,
}  # fmt: skip
