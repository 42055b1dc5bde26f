"""LocalStack for the tests, set up and started without Docker."""
