"""Looks for what people have drawn, typed or dropped in what their browser has sent."""

import base64
from collections.abc import Iterator

import numpy as np
from lines import Line

from webnn.core.wire import Array


def forms_of(values: Array) -> Iterator[bytes]:
    """How an example could be hidden in a request: as numbers of any kind, in base64 or hexadecimal, in JSON."""
    bodies = [values.astype(kind).tobytes() for kind in ("<f4", "<f8", "<f2", "<i4", "<u1")]
    bodies += [
        np.rint(values * factor).astype(kind).tobytes() for factor in (16, 255) for kind in ("<u1", "<i4", "<u2")
    ]
    for body in bodies:
        if len(body) < 12 or len(set(body)) < 4:
            continue  # such a row of bytes is in anything
        yield body
        yield body.hex().encode()
        yield from (base64.b64encode(body[start : start + (len(body) - start) // 3 * 3]) for start in range(3))
    yield ",".join(f"{value:g}" for value in values).encode()
    yield from (f"{abs(value):.9f}"[:10].encode() for value in values.tolist() if value != round(value, 4))


def nothing_of(examples: list[Array], wire: Line) -> None:
    """Of no example there is a row of numbers, in whatever form, in an address, a header or a body."""
    assert wire.heard
    for example in examples:
        middle = example[len(example) // 2 - min(12, len(example) // 2) :][:24]
        for form in forms_of(middle):
            for head, body in wire.heard:
                assert form not in body, (head, form)
                assert form not in head.encode(), head
