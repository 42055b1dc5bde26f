"""`webnn.Client`: a Python program takes part in a run as a browser does, over the HTTP API alone."""
