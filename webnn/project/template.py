"""New folders."""

from importlib.resources import files
from pathlib import Path

from webnn.errors import Conflict, Invalid
from webnn.project.folder import FILES, run_name
from webnn.project.sections import TOML

TEMPLATES = ("digits", "mnist", "blank")
KEPT_OUT = ".webnn/\n__pycache__/\n"  # what was pushed from here is of no use to others


def scaffold(folder: Path, template: str) -> list[Path]:
    """Makes the folder; gives its files.

    Raises:
        Invalid: There is no such template, the name is none for a run, or the folder cannot be written to.
        Conflict: One of the files is there: nothing was written.
    """
    if template not in TEMPLATES:
        raise Invalid(f"there is no template {template!r}; there are {', '.join(TEMPLATES)}")
    name, wrong = run_name(folder)
    if wrong:
        raise Invalid(f"a run cannot be called {name!r}: name the folder by a-z, 0-9 and '-'")
    texts = {name: (files("webnn.project") / "templates" / template / name).read_text("utf-8") for name in FILES}
    texts[TOML] = texts[TOML].replace(f'# name = "{template}"', f'# name = "{name}"')
    texts[".gitignore"] = KEPT_OUT
    if taken := [name for name in texts if (folder / name).exists()]:
        raise Conflict(f"{folder / taken[0]} is there already: choose another name")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"{folder} cannot be written: {error.strerror}") from error
    return [folder / name for name in texts]
