"""Takes all figures of README.md, one benchmark after another.

    python bench/run.py

Builds the deployment package first, for its import is measured from there.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def benchmark(script: str, *arguments: str) -> None:
    """Runs one."""
    print(f"\n== {script} {' '.join(arguments)}\n", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)  # noqa: S603


def build_package(folder: Path) -> Path:
    """The unzipped deployment package, as `chalice package` makes it. The stage does not matter to its contents."""
    chalice = Path(sys.executable).with_name("chalice")
    region = {"AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", "us-east-1")}
    command = [str(chalice), "package", "--stage", "dev", str(folder / "package")]
    subprocess.run(command, check=True, cwd=HERE.parent, env=os.environ | region, stdout=sys.stderr)  # noqa: S603
    with zipfile.ZipFile(folder / "package" / "deployment.zip") as archive:
        archive.extractall(folder / "unzipped")
    return folder / "unzipped"


def main() -> None:
    """Runs all."""
    benchmark("merge.py", "--full")
    benchmark("commit_memory.py")
    benchmark("commits.py")
    benchmark("scaling.py")
    with tempfile.TemporaryDirectory() as scratch:
        benchmark("import_app.py", "--package", str(build_package(Path(scratch))))
    benchmark("browser.py")


if __name__ == "__main__":
    main()
