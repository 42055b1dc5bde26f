"""What others add: rules, folds and optimizers of installed packages, found by their entry points.

A package names a class in one of the groups `webnn.rules`, `webnn.robust`, `webnn.optimizers`, `webnn.discounts`:

    [project.entry-points."webnn.rules"]
    elastic = "their_package.elastic:Elastic"

The class is a frozen msgspec Struct with `tag_field="name"`; its tag is what a spec calls it by. It has to be installed
where the run is started and where it is merged, so it belongs into the functions' requirements.txt too.

What does not fit is left out with a line in the log. It must not keep others from their work: one class that msgspec
cannot tell from the rest would otherwise make every spec unreadable.
"""

import logging
from collections.abc import Sequence
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from operator import or_
from typing import Any, get_args

import msgspec

LOG = logging.getLogger(__name__)


def union(group: str, *known: type, members: Sequence[str]) -> Any:
    """The union of the known kinds and of what is installed in this group, to decode a spec's member as.

    Args:
        group: Of entry points.
        known: Those that are here.
        members: What a kind must have beside its parameters.
    """
    found = reduce(or_, known)
    for point in entry_points(group=group):
        found = _with(found, point, members)
    return found


def _with(found: Any, point: EntryPoint, members: Sequence[str]) -> Any:
    """The union and the class that the entry point names; the union alone if that cannot be had."""
    try:
        kind = point.load()
        _check(kind, members)
        if _tag(kind) in map(_tag, get_args(found)):
            raise TypeError(f"there is a {_tag(kind)!r} already")
        together = found | kind
        msgspec.json.Decoder(together)  # refuses what it could not tell from the others, or not decode at all
    except (Exception, SystemExit) as error:  # whatever a stranger's module does when it is imported
        why = " ".join(f"{type(error).__name__}: {error}".split())  # on a line: every command says it again
        LOG.error("the entry point %s of group %s is left out: %s", point.name, point.group, why)
        return found
    return together


def _check(kind: Any, members: Sequence[str]) -> None:
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        raise TypeError(f"{kind!r} is no msgspec Struct")
    config = kind.__struct_config__
    if config.tag_field != "name" or not isinstance(config.tag, str) or not config.frozen:
        raise TypeError(f'{kind.__name__} is not frozen, with tag_field="name" and a tag of its own')
    there = {name for one in kind.__mro__ for name in vars(one)}
    if missing := [name for name in members if name not in there]:
        raise TypeError(f"{kind.__name__} lacks {', '.join(missing)}")


def _tag(kind: type) -> Any:
    """What a spec calls it by."""
    return kind.__struct_config__.tag  # type: ignore[attr-defined]  # every msgspec Struct has it
