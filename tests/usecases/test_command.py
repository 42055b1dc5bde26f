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
