"""What an uploaded update must be before it may touch the weights."""

import numpy as np

from webnn.core.merge import norm
from webnn.core.records import Update
from webnn.core.spec import Spec
from webnn.core.wire import Body, Vector, decode_vector, sha256
from webnn.errors import Invalid


def checked_delta(spec: Spec, update: Update, body: Body) -> Vector:
    """The delta in an update's body, float32 [parameters]: as long as announced, unaltered, finite, of bounded norm.

    Raises:
        Invalid: It is not; the message is the reason that is recorded.
    """
    if len(body) != update.bytes:
        raise Invalid(f"{len(body)} bytes were uploaded, {update.bytes} announced")
    if sha256(body) != update.sha256:
        raise Invalid("the SHA-256 of the body is not the announced one")
    delta = decode_vector(spec.weights, body, update.encoding, update.quantization)
    size = norm(delta)
    if not np.isfinite(size):
        raise Invalid("the delta holds NaN or infinity")
    if size > spec.limits.delta_norm:
        raise Invalid(f"the delta's norm {size:.6g} is over the limit {spec.limits.delta_norm:.6g}")
    return delta
