"""`docs/openapi.yaml`, as something to hold answers against."""

from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft4Validator

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
    whole = {**_json_schema(schema), "components": _json_schema(DOCUMENT["components"])}
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in Draft4Validator(whole).iter_errors(value)]


def _looked_up(ref: str) -> Any:
    found: Any = DOCUMENT
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def _json_schema(schema: Any) -> Any:
    """OpenAPI 3.0 speaks of null in its own way; the rest is JSON Schema, draft 4."""
    if isinstance(schema, list):
        return [_json_schema(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _json_schema(value) for name, value in schema.items() if name != "nullable"}
    return {"anyOf": [{"type": "null"}, plain]} if schema.get("nullable") is True else plain
