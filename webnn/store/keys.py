"""Where blobs lie in the data bucket. The only module that knows; `parse_update` reads back what S3 reports."""

import re

PREFIX_UPDATES = "updates/"
CHECKPOINT = re.compile(r"(checkpoints/[a-z0-9-]+/(\d{12})-[0-9a-f]{32})(\.state)?\.bin")
UPDATE = re.compile(r"updates/([a-z0-9][a-z0-9-]{0,62})/([0-9a-f]{32})\.bin")


def spec(run: str, sha256: str) -> str:
    """The run's spec."""
    return f"specs/{run}/{sha256}.json"


def specs(run: str) -> str:
    """What the keys of all the run's specs begin with."""
    return f"specs/{run}/"


def budget(run: str, change: str) -> str:
    """A change of the run's budget, by an id that sorts by time. It goes with the run's specs."""
    return f"{budgets(run)}{change}.json"


def budgets(run: str) -> str:
    """What the keys of all changes of the run's budget begin with."""
    return f"specs/{run}/budget-"


def shard(sha256: str) -> str:
    """A slice of data; runs with the same data share it."""
    return f"shards/{sha256}.bin"


def checkpoint(run: str, version: int, attempt: str) -> str:
    """The weights an attempt to commit `version` wrote. The attempt makes the key nobody else's."""
    return f"checkpoints/{run}/{version:012d}-{attempt}.bin"


def state(checkpoint_key: str) -> str:
    """What the recipe remembers beside the weights of this checkpoint. It lies beside it, too, and goes with it."""
    return checkpoint_key.removesuffix(".bin") + ".state.bin"


def checkpoints(run: str) -> str:
    """What the keys of all the run's checkpoints begin with; they sort by version."""
    return f"checkpoints/{run}/"


def checkpoint_version(key: str) -> int | None:
    """The version in a key that `checkpoint` or `state` made; None for any other key."""
    found = CHECKPOINT.fullmatch(key)
    return int(found[2]) if found else None


def checkpoint_of(key: str) -> str | None:
    """The checkpoint that this blob is or lies beside; None for any other key."""
    found = CHECKPOINT.fullmatch(key)
    return f"{found[1]}.bin" if found else None


def updates(run: str) -> str:
    """What the keys of all bodies of the run's updates begin with; they sort by update id."""
    return f"{PREFIX_UPDATES}{run}/"


def update(run: str, update_id: str) -> str:
    """The body of an update."""
    return f"{PREFIX_UPDATES}{run}/{update_id}.bin"


def parse_update(key: str) -> tuple[str, str] | None:
    """Run and update id in a key that `update` made; None for any other key."""
    found = UPDATE.fullmatch(key)
    return (found[1], found[2]) if found else None
