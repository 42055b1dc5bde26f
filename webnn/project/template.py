"""New folders."""

from importlib.resources import files
from pathlib import Path

from webnn.errors import Conflict, Invalid
from webnn.project.around import around
from webnn.project.data_module import DATA
from webnn.project.folder import FILES, run_name
from webnn.project.model import MODEL
from webnn.project.sections import TOML

TEMPLATES = ("digits", "mnist", "blank")
KEPT_OUT = ".webnn/\n__pycache__/\n"  # what was pushed from here is of no use to others


def scaffold(folder: Path, template: str) -> list[Path]:
    """Makes the folder; gives the files that it made.

    A model that is there without the rest, as `webnn import` leaves it, stays. The template `blank` is made to fit it.

    Raises:
        Invalid: There is no such template, the name is none for a run, the folder cannot be written to, or the model
            that is there is none that pages train.
        Conflict: Another of the files is there: nothing was written.
    """
    if template not in TEMPLATES:
        raise Invalid(f"there is no template {template!r}; there are {', '.join(TEMPLATES)}")
    name, wrong = run_name(folder)
    if wrong:
        raise Invalid(f"a run cannot be called {name!r}: name the folder by a-z, 0-9 and '-'")
    texts = {name: (files("webnn.project") / "templates" / template / name).read_text("utf-8") for name in FILES}
    texts[".gitignore"] = KEPT_OUT
    taken = [name for name in texts if (folder / name).exists()]
    if taken == [MODEL]:
        del texts[MODEL]
        if template == "blank":
            texts[TOML], texts[DATA] = around(_text(folder / MODEL), texts[TOML], texts[DATA])
    elif taken:
        raise Conflict(f"{folder / taken[0]} is there already: choose another name")
    texts[TOML] = texts[TOML].replace(f'# name = "{template}"', f'# name = "{name}"')
    _write(folder, texts)
    return [folder / name for name in texts]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error


def _write(folder: Path, texts: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"{folder} cannot be written: {error.strerror}") from error
