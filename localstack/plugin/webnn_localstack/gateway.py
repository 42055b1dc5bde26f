"""The gateway on loopback. As shipped, LocalStack 4.9.2 takes the port of GATEWAY_LISTEN and ignores its host."""

import os
import socket

from localstack.config import HostAndPort
from localstack.runtime.server.twisted import TwistedRuntimeServer
from rolo.gateway import Gateway
from rolo.serving.twisted import TwistedGateway
from twisted.internet import reactor
from twisted.internet.endpoints import AdoptedStreamServerEndpoint

from webnn_localstack.settings import LISTENER


class LoopbackServer(TwistedRuntimeServer):
    """LocalStack's server on a socket that was bound before it started. HTTP only: loopback needs no certificate."""

    def register(self, gateway: Gateway, listen: list[HostAndPort], ssl_creds: tuple[str, str] | None = None) -> None:
        """Serves the gateway on the socket, whatever addresses LocalStack would have it listen on."""
        descriptor = int(os.environ[LISTENER])
        endpoint = AdoptedStreamServerEndpoint(reactor, descriptor, socket.AF_INET)
        endpoint.listen(TwistedGateway(gateway))
