"""The app, asked the way the gateway asks it. Every answer is held against the document."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalice.test import Client, HTTPResponse
from document import operation_at, schema_of, violations
from samples import World


@dataclass
class Api:
    """A client of the app.

    Attributes:
        world: The run behind it.
    """

    world: World
    client: Client
    token: str = ""

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTTPResponse:
        """One request. Fails the test if the answer is not one that the document promises."""
        bearer = self.token if token is None else token
        sent = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        answer = self.client.http.request(method, path, headers=sent | dict(headers or {}), body=body)
        promised(method, path, answer)
        return answer

    def get(self, path: str, **kwargs: Any) -> Any:
        """What a GET that succeeds answers."""
        return self._done(self.call("GET", path, **kwargs))

    def post(self, path: str, body: Any, **kwargs: Any) -> Any:
        """What a POST that succeeds answers."""
        return self._done(self.call("POST", path, json.dumps(body).encode(), **kwargs))

    def refused(self, method: str, path: str, body: Any = b"", **kwargs: Any) -> tuple[int, str]:
        """Status and code of a request that does not succeed."""
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.call(method, path, encoded, **kwargs)
        assert answer.status_code >= 400, answer.body
        return answer.status_code, answer.json_body["error"]["code"]

    def join(self, run: str = "line") -> None:
        """Joins; later calls are the new client's."""
        self.token = self.post(f"/runs/{run}/clients", {})["token"]

    @staticmethod
    def _done(answer: HTTPResponse) -> Any:
        assert answer.status_code in (200, 201), answer.body
        return answer.json_body


def promised(method: str, path: str, answer: HTTPResponse) -> None:
    """Whatever was asked: JSON that the document describes, open to pages of any origin, kept in no cache."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["content-type"] == "application/json"
    assert headers["access-control-allow-origin"] == "*"
    schema = schema_of(operation_at(method, path), answer.status_code)
    assert violations(schema, answer.json_body) == []
    assert answer.status_code < 500 or answer.json_body["error"]["code"] in ("corrupt", "unavailable")
    if answer.status_code not in (405, 415):  # Chalice's own
        assert headers["cache-control"] == "no-store"
