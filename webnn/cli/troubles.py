"""What keeps clients from training, for the run's owner. The words are strangers': see `webnn.failures`."""

from webnn.failures import Trouble, Troubles

LISTED = 5


def in_short(found: Troubles) -> str | None:
    """In one line, with the newest words; None if no client reported anything."""
    if not found.alike:
        return None
    newest, kinds = _words(found.alike[0]), len(found.alike)
    reasons = f", for {kinds} reasons; the last" if kinds > 1 else ""
    return f"{counted(found)} could not train{reasons}: {newest}"


def at_length(found: Troubles) -> list[str]:
    """A line for each kind of words, the newest first."""
    lines = [f"{one.clients}: {_words(one)}" for one in found.alike[:LISTED]]
    left = len(found.alike) - LISTED
    return [*lines, f"… and {left} more"] if left > 0 else lines


def counted(found: Troubles) -> str:
    """How many clients."""
    return f"{found.clients} client{'' if found.clients == 1 else 's'}" + (" or more" if found.more else "")


def _words(one: Trouble) -> str:
    return f"{one.message} ({one.detail})" if one.detail else one.message
