"""What others add: rules, folds and optimizers of installed packages, found by their entry points.

A package names a class in one of the groups `webnn.rules`, `webnn.robust`, `webnn.optimizers`, `webnn.discounts`:

    [project.entry-points."webnn.rules"]
    elastic = "their_package.elastic:Elastic"

The class is a frozen msgspec Struct with `tag_field="name"`; its tag is what a spec calls it by. It has to be installed
where the run is started and where it is merged, so it belongs into the functions' requirements.txt too.
"""

import logging
from functools import reduce
from importlib.metadata import EntryPoint, entry_points
from operator import or_
from typing import Any

LOG = logging.getLogger(__name__)


def union(group: str, *known: type) -> Any:
    """The union of the known kinds and of what is installed in this group, to decode a spec's member as."""
    names = {_tag(one) for one in known}
    found = (kind for point in entry_points(group=group) if (kind := _loaded(point, names)))
    return reduce(or_, [*known, *found])


def _loaded(point: EntryPoint, names: set[Any]) -> type | None:
    """The class, its tag added to the names; None if it cannot be had, which must not keep others from their work."""
    try:
        kind: type = point.load()
        tag = _tag(kind)
    except Exception:  # whatever a stranger's module does when it is imported
        LOG.exception("the entry point %s of group %s is left out", point.name, point.group)
        return None
    if tag in names:
        LOG.error("the entry point %s of group %s is left out: there is a %s already", point.name, point.group, tag)
        return None
    names.add(tag)
    return kind


def _tag(kind: type) -> Any:
    """What a spec calls it by."""
    return kind.__struct_config__.tag  # type: ignore[attr-defined]  # every msgspec Struct has it
