"""What is kept off standard error, and what is not."""

import subprocess
import sys
from pathlib import Path

import pytest

BEGIN = """
import logging, os, sys
from webnn.keras.silence import unremarked
"""


def errors_of(code: str) -> str:
    return subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False).stderr


def test_what_is_written_past_python_is_kept_away_and_what_python_writes_is_not() -> None:
    said = errors_of("""
with unremarked():
    os.write(2, b"no GPU here\\n")
    print("a spinner", file=sys.stderr)
    logging.getLogger("of theirs").addHandler(logging.StreamHandler())
print("later", file=sys.stderr)
os.write(2, b"past python\\n")
logging.getLogger("of theirs").warning("a warning")
logging.getLogger("absl").setLevel(logging.INFO)
logging.getLogger("absl").warning("a remark")
logging.getLogger("absl").addHandler(logging.StreamHandler())
logging.getLogger("absl").error("an error")
""")
    assert said == "a spinner\nlater\npast python\na warning\nan error\n"


def test_when_it_fails_all_is_told() -> None:
    said = errors_of("""
with unremarked():
    os.write(2, b"the reason\\n")
    raise ImportError("libtensorflow")
""")
    assert "the reason\n" in said
    assert "ImportError: libtensorflow" in said


@pytest.mark.parametrize("line", ["import tensorflow as tf", "from tensorflow import data", "import tensorflow.data"])
def test_of_a_data_module_only_what_tensorflow_says_is_kept_away(line: str, tmp_path: Path) -> None:
    package = tmp_path / "tensorflow"
    package.mkdir()
    (package / "__init__.py").write_text('import os\nos.write(2, b"no GPU here\\n")\n')
    (package / "data.py").write_text("")
    (tmp_path / "data.py").write_text(f"""
import os
{line}
os.write(2, b"of the owner's own\\n")
def train(): os.write(2, b"a download\\n")
validation = train
""")
    said = errors_of(f"""
from pathlib import Path
from webnn.project.data_module import DataModule
DataModule(Path({str(tmp_path)!r})).part("train")
os.write(2, os.environ["TF_CPP_MIN_LOG_LEVEL"].encode())
""")
    assert said == "of the owner's own\na download\n3"


def test_a_tensorflow_that_cannot_be_imported_is_told_with_the_line_that_does(tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text('raise ImportError("another processor")')
    (tmp_path / "data.py").write_text("\nimport tensorflow\n")
    said = errors_of(f"""
from pathlib import Path
from webnn.errors import Invalid
from webnn.project.data_module import DataModule
try:
    DataModule(Path({str(tmp_path)!r}))
except Invalid as error:
    print(error.message, error.details["line"], file=sys.stderr)
""")
    assert said == "ImportError: another processor 2\n"


def test_a_data_module_that_is_no_python_is_told_as_before(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("import tensorflow\ndef train(:\n")
    said = errors_of(f"""
from pathlib import Path
from webnn.errors import Invalid
from webnn.project.data_module import DataModule
try:
    DataModule(Path({str(tmp_path)!r}))
except Invalid as error:
    print(error.details["line"], file=sys.stderr)
""")
    assert said == "2\n"
