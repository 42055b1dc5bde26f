"""How other commands find the stage that `webnn dev` keeps up."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from webnn.cli import stage as stages
from webnn.errors import Conflict, Invalid, Missing
from webnn.local import address
from webnn.local.address import Address

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
HERE = Address("http://x/index.html", "http://x/watch.html", "http://y", 17, ENVIRONMENT)
ONCE = [None]


def test_it_is_there_for_as_long_as_the_stage_is_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    where = tmp_path / "state"
    assert address.found(where) is None
    with address.claimed(where, ONCE) as announce:
        assert address.found(where) is None
        announce(HERE)
        assert address.found(where) == HERE
        assert {path.stat().st_mode & 0o077 for path in (where, *where.iterdir())} == {0}
    assert address.found(where) is None
    with address.claimed(where, ONCE):
        assert address.found(where) is None


def test_it_goes_when_the_stage_falls(tmp_path: Path) -> None:
    def fall() -> None:
        with address.claimed(tmp_path, ONCE) as announce:
            announce(HERE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fall()
    assert address.found(tmp_path) is None


@pytest.mark.parametrize(("announced", "said"), [(True, r"\(process 17\): "), (False, "already: ")])
def test_a_second_one_is_refused_and_told_whose_it_is(tmp_path: Path, announced: bool, said: str) -> None:
    with address.claimed(tmp_path, ONCE) as announce:
        if announced:
            announce(HERE)
        with pytest.raises(Conflict, match=said), address.claimed(tmp_path, [None, None]):
            pytest.fail("it must not begin")
        assert address.found(tmp_path) == (HERE if announced else None)


def test_two_in_folders_of_their_own_do_not_mind_each_other(tmp_path: Path) -> None:
    with address.claimed(tmp_path / "a", ONCE) as first, address.claimed(tmp_path / "b", ONCE):
        first(HERE)
        assert address.found(tmp_path / "b") is None


def _keep_up(where: Path, up: "multiprocessing.synchronize.Event") -> None:
    with address.claimed(where, ONCE) as announce:
        announce(HERE)
        up.set()
        signal.pause()


def test_one_that_was_killed_is_told_apart_and_makes_room(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    up = context.Event()
    keeper = context.Process(target=_keep_up, args=(tmp_path, up))
    keeper.start()
    assert up.wait(30)
    assert address.found(tmp_path) == HERE
    assert keeper.pid is not None
    os.kill(keeper.pid, signal.SIGKILL)
    keeper.join(30)
    with pytest.raises(Missing, match=r"process 17\) was killed, and its data with it: start it again"):
        address.found(tmp_path)
    with address.claimed(tmp_path, ONCE):
        assert address.found(tmp_path) is None


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff", b'{"page": 1}'])
def test_a_file_that_is_damaged_says_what_to_do(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "local.json").write_bytes(body)
    with pytest.raises(Invalid, match="delete it and start"):
        address.found(tmp_path)


def test_a_folder_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Invalid, match="WEBNN_STATE"), address.claimed(tmp_path / "file", ONCE):
        pytest.fail("it must not begin")


class TestACommand:
    @pytest.fixture(autouse=True)
    def _own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WEBNN_STATE", str(tmp_path))
        monkeypatch.setenv("AWS_PROFILE", "owner")
        for name in (*ENVIRONMENT, "AWS_REGION"):
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)

    def test_finds_the_stage_that_is_up(self, tmp_path: Path) -> None:
        with address.claimed(tmp_path, ONCE) as announce:
            announce(HERE)
            assert stages.of("local").endpoint_url == "http://127.0.0.1:9"
        assert os.environ["AWS_SECRET_ACCESS_KEY"] == "secret"
        assert "AWS_PROFILE" not in os.environ, "it would come before the keys"

    def test_does_not_look_where_the_environment_says_where_to_go(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AWS_PROFILE")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        with address.claimed(tmp_path, ONCE) as announce:
            announce(HERE)
            assert stages.of("local").endpoint_url == "http://127.0.0.1:1"

    def test_of_another_stage_never_goes_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_PROFILE")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with address.claimed(tmp_path, ONCE) as announce:
            announce(HERE)
            assert stages.of("dev").endpoint_url is None

    def test_without_any_is_told_how_to_get_one_whatever_else_is_lacking(self) -> None:
        with pytest.raises(Invalid, match="start `webnn dev` in another terminal"):
            stages.of("local")
