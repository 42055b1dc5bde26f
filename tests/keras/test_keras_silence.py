"""What is kept off standard error, and what is not."""

import subprocess
import sys

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
