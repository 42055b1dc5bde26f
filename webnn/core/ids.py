"""Identifiers that sort by the time they were made."""

RANDOM_BYTES = 10


def make_id(now: int, random: bytes) -> str:
    """32 hexadecimal digits: 48 bits of milliseconds, then 80 random bits.

    Args:
        now: Milliseconds since 1970.
        random: `RANDOM_BYTES` bytes from a cryptographic source.
    """
    return f"{now:012x}{random.hex()}"


def first_id(now: int) -> str:
    """The id below all that are made from then on; milliseconds since 1970."""
    return make_id(now, bytes(RANDOM_BYTES))
