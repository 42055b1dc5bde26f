"""Ctrl-C while `webnn.fit` closes the stage that it has brought up."""

import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve()


def test_ctrl_c_while_the_stage_stops_ends_it_without_a_traceback() -> None:
    paths = os.pathsep.join([str(HERE.parents[2]), str(HERE.parents[1])])
    with subprocess.Popen(
        [sys.executable, HERE.with_name("interrupted.py")],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "Stopping the stage on this machine…\n"
        program.send_signal(signal.SIGINT)
        rest, errors = program.communicate()
    assert (errors, rest, program.returncode) == ("", "closed at version 0, True\n", 0)
