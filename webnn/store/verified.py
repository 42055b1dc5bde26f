"""Blobs that a row names by key and hash."""

from webnn.core.wire import Body, sha256
from webnn.errors import Corrupt, Missing
from webnn.store.ports import Blobs


def verified(blobs: Blobs, key: str, digest: str) -> Body:
    """The blob under the key.

    Raises:
        Corrupt: It is gone, or its SHA-256 is not `digest`. What a row names is never deleted or overwritten.
        Unavailable: The store did not answer.
    """
    try:
        body = blobs.get(key)
    except Missing as error:
        raise Corrupt(f"{key} is gone", key=key) from error
    if sha256(body) != digest:
        raise Corrupt(f"{key} is not what its row says", key=key)
    return body
