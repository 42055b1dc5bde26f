"""Errors to HTTP: one table of statuses, one JSON shape, on every answer that is not a success."""

import functools
import logging
from collections.abc import Callable, Collection
from typing import Any

import msgspec
from chalice.app import Request, Response

from webnn.errors import (
    Conflict,
    Corrupt,
    Invalid,
    Missing,
    TooLarge,
    Unauthorized,
    Unavailable,
    WebnnError,
)

LOG = logging.getLogger("webnn.api")

STATUS: dict[type[WebnnError], tuple[int, str]] = {
    Invalid: (400, "invalid"),
    Unauthorized: (401, "unauthorized"),
    TooLarge: (413, "too_large"),
    Missing: (404, "missing"),
    Conflict: (409, "conflict"),
    Corrupt: (500, "corrupt"),
    Unavailable: (503, "unavailable"),
}

# Answers that Chalice makes before a view is reached.
FRAMEWORK = {405: "method_not_allowed", 415: "unsupported_media_type"}


def failure(status: int, code: str, message: str, details: dict[str, Any] | None = None) -> Response:
    """An answer in the one error shape."""
    error = {"code": code, "message": message, "details": details or {}}
    return answer({"error": error}, status)


def answer(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON answer that nobody may cache: heads move."""
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(msgspec.json.encode(body).decode(), headers=headers, status_code=status)


def translated(view: Callable[..., Response]) -> Callable[..., Response]:
    """Makes a view answer with errors instead of raising them.

    A decorator, not middleware: Chalice turns a view's exceptions into answers before middleware sees them.
    """

    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        try:
            return view(*args, **kwargs)
        except WebnnError as error:
            return _failure_of(error)
        except Exception:
            LOG.exception("unexpected error in %s", view.__name__)
            return failure(500, "internal", "an unexpected error; it was logged")

    return wrapper


def _failure_of(error: WebnnError) -> Response:
    status, code = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if status >= 500:
        LOG.error("%s: %s", code, error.message, exc_info=error)
    return failure(status, code, error.message, error.details)


def reshaping(
    paths: Collection[str], cors: dict[str, str]
) -> Callable[[Request | None, Callable[[Any], Response]], Response]:
    """Middleware: on these paths only, gives the answers that Chalice makes by itself the one error shape, and CORS."""

    def reshape(request: Request | None, get_response: Callable[[Any], Response]) -> Response:
        response = get_response(request)
        return _reshaped(response, cors) if request is not None and request.path in paths else response

    return reshape


def _reshaped(response: Response, cors: dict[str, str]) -> Response:
    body = response.body
    if response.status_code < 400 or not (isinstance(body, dict) and "Code" in body):
        return response
    code = FRAMEWORK.get(response.status_code, "invalid" if response.status_code < 500 else "internal")
    reshaped = failure(response.status_code, code, str(body.get("Message", code)))
    reshaped.headers.update({**cors, **(response.headers or {}), "Content-Type": "application/json"})
    return reshaped
