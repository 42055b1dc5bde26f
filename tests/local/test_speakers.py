"""What children print, and what is made of it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from webnn.errors import Unavailable
from webnn.local.processes import child
from webnn.local.speakers import Speaker

TRAFFIC = json.dumps({"type": "traffic", "up": 12, "down": 34})
ERROR = json.dumps({"type": "error", "message": 'say "no"', "fatal": False})
FATAL = json.dumps({"type": "error", "message": "no backend", "fatal": True})


@contextmanager
def saying(*lines: str, code: int = 0) -> Iterator[Speaker]:
    """A child that has printed the lines and ended."""
    program = "import sys; print(sys.argv[2]); sys.exit(int(sys.argv[1]))"
    command = [sys.executable, "-c", program, str(code), "\n".join(lines)]
    with child("client 1", command, os.environ, Path.cwd()) as running:
        running.process.wait(10)
        yield Speaker(running)


@pytest.mark.parametrize(
    "around",
    [
        "{}",
        '[1:1:1123/090255.580119:INFO:CONSOLE:1] "webnn-event {}", source: https://page/index.js (1)',
    ],
)
def test_node_prints_events_bare_and_chromium_in_words_of_its_own(around: str) -> None:
    with saying("a line of something else", around.replace("{}", TRAFFIC), around.replace("{}", ERROR)) as one:
        one.listen()
        assert (one.bytes_up, one.bytes_down) == (12, 34)
        assert one.asked() == 'client 1: say "no"'
        assert one.asked() is None


def test_versions_of_chromium_that_escape_quotes_are_understood() -> None:
    escaped = TRAFFIC.replace('"', '\\"')
    with saying(f'[1:1:INFO:CONSOLE(1)] "webnn-event {escaped}", source: page (1)') as one:
        one.listen()
        assert one.bytes_up == 12


def test_lines_that_only_look_like_events_are_passed_over() -> None:
    with saying("{", "{not json}", "webnn-event [1]", '{"type": "unknown"}') as one:
        one.listen()
        assert one.asked() is None


def test_a_client_that_gives_up_ends_the_waiting() -> None:
    with saying(FATAL) as one, pytest.raises(Unavailable, match="client 1: no backend; it gave up"):
        one.listen()


def test_a_child_that_fails_is_told_of_with_its_last_words() -> None:
    with saying("cannot open display", code=3) as one, pytest.raises(Unavailable, match="client 1 ended") as told:
        one.listen()
    assert "cannot open display" in told.value.details["log"]
