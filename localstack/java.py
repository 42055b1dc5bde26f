"""The Java that this machine has."""

import re
import shutil
import subprocess
from pathlib import Path

from webnn.errors import Missing

OLDEST = 17
SECONDS = 30.0


def find_libjvm() -> Path:
    """The library to load a Java into a process with.

    Raises:
        Missing: There is no `java` on PATH, or only an old one.
    """
    java = shutil.which("java")
    if java is None:
        raise Missing(f"there is no java on PATH (DynamoDB Local needs Java {OLDEST})")
    told = _properties(java)
    version = int(told.get("java.specification.version", "0").partition(".")[0])
    if version < OLDEST:
        raise Missing(f"java on PATH is too old (DynamoDB Local needs Java {OLDEST})", version=version)
    found = next(Path(told["java.home"]).glob("lib/**/libjvm.*"), None)
    if found is None:
        raise Missing("java on PATH comes without its library, libjvm", home=told["java.home"])
    return found


def _properties(java: str) -> dict[str, str]:
    command = [java, "-XshowSettings:properties", "-version"]
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    return dict(re.findall(r"^\s+(java\.\S+) = (.*)$", told.stderr, re.MULTILINE))
