"""`webnn policies`: what an app of somebody else's must allow the functions that WebNN brings along."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from webnn.cli import stage as stages
from webnn.errors import Invalid, Missing
from webnn.stack.policies import API, SUFFIXES, Policy, joined, policy_for

# Whose policies and settings are taken over.
MODEL = "prod"


@click.command()
@click.argument("app", type=click.Path(path_type=Path), default=".")
@stages.option
@click.option("--app-stage", default=None, help="What the app calls the stage. [default: as --stage]")
@click.option("--prefix", default="webnn_", show_default=True, help="The name_prefix of register_blueprint.")
@click.option("--with", "own", type=click.Path(path_type=Path), default=None,
              help="A policy of the app's own API function: what it allows stays allowed.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the result as one line of JSON.")
def policies(app: Path, stage: str, app_stage: str | None, prefix: str, own: Path | None, as_json: bool) -> None:
    """Write the IAM policies for an app WebNN is mounted in.

    Those of WebNN's functions in the Chalice app APP (by default this folder).

    They go into its .chalice/, each as narrow as that of WebNN's own app; what belongs into .chalice/config.json is
    printed. Nothing else is changed. docs/embedding.md has the whole of it.
    """
    app_stage = app_stage or stage
    name = _read(app / ".chalice" / "config.json").get("app_name")
    if not isinstance(name, str):
        raise Invalid(f"{app / '.chalice' / 'config.json'} has no app_name")
    written = []
    for role in SUFFIXES:
        path = app / ".chalice" / _file(app_stage, role)
        path.write_text(json.dumps(_policy(role, stage, f"{name}-{app_stage}", prefix, own), indent=2) + "\n")
        written.append(path)
    config = _config(stage, app_stage, prefix)
    if as_json:
        stages.print_json({"files": [str(path) for path in written], "config": config})
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for path in written:
        console.print(f"✓ {path}")
    console.print(f"Into the stage {app_stage!r} of {app / '.chalice' / 'config.json'} belongs:")
    console.print(json.dumps(config, indent=2))


def _policy(role: str, stage: str, app: str, prefix: str, own: Path | None) -> Policy:
    model = (stages.CHECKOUT / ".chalice" / f"policy-{MODEL}-{role.removesuffix('_handler')}.json").read_text()
    function = app if role == API else f"{app}-{prefix}{role}"
    found = policy_for(model, MODEL, role, stage, function)
    return joined(_read(own), found) if own and role == API else found


def _config(stage: str, app_stage: str, prefix: str) -> dict[str, Any]:
    """A stage's section of an app's `config.json`, as that of WebNN's own app is."""
    ours = _read(stages.CHECKOUT / ".chalice" / "config.json")
    functions = {
        role if role == API else prefix + role: {**settings, "iam_policy_file": _file(app_stage, role)}
        for role, settings in ours["stages"][MODEL]["lambda_functions"].items()
    }
    return {
        "environment_variables": {**ours["environment_variables"], "WEBNN_STAGE": stage},
        "lambda_functions": functions,
    }


def _file(app_stage: str, role: str) -> str:
    return f"webnn-policy-{app_stage}-{role.removesuffix('_handler')}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise Missing(f"{path} is not there: is this the folder of a Chalice app?") from error
    except (OSError, ValueError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise Invalid(f"{path} holds no JSON object")
    return found
