"""What else may be in an app that the API is mounted in.

The rest would be refused at deployment, or worse, take what is meant for ours.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from chalice.app import Chalice

from webnn.errors import Invalid

Methods = dict[str, Any]


def check_route(path: str, ours: Collection[str]) -> None:
    """Whether a route of the app can stand beside these.

    Raises:
        Invalid: API Gateway would refuse the two, or would not find what is ours.
    """
    for other in ours:
        reason = _against(path.split("/"), other.split("/"))
        if reason:
            raise Invalid(f"the route {path} cannot stand beside WebNN's {other}: {reason}", route=path, ours=other)


def _against(theirs: list[str], ours: list[str]) -> str | None:
    if theirs == ours:
        return "all methods of that path are WebNN's; choose another path, or another url_prefix for WebNN"
    apart = [pair for pair in zip(theirs, ours, strict=False) if pair[0] != pair[1]]
    if not apart or not apart[0][1].startswith("{"):
        return None
    one, other = apart[0]
    if one.startswith("{"):
        return f"API Gateway wants one name for a parameter in one place; call yours {other}, too"
    return f"whatever has {one!r} for its {other} could not be reached; choose another path"


def check_names(app: Chalice, ours: Collection[str]) -> None:
    """Whether the functions that the app has are called otherwise than these.

    Raises:
        Invalid: one is not. Chalice would put ours in its place, and say so no earlier than at deployment.
    """
    functions: list[Any] = [*app.event_sources, *app.pure_lambda_functions, *app.builtin_auth_handlers]
    for name in sorted({one.name for one in functions} & set(ours)):
        raise _same(name)


def _same(name: str) -> Invalid:
    message = (
        f"the app has something called {name!r}, as WebNN does: give register_blueprint a name_prefix, as in 'webnn_'"
    )
    return Invalid(message, name=name)


class Beside(defaultdict[str, Methods]):
    """An app's routes, in which those that come later have to go with ours, too."""

    def __init__(self, routes: dict[str, Methods], ours: Collection[str]) -> None:
        super().__init__(dict, routes)
        self._ours = [*ours]
        self.update({path: _Whole(path, routes[path]) for path in ours})
        if isinstance(routes, Beside):  # WebNN is mounted there already, under another prefix
            self._ours += routes._ours

    def __missing__(self, path: str) -> Methods:
        check_route(path, self._ours)
        return super().__missing__(path)


class Named(dict[str, Any]):
    """What an app calls by name, in which those that come later are not called as our functions are."""

    def __init__(self, handlers: dict[str, Any], ours: Collection[str]) -> None:
        super().__init__(handlers)
        self._ours = frozenset(ours)
        if isinstance(handlers, Named):
            self._ours |= handlers._ours

    def __setitem__(self, name: str, handler: Any) -> None:
        if name in self._ours:
            raise _same(name)
        super().__setitem__(name, handler)


class _Whole(Methods):
    """The methods of one of our paths: no others come to it."""

    def __init__(self, path: str, methods: Methods) -> None:
        super().__init__(methods)
        self._path = path

    def __setitem__(self, method: str, entry: Any) -> None:
        check_route(self._path, [self._path])
