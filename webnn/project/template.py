"""New folders."""

from importlib.resources import files
from pathlib import Path

from webnn.errors import Conflict, Invalid
from webnn.project.folder import FILES

TEMPLATES = ("digits", "mnist", "blank")
KEPT_OUT = ".webnn/\n__pycache__/\n"  # what was pushed from here is of no use to others


def scaffold(folder: Path, template: str) -> list[Path]:
    """Makes the folder; gives its files.

    Raises:
        Invalid: There is no such template, or the folder cannot be written to.
        Conflict: One of the files is there: nothing was written.
    """
    if template not in TEMPLATES:
        raise Invalid(f"there is no template {template!r}; there are {', '.join(TEMPLATES)}")
    texts = {name: (files("webnn.project") / "templates" / template / name).read_text("utf-8") for name in FILES}
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
