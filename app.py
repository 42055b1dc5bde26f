"""Entry points of the functions: what Chalice deploys. The work is in `webnn`."""

import logging

from chalice.app import Chalice

from webnn.chalice import blueprint

app = Chalice(app_name="webnn")
app.log.setLevel(logging.INFO)  # Chalice shows errors only; what an update's way is followed by is no error
app.register_blueprint(blueprint)
