"""What WebNN's functions may do where they have other names: in an app that has other things to do.

The policies of `.chalice/` are written by hand, one for each stage and function. Those of another stage, or of
functions of other names, are the same but for the names.
"""

import json
from typing import Any

from webnn.errors import Invalid

# By Chalice's names: what stands behind the API, and what WebNN adds to an app.
API = "api_handler"
SUFFIXES = {API: "", "merge": "-merge", "sweep": "-sweep"}

OURS = "WebNN"

Policy = dict[str, Any]


def policy_for(model: str, of: str, role: str, stage: str, function: str) -> Policy:
    """The policy of a function.

    Args:
        model: The text of that of a stage of WebNN's own app.
        of: That stage.
        role: What it is for: one of `SUFFIXES`.
        stage: The stage that the function is to serve.
        function: Its name on Lambda, which its log is called by.
    """
    own_log, log = f"/aws/lambda/webnn-{of}{SUFFIXES[role]}", "/aws/lambda/\0"
    text = (
        model.replace(own_log, log)
        .replace(f"webnn-{of}", f"webnn-{stage}")
        .replace(f"/webnn/{of}/", f"/webnn/{stage}/")
    )
    found: Policy = json.loads(text.replace("\0", function))
    return found


def joined(theirs: Policy, ours: Policy) -> Policy:
    """One policy of an app's statements and of ours, which are named so that they can be told from theirs.

    Ours in `theirs`, from a time before, give way.

    Raises:
        Invalid: `theirs` is no policy.
    """
    found: Any = theirs.get("Statement")
    statements: list[Any] = found if isinstance(found, list) else [found]  # a lone one may stand without brackets
    if not all(isinstance(one, dict) for one in statements):
        raise Invalid("a policy has a Statement, which is an object or a list of them")
    kept = [one for one in statements if not str(one.get("Sid", "")).startswith(OURS)]
    return {**ours, "Statement": [*kept, *({**one, "Sid": OURS + one["Sid"]} for one in ours["Statement"])]}
