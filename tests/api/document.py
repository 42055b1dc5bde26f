"""`docs/openapi.yaml`, as something to hold answers against."""

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "docs" / "openapi.yaml").read_text())
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> set[tuple[str, str]]:
    """Method and path of every operation."""
    paths: dict[str, Any] = DOCUMENT["paths"]
    return {(method.upper(), path) for path, item in paths.items() for method in item.keys() & METHODS}


def operation_at(method: str, path: str) -> dict[str, Any]:
    """The operation that a request addresses."""
    steps = path.partition("?")[0].strip("/").split("/")
    for template, item in DOCUMENT["paths"].items():
        parts = template.strip("/").split("/")
        fits = [part.startswith("{") or part == step for part, step in zip(parts, steps, strict=False)]
        if len(parts) == len(steps) and all(fits):
            found: dict[str, Any] = item.get(method.lower(), {})
            return found
    raise LookupError(f"{method} {path} is not in the document")


def schema_of(operation: dict[str, Any], status: int) -> dict[str, Any]:
    """The schema of an answer; errors that no operation names have the one error shape."""
    responses = operation.get("responses", {})
    response = responses.get(str(status)) or {"$ref": "#/components/responses/Error"}
    while "$ref" in response:
        response = _looked_up(response["$ref"])
    found: dict[str, Any] = response["content"]["application/json"]["schema"]
    return found


def violations(schema: dict[str, Any], value: Any) -> list[str]:
    """What is wrong with a value, by its schema."""
    whole = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in whole.iter_errors(value)]


def _looked_up(ref: str) -> Any:
    found: Any = DOCUMENT
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found
