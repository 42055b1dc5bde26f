"""WebNN in a Chalice app: its own (`app.py`), or one that has other things to do. `docs/embedding.md` is the tutorial.

    from webnn.chalice import blueprint

    app.register_blueprint(blueprint, url_prefix="/training", name_prefix="webnn_")

That mounts the API under the prefix, and the functions `webnn_merge`, which answers the doorbell, and `webnn_sweep`.
Which stage they serve stands in the variable `WEBNN_STAGE`, at deployment as later. Nothing else of the app is touched:
not its routes, its errors, its functions, its log.
"""

from typing import Any

from chalice.app import Blueprint, Chalice

from webnn.api.events import events
from webnn.api.routes import routes
from webnn.api.translate import reshaping

__all__ = ["blueprint"]


class WebNN(Blueprint):
    """The routes and the functions as one blueprint."""

    def register(self, app: Chalice, options: dict[str, Any]) -> None:
        """What `register_blueprint` calls."""
        prefix = options.get("url_prefix") or ""
        if prefix and not prefix.startswith("/"):
            raise ValueError(f"url_prefix={prefix!r}: begin it with a slash, as in '/{prefix}'")
        super().register(app, options)
        before = set(app.routes)
        for part in (routes, events):
            part.register(app, options)
        app.register_middleware(reshaping(set(app.routes) - before), "http")


blueprint = WebNN(__name__)
