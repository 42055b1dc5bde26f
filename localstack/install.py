"""Sets up what the tests need to run LocalStack without Docker: `python3 localstack/install.py`.

Everything goes to `.localstack/` of the checkout: LocalStack with our plug-in, what Lambda provides to functions, and
DynamoDB Local where there are Java and Maven. Parts that are as they should be are left alone. Exit code 3 says that
this machine cannot have it, and the message why; 1 that something failed that may work another time.
"""

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
if __package__ in (None, ""):
    sys.path[0] = str(CHECKOUT)  # run as a script

from localstack.java import find_libjvm
from webnn.errors import Missing, Unavailable, WebnnError

ROOT = CHECKOUT / ".localstack"
LOCALSTACK_PYTHON = ROOT / "venv" / "bin" / "python"
FUNCTION_PYTHON = ROOT / "functions" / "bin" / "python"
DYNAMODB = ROOT / "dynamodb"

PYTHON = (3, 11)
CANNOT = 3
LOG_TAIL = 2_000
# sqlite4java, which DynamoDB Local stores rows in, comes compiled for these machines only.
MACHINES = {"x86_64", "amd64"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """Something to set up.

    Attributes:
        title: For people.
        inputs: The files that it is made from; when one of them changes, it is made anew.
        make: Makes it.
    """

    name: str
    title: str
    inputs: Sequence[Path]
    make: Callable[[], None]

    @property
    def stamp(self) -> Path:
        """Says what the part was made from."""
        return ROOT / f"{self.name}.stamp"

    def is_current(self) -> bool:
        """Whether it was made, from just these inputs."""
        return self.stamp.exists() and self.stamp.read_text() == self.digest()

    def digest(self) -> str:
        """Of everything that it is made from."""
        found = hashlib.sha256(str(ROOT).encode())
        for file in self.inputs:
            found.update(f"\0{file.relative_to(HERE)}\0".encode() + file.read_bytes())
        return found.hexdigest()


def parts() -> list[Part]:
    """What LocalStack needs, in order."""
    lock, functions = HERE / "requirements.lock", HERE / "functions.lock"
    plugin = [*sorted((HERE / "plugin").glob("**/*.py")), HERE / "plugin" / "pyproject.toml"]
    return [
        Part("venv", "LocalStack 4.9.2 (500 MB, a few minutes)", [lock], _make_venv),
        Part("plugin", "our plug-in for it", [lock, *plugin], _make_plugin),
        Part("functions", "what Lambda provides to functions", [lock, functions], _make_functions),
    ]


def dynamodb() -> Part:
    """AWS's DynamoDB Local. Where it cannot be, MiniStack answers for DynamoDB."""
    pom = HERE / "dynamodb-local.xml"
    return Part("dynamodb", "DynamoDB Local (50 MB)", [pom], lambda: _make_dynamodb(pom))


def install(say: Say) -> None:
    """Makes what is not made yet.

    Raises:
        Missing: This machine lacks what LocalStack needs.
        Unavailable: Something failed, such as a download; `details["log"]` has its last words.
    """
    ROOT.mkdir(exist_ok=True)
    with _alone():
        for part in parts():
            _bring_up_to_date(part, say)
        obstacle = dynamodb_obstacle()
        if obstacle is None:
            _bring_up_to_date(dynamodb(), say)
        else:
            say(f"DynamoDB will be answered by MiniStack: {obstacle}")


def check_installed() -> None:
    """Makes sure that LocalStack can be started.

    Raises:
        Missing: It is not set up; the message says what to do, or why nothing can be done.
    """
    if not all(part.is_current() for part in parts()):
        _find_python()
        raise Missing("LocalStack is not set up, or not as this checkout wants it: run `make localstack`")


def dynamodb_obstacle() -> str | None:
    """Why DynamoDB Local cannot be set up here; None if it can be, or is."""
    if dynamodb().is_current() and shutil.which("java"):
        return None
    if platform.machine().lower() not in MACHINES:
        return f"DynamoDB Local's sqlite4java does not come compiled for {platform.machine()}"
    try:
        find_libjvm()
    except Missing as error:
        return error.message
    if shutil.which("mvn") is None:
        return "there is no mvn on PATH (DynamoDB Local comes from Maven Central)"
    return None


def _bring_up_to_date(part: Part, say: Say) -> None:
    if part.is_current():
        return
    say(f"setting up {part.title} …")
    part.stamp.unlink(missing_ok=True)
    part.make()
    part.stamp.write_text(part.digest())


def _make_venv() -> None:
    python = _find_python()
    _clear(ROOT / "venv")
    _run([python, "-I", "-m", "venv", str(ROOT / "venv")])
    # The lock is complete, so nothing is to be resolved.
    _pip("install", "--no-deps", "-r", str(HERE / "requirements.lock"))


def _make_plugin() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Building leaves files beside the sources.
        copy = shutil.copytree(HERE / "plugin", Path(folder) / "plugin")
        _pip("install", "--no-deps", "--no-build-isolation", "--force-reinstall", str(copy))
    _pip("check")


def _make_functions() -> None:
    python = _find_python()
    _clear(ROOT / "functions")
    # Without pip and setuptools: a function that needs them has to bring them.
    _run([python, "-I", "-m", "venv", "--without-pip", str(ROOT / "functions")])
    _pip("--python", str(FUNCTION_PYTHON), "install", "--no-deps", "-r", str(HERE / "functions.lock"))


def _make_dynamodb(pom: Path) -> None:
    _clear(DYNAMODB)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={DYNAMODB}", "-DincludeScope=runtime"]
    _run(["mvn", "--batch-mode", "--quiet", "--strict-checksums", "-f", str(pom), *goal])


def _find_python() -> str:
    wanted = ".".join(map(str, PYTHON))
    if sys.version_info[:2] == PYTHON:
        return sys.executable
    found = shutil.which(f"python{wanted}")
    if found is None:
        raise Missing(
            f"LocalStack 4.9.2 without Docker needs Python {wanted}: this is {platform.python_version()}, "
            f"and there is no python{wanted} on PATH",
            part=f"python{wanted}",
        )
    return found


def _pip(*arguments: str) -> None:
    _run([str(LOCALSTACK_PYTHON), "-I", "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"failed: {' '.join(command)}", code=done.returncode, log=done.stdout[-LOG_TAIL:])


def _clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone() -> Iterator[None]:
    """Two that set up at once would build on each other's halves."""
    with (ROOT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> int:
    """Sets up, telling of each step; gives the exit code."""
    try:
        install(lambda step: print(f"localstack: {step}", flush=True))
    except WebnnError as error:
        print(f"localstack: {error.message}\n{error.details.get('log', '')}".strip(), file=sys.stderr)
        return CANNOT if isinstance(error, Missing) else 1
    print(f"localstack: ready in {ROOT.relative_to(CHECKOUT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
