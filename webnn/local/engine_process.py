"""The embedded engine's own process: MiniStack on a socket that the parent has bound.

Run as a script, `python -I engine_process.py FD`. It imports nothing of this package, so that it starts the same
from an isolated interpreter. The parent holds the other end of standard input and never writes: its end is the
end of the parent, by whatever death, and then this process goes too.

MiniStack believes a request that says it is signed by a root key, and two kinds of root key are known to all:
`test` and any twelve digits. It also resets itself for whoever asks. With its checks on, `Guard` refuses both, or
any web page that guessed the port could pose as the owner.
"""

import asyncio
import importlib
import os
import re
import sys
import threading
from typing import Any
from urllib.parse import unquote_plus

from hypercorn.asyncio import serve
from hypercorn.config import Config

# Longer than a client keeps an idle connection pooled: an engine that hangs up first breaks requests at random.
KEEP_ALIVE_SECONDS = 75.0
CLAIMED_KEY = re.compile(r"(?:credential=|awsaccesskeyid=|^aws )\s*([^/&,:\s]*)", re.IGNORECASE)
KNOWN_TO_ALL = re.compile(r"test|\d{12}")
ADMIN = "/_ministack/"
OPEN = {"/_ministack/ready", "/_ministack/health"}
REFUSAL = b'{"message": "refused: not with a key that everybody knows, and not the engine\'s own controls"}'


class Guard:
    """Lets through what the engine can be trusted to check by itself."""

    def __init__(self, app: Any) -> None:
        """Takes the engine's ASGI application."""
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves one connection, or refuses it."""
        if scope["type"] != "http" or not _poses_as_owner(scope):
            await self._app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(REFUSAL)).encode())]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": REFUSAL})


def _poses_as_owner(scope: Any) -> bool:
    if scope["path"].startswith(ADMIN) and scope["path"] not in OPEN:
        return True
    claims = [value for name, value in scope["headers"] if name.lower() == b"authorization"]
    texts = [claim.decode("latin-1") for claim in claims] + [unquote_plus(scope["query_string"].decode("latin-1"))]
    return any(KNOWN_TO_ALL.fullmatch(key) for text in texts for key in CLAIMED_KEY.findall(text))


def main(descriptor: str) -> None:
    """Serves until the parent is gone or a signal says so."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    config = Config()
    config.bind = [f"fd://{descriptor}"]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.loglevel = "WARNING"
    app = importlib.import_module("ministack.app").app
    asyncio.run(serve(Guard(app) if os.environ["AUTH"] == "true" else app, config))


def _die_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    # There is no state to save, and a graceful end would wait for open connections.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
