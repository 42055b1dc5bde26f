"""What this package is told through the environment, by names of its own."""

# The descriptor of the socket that the gateway serves. It is bound already, so LocalStack has no say in the address.
LISTENER = "WEBNN_LISTENER"
# Where DynamoDB answers.
DYNAMODB_URL = "WEBNN_DYNAMODB_URL"
# The interpreter that runs functions: an environment that holds what Lambda provides, and nothing else.
FUNCTION_PYTHON = "WEBNN_FUNCTION_PYTHON"

LOOPBACK = "127.0.0.1"
