"""A folder as a run of a stage, and what was pushed from it before."""

from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from webnn.core.records import Head, Run, Status
from webnn.errors import Conflict, Invalid, Missing
from webnn.project.data_module import DataModule
from webnn.project.folder import Project
from webnn.project.stream import pieces_of
from webnn.publish import OnProgress, publish
from webnn.runs import Runs
from webnn.standing import change_status
from webnn.store.ports import Catalog

RECORDS = ".webnn"
WEIGHTS = 2  # beside `data.seed`: the stream of chance that first weights come from


class Pushed(Struct, frozen=True):
    """What lies in `.webnn/STAGE.json`.

    Attributes:
        files: Digest of the files that it was made from: `Project.files`.
    """

    run: str
    spec_sha256: str
    files: str


def push(project: Project, runs: Runs, stage: str, on_progress: OnProgress) -> Run:
    """Makes a paused run of it. Broken off and done again, it sends nothing that is there: shards are named by content.

    Raises:
        Invalid: The data do not fit.
        Conflict: There is such a run, of other data, another model or other settings.
    """
    module = DataModule(project.folder, project.data.functions)
    pieces = pieces_of(module, project.document, project.data)
    random = np.random.default_rng([project.data.seed, WEIGHTS])
    try:
        run = publish(
            runs, project.name, project.document.spec, pieces, random, on_progress, Status.PAUSED, project.weights
        )
    except Conflict as error:
        raise Conflict(
            f"run {project.name} is there already, with another model, other data or settings, and a run never "
            "changes: give this one another name, in [run] of webnn.toml"
        ) from error
    _record(project.folder, stage, Pushed(run.run, run.spec_sha256, project.files))
    return run


def pushed(project: Project, runs: Runs, stage: str) -> Run | None:
    """The run that was pushed from these files to the stage and is there; None if it has to be pushed (again)."""
    try:
        found = msgspec.json.decode(_place(project.folder, stage).read_bytes(), type=Pushed)
        run = runs.describe(found.run).run
    except (OSError, msgspec.DecodeError, Missing):
        return None
    same = found.files == project.files and found.run == project.name and found.spec_sha256 == run.spec_sha256
    return run if same else None


def set_running(catalog: Catalog, run: str) -> Head:
    """Sets a paused run running; gives the head after it. A run that is finished stays so.

    Raises:
        Missing: No such run.
        Unavailable: The catalog did not answer, or others change it too often at this moment.
    """
    return change_status(catalog, run, lambda head: Status.RUNNING if head.status is Status.PAUSED else None)


def _place(folder: Path, stage: str) -> Path:
    return folder / RECORDS / f"{stage}.json"


def _record(folder: Path, stage: str, found: Pushed) -> None:
    place = _place(folder, stage)
    try:
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(msgspec.json.encode(found))
    except OSError as error:
        raise Invalid(f"the run is there, but {place} cannot be written: {error.strerror}") from error
