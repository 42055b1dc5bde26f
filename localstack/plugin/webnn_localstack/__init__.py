"""What LocalStack 4.9.2 needs to run on a machine without Docker, through its own entry points.

A gateway that only this machine can reach, functions in subprocesses, and DynamoDB answered by a server that runs
already.
"""
