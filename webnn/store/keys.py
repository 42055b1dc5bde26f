"""Where blobs lie in the data bucket. The only module that knows; `parse_update` reads back what S3 reports."""

PREFIX_UPDATES = "updates/"


def spec(run: str, sha256: str) -> str:
    """The run's spec."""
    return f"specs/{run}/{sha256}.json"


def shard(sha256: str) -> str:
    """A slice of data; runs with the same data share it."""
    return f"shards/{sha256}.bin"


def checkpoint(run: str, version: int, attempt: str) -> str:
    """The weights an attempt to commit `version` wrote. The attempt makes the key nobody else's."""
    return f"checkpoints/{run}/{version:012d}-{attempt}.bin"


def update(run: str, update_id: str) -> str:
    """The body of an update."""
    return f"{PREFIX_UPDATES}{run}/{update_id}.bin"


def parse_update(key: str) -> tuple[str, str] | None:
    """Run and update id in a key that `update` made; None for any other key."""
    parts = key.removesuffix(".bin").split("/")
    if not key.startswith(PREFIX_UPDATES) or not key.endswith(".bin") or len(parts) != 3:
        return None
    return parts[1], parts[2]
