"""Dead letters go back onto the doorbell: each at least once, none lost, and it ends."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from queues import HIDDEN_SECONDS, Killed, MemoryQueue

from webnn.cli.main import main, webnn
from webnn.doorbell import ring
from webnn.errors import Unavailable
from webnn.redrive import MOST, Redriven, Redriver
from webnn.store.queues import Message

DIGITS, MNIST = ring("digits").decode(), ring("mnist").decode()
TEST_EVENT = '{"Event": "s3:TestEvent"}'
POISON = "\x1b[31mnot JSON, " + 100 * "x"


def redriven(dead: MemoryQueue, bell: MemoryQueue, **options: bool) -> Redriven:
    *_, last = Redriver(dead, bell).redrive(**options)
    return last


def upload(*runs: str) -> str:
    key = "updates/{}/0000018f00000000000000000000000a.bin"
    return json.dumps({"Records": [{"s3": {"object": {"key": key.format(run)}}} for run in runs]})


def test_what_is_there_goes_back_grouped_by_run() -> None:
    bodies = [DIGITS, upload("digits"), upload("digits", "mnist"), TEST_EVENT]
    dead, bell = MemoryQueue(*bodies), MemoryQueue()
    last = redriven(dead, bell)
    assert (last.moved, last.runs, last.unreadable) == (4, {"digits": 3, "mnist": 1}, ())
    assert (dead.bodies, bell.bodies) == ([], bodies)


def test_what_nobody_can_read_stays_and_can_be_received_at_once() -> None:
    dead, bell = MemoryQueue(POISON, DIGITS), MemoryQueue()
    last = redriven(dead, bell)
    assert (last.moved, last.runs, last.unreadable) == (1, {"digits": 1}, (POISON,))
    assert (dead.visible, bell.bodies) == ([POISON], [DIGITS])


def test_what_nobody_can_read_goes_back_only_on_demand() -> None:
    dead, bell = MemoryQueue(POISON, DIGITS), MemoryQueue()
    last = redriven(dead, bell, unreadable=True)
    assert (last.moved, last.runs, last.unreadable) == (2, {"digits": 1}, (POISON,))
    assert (dead.bodies, bell.bodies) == ([], [POISON, DIGITS])


@pytest.mark.parametrize("unreadable", [False, True])
def test_looking_moves_nothing_and_hides_nothing(unreadable: bool) -> None:
    dead, bell = MemoryQueue(POISON, DIGITS), MemoryQueue()
    last = redriven(dead, bell, dry_run=True, unreadable=unreadable)
    assert (last.moved, last.runs, last.unreadable) == (0, {"digits": 1}, (POISON,))
    assert (dead.visible, bell.bodies) == ([POISON, DIGITS], [])


@given(st.lists(st.sampled_from([DIGITS, MNIST, POISON, TEST_EVENT]), max_size=35))
def test_a_message_is_moved_or_there_and_as_it_was(bodies: list[str]) -> None:
    dead, bell = MemoryQueue(*bodies), MemoryQueue()
    last = redriven(dead, bell)
    assert sorted(dead.visible + bell.bodies) == sorted(bodies)
    assert (last.total, last.seen, last.moved) == (len(bodies), len(bodies), len(bell.bodies))
    assert set(dead.bodies) <= {POISON}


def test_whoever_dies_between_sending_and_deleting_leaves_the_message_in_both() -> None:
    dead, bell = MemoryQueue(DIGITS, POISON, MNIST), MemoryQueue()
    dead.kills = "delete"
    with pytest.raises(Killed):
        redriven(dead, bell)
    assert (dead.bodies, dead.visible, bell.bodies) == ([DIGITS, POISON, MNIST], [], [DIGITS])

    dead.kills, dead.calls = None, []
    assert redriven(dead, bell).moved == 0, "they are in the hand of the one that died"
    dead.now += HIDDEN_SECONDS
    assert redriven(dead, bell).moved == 2
    assert (dead.visible, bell.bodies) == ([POISON], [DIGITS, DIGITS, MNIST])


def test_whoever_dies_before_sending_leaves_it_where_it_was() -> None:
    dead, bell = MemoryQueue(DIGITS), MemoryQueue()
    bell.kills = "send"
    with pytest.raises(Killed):
        redriven(dead, bell)
    assert (dead.bodies, bell.bodies) == ([DIGITS], [])


@pytest.mark.parametrize(("queue", "call"), [("bell", "send"), ("dead", "delete")])
def test_a_silence_in_between_ends_it_and_gives_back_what_was_in_hand(queue: str, call: str) -> None:
    dead, bell = MemoryQueue(POISON, DIGITS, MNIST), MemoryQueue()
    (bell if queue == "bell" else dead).fails = call
    with pytest.raises(Unavailable):
        redriven(dead, bell)
    assert dead.visible == [POISON, DIGITS, MNIST]
    assert bell.bodies == ([] if call == "send" else [DIGITS])


def test_a_silence_at_the_end_hides_no_result() -> None:
    dead, bell = MemoryQueue(POISON, DIGITS), MemoryQueue()
    dead.fails = "release"
    assert redriven(dead, bell).moved == 1
    dead.now += HIDDEN_SECONDS
    assert dead.visible == [POISON]


def test_it_ends_though_new_letters_keep_coming() -> None:
    dead = MemoryQueue(*[DIGITS] * 25)

    class Boomerang(MemoryQueue):
        def send(self, body: str) -> None:
            super().send(body)
            dead.send(body)

    last = redriven(dead, Boomerang())
    assert (last.total, last.moved) == (25, 25)
    assert len(dead.bodies) == 25


def test_it_ends_though_what_it_holds_comes_back() -> None:
    class Slow(MemoryQueue):
        def receive(self, most: int) -> list[Message]:
            found = super().receive(most)
            self.now += HIDDEN_SECONDS
            return found

    dead = Slow(*[POISON] * (MOST + 5))
    last = redriven(dead, MemoryQueue())
    assert dead.calls.count("receive") <= 4
    assert last.unreadable == (POISON,) * MOST, "no message is counted twice"


def test_what_comes_back_because_it_takes_long_keeps_nothing_from_being_moved() -> None:
    class Slow(MemoryQueue):
        def _called(self, name: str) -> None:
            super()._called(name)
            self.now += HIDDEN_SECONDS / 20

    dead = Slow(*[POISON] * 20, *[DIGITS] * 480)
    assert redriven(dead, MemoryQueue()).moved == 480


def test_it_ends_when_none_comes_though_more_were_counted() -> None:
    class Miscounting(MemoryQueue):
        def waiting(self) -> int:
            return super().waiting() + 1000

    dead = Miscounting(DIGITS)
    assert redriven(dead, MemoryQueue()).moved == 1
    assert dead.calls.count("receive") == 2


Typed = Callable[..., Result]


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> tuple[MemoryQueue, MemoryQueue]:
    dead, bell = MemoryQueue(DIGITS, POISON, MNIST), MemoryQueue()
    monkeypatch.setattr("webnn.cli.redrive.redriver", lambda _: Redriver(dead, bell))
    return dead, bell


def typed(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(webnn, ["redrive", *words, "--stage", "dev"])


def test_what_was_moved_is_told(queues: tuple[MemoryQueue, MemoryQueue]) -> None:
    assert typed().stdout.splitlines() == [
        "webnn-dev-dead: 2 messages put back onto the doorbell.",
        "  digits: 1",
        "  mnist: 1",
        "1 message cannot be read, left there (see --unreadable):",
        f"  {POISON[:60]!r}",
    ]
    assert typed().stdout.splitlines()[0] == "webnn-dev-dead: 0 messages put back onto the doorbell."


def test_what_would_be_moved_is_told(queues: tuple[MemoryQueue, MemoryQueue]) -> None:
    assert typed("--dry-run").stdout.startswith("webnn-dev-dead: 2 messages to put back.\n  digits: 1\n")
    assert len(queues[0].visible) == 3


def test_what_was_moved_is_one_line_of_json(queues: tuple[MemoryQueue, MemoryQueue]) -> None:
    (line,) = typed("--json", "--unreadable").stdout.splitlines()
    assert json.loads(line) == {"moved": 3, "runs": {"digits": 1, "mnist": 1}, "unreadable": 1}


def test_a_bar_is_shown_to_those_who_have_to_wait(
    queues: tuple[MemoryQueue, MemoryQueue], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "dead letters" not in typed().stderr
    monkeypatch.setattr("webnn.cli.redrive.PATIENCE_SECONDS", 0.0)
    assert "dead letters" in typed().stderr


@pytest.mark.parametrize(
    ("first", "told"), [(DIGITS, ["webnn-dev-dead: 1 message put back onto the doorbell."]), ("", [])]
)
def test_what_was_moved_before_a_silence_is_told_too(
    first: str, told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Ending(MemoryQueue):
        def send(self, body: str) -> None:
            if body == MNIST:
                raise Unavailable("cannot send to webnn-dev-doorbell: no answer")
            super().send(body)

    redriver = Redriver(MemoryQueue(*filter(None, [first]), MNIST), Ending())
    monkeypatch.setattr("webnn.cli.redrive.redriver", lambda _: redriver)
    monkeypatch.setattr("sys.argv", ["webnn", "redrive", "--stage", "dev"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    shown = capsys.readouterr()
    assert shown.out.splitlines()[:1] == told
    assert shown.err.splitlines() == ["Error: cannot send to webnn-dev-doorbell: no answer"]
