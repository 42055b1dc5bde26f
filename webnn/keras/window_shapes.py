"""What layers that slide over a line or an image make of shapes. See `webnn.keras.layer_shapes`."""

from collections.abc import Sequence
from typing import Any

from webnn.keras.axes import Config, Kind, Made, Misfit, Shape, Weights, known, pair, ranked, single, with_bias


def _slid(length: int | None, size: int, stride: int, padding: str, what: str) -> int | None:
    """How many places there are for a window."""
    if length is None:
        return None
    if padding == "same":
        return -(-length // stride)
    if length < size:
        raise Misfit(f"its {what} of {size} is longer than {length}; padding 'same' would take it")
    return (length - size) // stride + 1


def _plane(shape: Shape, size: Any, strides: Any, padding: str, what: str) -> Shape:
    sizes, steps = pair(size), pair(strides)
    return tuple(_slid(shape[i], sizes[i], steps[i], padding, what) for i in range(2))


def conv1d(config: Config, shapes: Sequence[Shape]) -> Made:
    """Windows along a line."""
    length, channels = ranked(shapes, "length, channels")
    size, filters = single(config["kernel_size"]), config["filters"]
    places = _slid(length, size, single(config.get("strides", 1)), config.get("padding", "valid"), "kernel")
    kernel = (size, known(channels, "the axis of channels"), filters)
    return with_bias((places, filters), [("kernel", kernel)], config, filters)


def _planar(config: Config, shapes: Sequence[Shape]) -> tuple[Shape, tuple[int, int], int]:
    """Places, kernel and channels of a convolution of images."""
    shape = ranked(shapes, "height, width, channels")
    size = pair(config["kernel_size"])
    places = _plane(shape, size, config.get("strides", 1), config.get("padding", "valid"), "kernel")
    return places, size, known(shape[2], "the axis of channels")


def conv2d(config: Config, shapes: Sequence[Shape]) -> Made:
    """Windows on an image."""
    places, size, channels = _planar(config, shapes)
    filters = config["filters"]
    return with_bias((*places, filters), [("kernel", (*size, channels, filters))], config, filters)


def conv2d_transpose(config: Config, shapes: Sequence[Shape]) -> Made:
    """The other way round."""
    shape = ranked(shapes, "height, width, channels")
    size, steps, filters = pair(config["kernel_size"]), pair(config.get("strides", 1)), config["filters"]
    same_size = config.get("padding", "valid") == "same"
    lengths = zip(shape[:2], size, steps, strict=True)
    places = [None if n is None else n * s + (0 if same_size else max(k - s, 0)) for n, k, s in lengths]
    kernel = (*size, filters, known(shape[2], "the axis of channels"))
    return with_bias((*places, filters), [("kernel", kernel)], config, filters)


def depthwise(config: Config, shapes: Sequence[Shape]) -> Made:
    """Each channel by itself."""
    places, size, channels = _planar(config, shapes)
    depth = config.get("depth_multiplier", 1)
    kernel: Weights = [("depthwise_kernel", (*size, channels, depth))]
    return with_bias((*places, channels * depth), kernel, config, channels * depth)


def separable(config: Config, shapes: Sequence[Shape]) -> Made:
    """Each channel by itself, then all together."""
    places, size, channels = _planar(config, shapes)
    depth, filters = config.get("depth_multiplier", 1), config["filters"]
    kernels: Weights = [
        ("depthwise_kernel", (*size, channels, depth)),
        ("pointwise_kernel", (1, 1, channels * depth, filters)),
    ]
    return with_bias((*places, filters), kernels, config, filters)


def pool1d(config: Config, shapes: Sequence[Shape]) -> Made:
    """One value for each window along a line."""
    length, channels = ranked(shapes, "length, channels")
    size = single(config.get("pool_size", 2))
    stride = single(config.get("strides") or size)
    return [(_slid(length, size, stride, config.get("padding", "valid"), "pool"), channels)], []


def pool2d(config: Config, shapes: Sequence[Shape]) -> Made:
    """One value for each window on an image."""
    shape = ranked(shapes, "height, width, channels")
    size = config.get("pool_size", 2)
    places = _plane(shape, size, config.get("strides") or size, config.get("padding", "valid"), "pool")
    return [(*places, shape[2])], []


def _edges(value: Any) -> list[tuple[int, int]]:
    """What is added or taken before and behind, by axis."""
    return [pair(one) for one in ((value, value) if isinstance(value, int) else value)]


def edged(option: str, sign: int) -> Kind:
    """More, or less, around an image."""

    def kind(config: Config, shapes: Sequence[Shape]) -> Made:
        shape = ranked(shapes, "height, width, channels")
        edges = _edges(config.get(option, 1))
        places = [None if n is None else n + sign * sum(edge) for n, edge in zip(shape[:2], edges, strict=True)]
        if any(n is not None and n < 1 for n in places):
            raise Misfit(f"{option} {config.get(option)} leaves nothing of it")
        return [(*places, shape[2])], []

    return kind


def upsampling(config: Config, shapes: Sequence[Shape]) -> Made:
    """Every pixel several times."""
    shape = ranked(shapes, "height, width, channels")
    times = zip(shape[:2], pair(config.get("size", 2)), strict=True)
    return [(*(None if n is None else n * k for n, k in times), shape[2])], []
