"""What somebody sees who typed something that cannot be done."""

import io
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner
from samples import a_world

from webnn.cli.grouped import GROUPS
from webnn.cli.main import main, webnn


def test_an_error_is_one_line_whatever_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "x[/y] [red] and a name that is a good deal longer than a terminal is wide"
    folder.mkdir(parents=True)
    monkeypatch.setattr("sys.argv", ["webnn", "demo", "--data", str(folder)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Error: {folder} has neither ")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_PROFILE", "nobody"),
        ("AWS_ENDPOINT_URL", "nowhere"),
        ("AWS_DEFAULT_REGION", "no region!"),
        ("AWS_CONFIG_FILE", "broken"),
    ],
)
def test_a_mistyped_environment_is_one_line_too(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("[default\nregion")
    for name in ("AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv(variable, str(broken) if value == "broken" else value)
    monkeypatch.setattr("sys.argv", ["webnn", "list", "--stage", "dev"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: AWS's configuration in this environment is wrong: ")


def test_a_terminal_without_utf8_ends_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(sent, encoding="ascii", write_through=True))
    monkeypatch.setattr("sys.argv", ["webnn", "new", str(tmp_path / "mine")])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert sent.getvalue().startswith(b"? ")


def test_every_command_is_listed_once_with_all_of_its_first_sentence() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(webnn.commands)
    cut = {name: one.get_short_help_str(200) for name, one in webnn.commands.items()}
    assert {name: words for name, words in cut.items() if len(words) > 60} == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["status", "foo"], "no run 'foo': `webnn list`, with the same --stage, shows those there are"),
        (
            ["rollback", "line", "--to", "7"],
            "no commit made version 7: `webnn ledger`, of the same run, lists those there are",
        ),
        (["copy", "line", "line"], "the name 'line' is taken: choose another, or `webnn delete line`"),
        (
            ["replay", "line", "--from", "7"],
            "no commit made version 7: `webnn ledger`, of the same run, lists those there are",
        ),
    ],
)
def test_who_names_what_is_not_there_or_taken_is_told_what_to_type(
    words: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = a_world()
    world.start()
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)
    monkeypatch.setattr("webnn.cli.stage.link", lambda _, run: f"http://127.0.0.1:1/index.html?run={run}")
    monkeypatch.setattr("sys.argv", ["webnn", *words, "--stage", "dev"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.splitlines()[-1] == f"Error: {told}"


@pytest.mark.parametrize("words", [["validate", "."], ["train", ".", "--stage", "dev"]])
def test_outside_of_a_runs_folder_one_line_says_how_to_make_one(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["webnn", *words])
    with pytest.raises(SystemExit):
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(": `webnn new NAME` makes them")


def test_a_file_of_a_folder_is_not_taken_for_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.json"
    path.write_text("{}")
    monkeypatch.setattr("sys.argv", ["webnn", "validate", str(path)])
    with pytest.raises(SystemExit):
        main()
    assert f"is a file: what is wanted is the folder that it is in, {tmp_path}" in capsys.readouterr().err


def test_a_folder_without_an_app_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["webnn", "dev", "--app", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"Error: {tmp_path} is no Chalice app: there is no app.py in it (docs/embedding.md)"


DOCTOR = "`webnn doctor`, with the same --stage, says what is missing"


class Refusing(BaseHTTPRequestHandler):
    """Knows the stage's names, and refuses all else: a policy that lacks something, a token that ran out."""

    NAMES = ("bucket", "site", "queue-url", "token-secret")
    says = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if "SSM" in self.headers["X-Amz-Target"]:
            found = [{"Name": f"/webnn/dev/{name}", "Value": "x" * 32} for name in self.NAMES]
            self._answer(200, {"Parameters": found})
        else:
            self._answer(400, {"__type": f"dynamodb#{self.says}", "message": "it is refused"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ExpiredTokenException"])
@pytest.mark.parametrize("words", [["list"], ["status", "line"], ["rollback", "line", "--to", "1"]])
def test_what_aws_refuses_is_one_line_with_its_reason(
    code: str, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = type("Handler", (Refusing,), {"says": code})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["webnn", *words, "--stage", "dev"])
        with pytest.raises(SystemExit) as caught:
            main()
        server.shutdown()
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.split("; ") == [f"Error: AWS refuses. {code}: it is refused", DOCTOR]


def test_whatever_asks_first_has_the_same_way_not_to() -> None:
    found = {name: one.help for name, command in webnn.commands.items() for one in command.params if one.name == "yes"}
    assert found == {"delete": "Do not ask first.", "destroy": "Do not ask first."}


@pytest.mark.parametrize(
    ("more", "asked"), [([], "down? [y/N]"), (["--delete-data"], "down and delete the data of all its runs? [y/N]")]
)
def test_a_stage_is_taken_down_only_by_who_says_yes_to_its_name(
    more: list[str], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webnn.aws.client", None)
    shown = CliRunner(env={"AWS_DEFAULT_REGION": "us-east-1"}).invoke(
        webnn, ["destroy", "--stage", "dev", *more], input="n\n"
    )
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert f"Take stage dev {asked}" in shown.stderr
