"""Cold import of `app`: against `import numpy, pynamodb, chalice`, in fresh interpreters, alternating.

    python bench/import_app.py [--package DIR] [--repetitions N]

DIR is the unzipped deployment package; without it the checkout is measured. Prints a table, the budget, and one
last line of JSON.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from measure import Times, alternate, machine, median, ratio, table, verdict

BUDGET = 1.5

# What is measured, by name. PynamoDB's top module holds nothing but a version number, and the app imports its
# AWS half when the first request is served; so what is imported by then stands beside, against the parts of the
# same libraries that do the work.
SERVING = "import numpy, pynamodb.models, pynamodb.connection, pynamodb.transactions, chalice"
STATEMENTS = {
    "libraries": "import numpy, pynamodb, chalice",
    "app": "import app",
    "libraries, serving": SERVING,
    "app, serving": "import app, webnn.aws",
}

# The clock starts in the interpreter that imports, so its own start does not count.
PROGRAM = """
import sys, time
folder, statement = sys.argv[1:]
sys.path.insert(0, folder)
start = time.perf_counter()
exec(statement)
print(time.perf_counter() - start)
strays = [name for name in ("app", "webnn") if name in sys.modules and folder not in sys.modules[name].__file__]
sys.exit(f"imported from elsewhere: {strays}" if strays else 0)
"""


@contextmanager
def as_unzipped(package: Path | None) -> Iterator[Path]:
    """The folder to import from. A package is copied without bytecode, as a function finds it on a cold start."""
    if package is None:
        yield Path(__file__).resolve().parents[1]
        return
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "package"
        shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
        yield copy


def importing(folder: Path, statement: str, bytecode: bool) -> Callable[[], float]:
    """One import, in an interpreter of its own that sees the folder before its own packages."""
    command = [sys.executable, "-I", *([] if bytecode else ["-B"]), "-c", PROGRAM, str(folder), statement]
    return lambda: float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603


def report(times: Times, package: Path | None) -> dict[str, Any]:
    """The figures of the last line."""
    return {
        "benchmark": "import_app",
        "package": package is not None,
        "ms": {name: round(median(times, name) * 1e3, 1) for name in times},
        "to_libraries": round(ratio(times, "app", "libraries"), 2),
        "serving_to_libraries_serving": round(ratio(times, "app, serving", "libraries, serving"), 2),
        "machine": machine(),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, metavar="DIR")
    parser.add_argument("--repetitions", type=int, default=11)
    asked = parser.parse_args()
    with as_unzipped(asked.package) as folder:
        candidates = {
            name: importing(folder, statement, bytecode=asked.package is None) for name, statement in STATEMENTS.items()
        }
        found = report(alternate(candidates, asked.repetitions), asked.package)
    rows = [[name, statement, f"{found['ms'][name]:.0f} ms"] for name, statement in STATEMENTS.items()]
    kept = verdict(found["to_libraries"], BUDGET)
    print(f"from {'the package, no bytecode' if found['package'] else 'the checkout, bytecode cached'}\n")
    print(table(["", "statement", "median"], rows))
    print(f"\napp to libraries {found['to_libraries']} <= {BUDGET}: {kept}")
    print(f"app to libraries, when serving: {found['serving_to_libraries_serving']}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
