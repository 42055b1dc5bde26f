"""A blueprint for any number of apps."""

import functools
from copy import deepcopy
from typing import Any

from chalice.app import Blueprint, Chalice


class Lasting(Blueprint):
    """Registers the same with each app.

    Chalice's own empties what it knows of a route when it registers it: in a second app, and in one that a test makes
    anew, every POST would be a GET without CORS. And it would ask the second app for the request of the first.
    """

    def _register_handler(
        self,
        handler_type: str,
        name: str,
        user_handler: Any,
        wrapped_handler: Any,
        kwargs: dict[str, Any],
        options: dict[Any, Any] | None = None,
    ) -> None:
        def register(app: Chalice, options: dict[str, Any]) -> None:
            @functools.wraps(user_handler)
            def here(*args: Any, **kwargs: Any) -> Any:
                self._current_app = app
                return user_handler(*args, **kwargs)

            once = Blueprint(self._import_name)
            once._register_handler(handler_type, name, here, wrapped_handler, deepcopy(kwargs))
            once.register(app, options)

        self._deferred_registrations.append(register)
