"""What somebody sees who typed something that cannot be done."""

from pathlib import Path

import pytest

from webnn.cli.main import main


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
    assert line.startswith(f"error: {folder} has neither ")


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
    assert line.startswith("error: AWS's configuration in this environment is wrong: ")
