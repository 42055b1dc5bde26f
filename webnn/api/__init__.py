"""The edge: HTTP requests, queue messages and the schedule, each handed to a use case."""
