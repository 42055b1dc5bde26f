"""WebNN in a Chalice app: its own (`app.py`), or one that has other things to do. `docs/embedding.md` is the tutorial.

    from webnn.chalice import blueprint

    app.register_blueprint(blueprint, url_prefix="/training", name_prefix="webnn_")

That mounts the API under the prefix, and the functions `webnn_merge`, which answers the doorbell, and `webnn_sweep`.
Which stage they serve stands in the variable `WEBNN_STAGE`, at deployment as later. Nothing else of the app is touched:
not its routes, its errors, its functions, its log.
"""

from typing import Any

from chalice.app import Blueprint, Chalice, CORSConfig

from webnn.api.events import events
from webnn.api.neighbours import Beside, Named, check_names, check_route
from webnn.api.routes import routes
from webnn.api.translate import reshaping
from webnn.errors import Invalid

__all__ = ["WebNN", "blueprint"]


class WebNN(Blueprint):
    """The routes and the functions as one blueprint.

    Args:
        cors: Which pages of other origins may take part; those of any origin where none is given. The app's own
            `app.api.cors` is for its own routes.
    """

    def __init__(self, *, cors: CORSConfig | None = None) -> None:
        super().__init__(__name__)
        self._cors = cors or CORSConfig()

    def register(self, app: Chalice, options: dict[str, Any]) -> None:
        """What `register_blueprint` calls.

        Raises:
            Invalid: the prefix cannot be one, or something of the app is in the way; the message names both.
        """
        _check_prefix(options.get("url_prefix") or "")
        ours = _alone(options)
        check_names(app, ours.handler_map)
        for path in app.routes:
            check_route(path, ours.routes)
        super().register(app, options)
        for part in (routes, events):
            part.register(app, options)
        for path in ours.routes:
            for entry in app.routes[path].values():
                entry.cors = self._cors
        app.routes = Beside(app.routes, list(ours.routes))
        app.handler_map = Named(app.handler_map, [one.name for one in ours.event_sources])
        app.register_middleware(reshaping(ours.routes, self._cors.get_access_control_headers()), "http")


def _check_prefix(prefix: str) -> None:
    if prefix and not prefix.startswith("/"):
        raise Invalid(f"url_prefix={prefix!r}: begin it with a slash, as in '/{prefix}'")
    if "{" in prefix:
        raise Invalid(f"url_prefix={prefix!r}: WebNN's views take no parameter of yours; leave it out")


def _alone(options: dict[str, Any]) -> Chalice:
    """An app of nothing but ours, to see which paths and names those are."""
    app = Chalice("webnn", configure_logs=False, env={})
    for part in (routes, events):
        part.register(app, options)
    return app


blueprint = WebNN()
