"""An owner's folder, read and checked."""

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct

from webnn.core.spec import RunName
from webnn.core.wire import Vector
from webnn.errors import Invalid, Missing
from webnn.project import model as models
from webnn.project import sections as settings
from webnn.project.data_module import DATA, DataModule, problem_of
from webnn.project.model import MODEL
from webnn.project.problem import Problem
from webnn.project.sections import TOML, DataSection
from webnn.project.spec_of import Document, document_of
from webnn.project.stream import OnExamples, problems_of
from webnn.project.weights import first_weights

FILES = (MODEL, TOML, DATA)
ABSENT = "the file is not there"
UNUSED = (
    "{}() is not used, and nothing of it is uploaded: by own = 'must' in webnn.toml visitors train on data of their "
    "own alone. Delete it, or write own = 'may': then it is trained on by all who bring none"
)


class Project(Struct, frozen=True):
    """A folder in which nothing is wrong, as far as it was looked at.

    Attributes:
        name: Of the run.
        files: A digest of the three files and the weights. What else the data module reads is not in it.
        weights: What the run begins with, float32 [parameters]; None: fresh ones.
    """

    folder: Path
    name: str
    document: Document
    data: DataSection
    files: str
    weights: Vector | None = None


class Unfit(Invalid):
    """A folder in which something is wrong."""

    def __init__(self, problems: list[Problem]) -> None:
        """Takes all of it."""
        super().__init__("\n".join(map(str, problems)), problems=[msgspec.to_builtins(one) for one in problems])
        self.problems = problems


def read(folder: Path) -> Project:
    """What the model and the settings say; the data module is not run.

    Raises:
        Missing: There is no such folder.
        Unfit: Something is wrong; it has all of it.
    """
    if folder.is_file():
        raise Invalid(f"{folder} is a file: what is wanted is the folder that it is in, {folder.parent}")
    if folder.is_dir() and not any((folder / name).exists() for name in FILES):
        raise Missing(f"in {folder} there is neither {MODEL} nor {TOML} nor {DATA}: `webnn new NAME` makes them")
    if not folder.is_dir():
        raise Missing(f"there is no folder {folder}: `webnn new {folder}` makes one")
    problems: list[Problem] = []
    texts = {name: _text(folder / name, problems) for name in FILES}
    if texts[MODEL] is not None and not any((folder / name).exists() for name in (TOML, DATA)):
        problems = [
            Problem(name, None, f"{ABSENT}: `webnn new {folder}` makes it, for the model") for name in (TOML, DATA)
        ]
    sections, of_toml = settings.read(texts[TOML] or "")
    text = texts[MODEL]
    model, of_model = (None, []) if text is None else models.read(text)
    problems += [*of_toml, *of_model]
    name, of_name = run_name(folder, sections.run.name if sections else "")
    problems += of_name
    document = None
    if sections is not None and model is not None and not problems:
        document, misfits = document_of(model, sections, name)
        problems += misfits
    if problems or document is None or sections is None or model is None:
        raise Unfit(sorted(problems, key=lambda one: (FILES.index(one.file), one.line or 0)))
    try:
        weights, body = first_weights(folder, model)
    except Invalid as error:
        raise Unfit([problem_of(error)]) from error
    digest = hashlib.sha256("\0".join(texts[name] or "" for name in FILES).encode() + body).hexdigest()
    return Project(folder, name, document, sections.data, digest, weights)


def check(project: Project, told: OnExamples = lambda _name, _count: None) -> list[Problem]:
    """Runs the data module and looks at every example.

    It gives remarks: what is not wrong, but mostly not meant.

    Raises:
        Unfit: Something is wrong; it has all of it.
    """
    try:
        module = DataModule(project.folder, project.data.functions)
    except Invalid as error:
        raise Unfit([problem_of(error)]) from error
    if problems := problems_of(module, project.document, project.data, told):
        raise Unfit(problems)
    return [Problem(DATA, line, UNUSED.format(name)) for name, line in module.unasked()]


def _text(path: Path, problems: list[Problem]) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.append(Problem(path.name, None, ABSENT))
    except UnicodeDecodeError as error:
        problems.append(Problem(path.name, None, f"this is no text in UTF-8: {error.reason}"))
    except OSError as error:
        problems.append(Problem(path.name, None, f"the file cannot be read: {error.strerror}"))
    return None


def run_name(folder: Path, given: str = "") -> tuple[str, list[Problem]]:
    """What the run is called: as given, or as the folder; and what is wrong with that."""
    name = given or folder.resolve().name.lower().replace("_", "-")
    try:
        return msgspec.convert(name, RunName), []
    except msgspec.ValidationError:
        message = f"a run cannot be called {name!r}: give it a name of a-z, 0-9 and '-' in [run] name"
        return name, [Problem(TOML, None, message)]
