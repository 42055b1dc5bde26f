"""What `pip install webnn` brings is what the `webnn` command imports."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

LOADED = """
import json, sys
import webnn.cli.main
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def name_of(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[ ;\[<>=!~(]", requirement, maxsplit=1)[0]).lower()


def brought(name: str, found: set[str]) -> set[str]:
    """The distribution and all that it needs without any extra."""
    if name not in found:
        found.add(name)
        try:
            needed = distribution(name).requires or []
        except PackageNotFoundError:  # for another system or Python
            needed = []
        for requirement in needed:
            if "extra ==" not in requirement:
                brought(name_of(requirement), found)
    return found


def test_the_command_starts_with_nothing_but_the_packages_own_dependencies() -> None:
    shown = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    installed, needed = packages_distributions(), brought("webnn", set())
    loaded = {name for name in json.loads(shown.stdout) if name in installed}
    assert {name for name in loaded if not needed & {name_of(one) for one in installed[name]}} == set()
    assert {"click", "requests", "webnn"} <= loaded
