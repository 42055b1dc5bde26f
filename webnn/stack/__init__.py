"""A stage's standing parts: made, changed and taken down by the same commands on any engine."""

from webnn.stack.change import create_or_update
from webnn.stack.gateway import ensure_gateway_cors
from webnn.stack.outputs import StackClients, StackOutputs, read_outputs
from webnn.stack.removal import delete
from webnn.stack.site import site_url, upload_site

__all__ = [
    "StackClients",
    "StackOutputs",
    "create_or_update",
    "delete",
    "ensure_gateway_cors",
    "read_outputs",
    "site_url",
    "upload_site",
]
