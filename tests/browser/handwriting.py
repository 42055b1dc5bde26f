"""Digits as a hand draws them: strokes through points, in three hands, in the unit square with y downward."""

from math import cos, pi, sin

from playwright.sync_api import Locator

Point = tuple[float, float]
Stroke = list[Point]

HANDS = 3
STEPS = 14  # of an arc


def arc(x: float, y: float, wide: float, high: float, begin: float, end: float) -> Stroke:
    """A part of an ellipse around (x, y), in turns: 0 is on the right, 0.25 at the bottom."""
    turns = [begin + (end - begin) * i / STEPS for i in range(STEPS + 1)]
    return [(x + wide * cos(2 * pi * turn), y + high * sin(2 * pi * turn)) for turn in turns]


# For each digit how each hand draws it.
DRAWN: dict[int, list[list[Stroke]]] = {
    0: [
        [arc(0.5, 0.5, 0.28, 0.42, -0.25, 0.77)],
        [arc(0.5, 0.5, 0.22, 0.4, -0.2, 0.8)],
        [arc(0.5, 0.5, 0.34, 0.4, -0.3, 0.72)],
    ],
    1: [
        [[(0.5, 0.08), (0.5, 0.92)]],
        [[(0.36, 0.28), (0.54, 0.08), (0.52, 0.92)]],
        [[(0.58, 0.08), (0.44, 0.92)]],
    ],
    2: [
        [[*arc(0.48, 0.3, 0.26, 0.22, -0.5, 0.08), (0.22, 0.9), (0.78, 0.9)]],
        [[*arc(0.5, 0.32, 0.24, 0.24, -0.42, 0.1), (0.2, 0.88), (0.5, 0.84), (0.82, 0.92)]],
        [[(0.24, 0.16), (0.5, 0.08), (0.72, 0.2), (0.7, 0.4), (0.5, 0.64), (0.24, 0.9), (0.8, 0.88)]],
    ],
    3: [
        [arc(0.46, 0.3, 0.26, 0.21, -0.42, 0.25) + arc(0.46, 0.71, 0.3, 0.21, -0.25, 0.42)],
        [[(0.24, 0.12), (0.7, 0.12), (0.46, 0.42), *arc(0.46, 0.67, 0.28, 0.24, -0.25, 0.4)]],
        [arc(0.48, 0.28, 0.22, 0.19, -0.4, 0.22) + arc(0.46, 0.7, 0.26, 0.22, -0.22, 0.4)],
    ],
    4: [
        [[(0.34, 0.1), (0.26, 0.56), (0.8, 0.56)], [(0.64, 0.3), (0.62, 0.92)]],
        [[(0.62, 0.92), (0.62, 0.08), (0.18, 0.62), (0.84, 0.62)]],
        [[(0.26, 0.12), (0.28, 0.5), (0.72, 0.5)], [(0.72, 0.1), (0.7, 0.92)]],
    ],
    5: [
        [[(0.74, 0.1), (0.32, 0.1), (0.28, 0.46), *arc(0.46, 0.66, 0.27, 0.24, -0.3, 0.38)]],
        [[(0.34, 0.12), (0.3, 0.44), *arc(0.46, 0.68, 0.26, 0.22, -0.28, 0.4)], [(0.34, 0.12), (0.76, 0.1)]],
        [[(0.7, 0.08), (0.36, 0.12), (0.3, 0.48), (0.52, 0.42), (0.72, 0.56), (0.7, 0.78), (0.5, 0.92), (0.26, 0.86)]],
    ],
    6: [
        [[(0.64, 0.08), (0.42, 0.26), (0.3, 0.52), *arc(0.5, 0.7, 0.22, 0.2, 0.5, -0.52)]],
        [[(0.56, 0.06), (0.36, 0.34), (0.28, 0.66), *arc(0.5, 0.72, 0.22, 0.19, 0.5, -0.5)]],
        [[(0.7, 0.12), (0.46, 0.16), (0.3, 0.42), (0.26, 0.7), *arc(0.49, 0.72, 0.23, 0.2, 0.5, -0.55)]],
    ],
    7: [
        [[(0.2, 0.12), (0.78, 0.12), (0.42, 0.92)]],
        [[(0.22, 0.16), (0.76, 0.1), (0.56, 0.5), (0.46, 0.92)]],
        [[(0.24, 0.12), (0.76, 0.12), (0.4, 0.92)], [(0.36, 0.5), (0.72, 0.5)]],
    ],
    8: [
        [arc(0.5, 0.29, 0.2, 0.2, 0.25, 1.25) + arc(0.5, 0.7, 0.25, 0.21, -0.25, 0.75)],
        [
            [(0.66, 0.2), (0.5, 0.08), (0.34, 0.22), (0.44, 0.42), (0.62, 0.58), (0.68, 0.76), (0.5, 0.92),
             (0.32, 0.76), (0.4, 0.56), (0.6, 0.4), (0.68, 0.22)]
        ],
        [arc(0.5, 0.3, 0.2, 0.21, 0.2, 1.2), arc(0.5, 0.71, 0.22, 0.2, -0.25, 0.77)],
    ],
    9: [
        [[*arc(0.48, 0.32, 0.22, 0.22, 0.0, -1.0), (0.7, 0.5), (0.64, 0.92)]],
        [[*arc(0.47, 0.3, 0.2, 0.21, -0.05, -1.02), (0.68, 0.6), (0.56, 0.92)]],
        [[*arc(0.48, 0.3, 0.22, 0.2, 0.0, -1.0), (0.7, 0.6), (0.66, 0.8), (0.5, 0.92), (0.32, 0.86)]],
    ],
}  # fmt: skip


def written(digit: int, hand: int, size: float = 0.7, left: float = 0.15, top: float = 0.15) -> list[Stroke]:
    """A digit in one of the hands, as large as this part of a pad and there."""
    return [[(left + size * x, top + size * y) for x, y in stroke] for stroke in DRAWN[digit][hand]]


def draw(pad: Locator, strokes: list[Stroke]) -> None:
    """Draws with the mouse on what is there, as a person would."""
    pad.scroll_into_view_if_needed()
    box, mouse = pad.bounding_box(), pad.page.mouse
    assert box is not None
    for stroke in strokes:
        for i, (x, y) in enumerate(stroke):
            mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if i == 0:
                mouse.down()
        mouse.up()
