"""Entry points of the functions: what Chalice deploys. A table of contents; the work is in `webnn`."""

import logging

from chalice.app import Chalice

from webnn.api.events import events
from webnn.api.routes import routes
from webnn.api.translate import reshape

app = Chalice(app_name="webnn")
app.log.setLevel(logging.INFO)  # Chalice shows errors only; what an update's way is followed by is no error
app.register_middleware(reshape, "http")
app.register_blueprint(routes)
app.register_blueprint(events)
