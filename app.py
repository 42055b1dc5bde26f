"""Entry points of the functions: what Chalice deploys. A table of contents; the work is in `webnn`."""

from chalice.app import Chalice

from webnn.api.events import events
from webnn.api.routes import routes
from webnn.api.translate import reshape

app = Chalice(app_name="webnn")
app.register_middleware(reshape, "http")
app.register_blueprint(routes)
app.register_blueprint(events)
