"""`webnn.fit`."""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import numpy as np
from rich.console import Console

from webnn.cli.follow import shown, uploaded
from webnn.core.records import Status
from webnn.errors import Invalid, Missing
from webnn.fitting.given import Given
from webnn.fitting.models import Prepared, Wishes, prepared
from webnn.fitting.reaching import Reached, reached
from webnn.fitting.run import Run
from webnn.fitting.showing import console
from webnn.fitting.splitting import split
from webnn.local.stage import STAGE
from webnn.project.push import set_running
from webnn.project.stream import pieces_of, problems_of
from webnn.publish import Progress, publish
from webnn.store.ports import Catalog

Section = Mapping[str, Any]
NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LONGEST = 50


def fit(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    validation_data: Any = None,
    validation_split: float = 0.0,
    stage: str = STAGE,
    name: str | None = None,
    title: str = "",
    description: str = "",
    until: float | Section | None = None,
    rule: str | Section = "auto",
    optimizer: str | None = None,
    learning_rate: float | None = None,
    local_steps: int | None = None,
    batch_size: int | None = None,
    encoding: str | None = None,
    validation: Section | None = None,
    limits: Section | None = None,
    seed: int = 0,
    wait: bool = True,
    show: bool = True,
    epochs: int | None = None,
) -> Run:
    """Trains a compiled Keras model in the browsers of whoever opens a link.

    It returns when the run is finished, or was interrupted (Ctrl-C, a notebook's *interrupt*), which pauses it. Then
    `run.model()` is the trained model; the one that was given keeps its weights.

    Args:
        model: Of Keras 3 or tf_keras, Sequential or functional, compiled. Loss, optimizer and learning rate are taken
            from it, as far as pages have them.
        x: Examples: an array, or a list or dict of arrays by the model's inputs. Without y: a tf.data.Dataset, a
            PyDataset, a generator, or a function that gives a fresh one, of pairs (x, y), each an example or a batch.
        y: Targets, like x.
        validation_data: (x, y), or a stream as above: every accuracy is measured on all of it.
        validation_split: Instead: what part of x and y, between 0 and 1, is not trained on and validated on. These are
            the last examples, before any are shuffled, as in Keras's own `fit`; x and y are arrays then.
        stage: Where: `local` is this machine, and brought up if `webnn dev` is not; others are on AWS.
        name: Of the run; by default the model's, with a number if that is taken. The same call again under the same
            name goes on with the run that is there.
        title: For people; by default the name.
        description: For people.
        until: When the run finishes: an accuracy from 0 to 1, or any of `accuracy`, `versions`, `seconds` as a dict.
        rule: How updates are merged, by its name, or a dict with its parameters: see `webnn rules`.
        optimizer: Instead of the model's: sgd, momentum, adam or muon.
        learning_rate: Instead of the model's.
        local_steps: Training iterations before a page sends what changed.
        batch_size: Examples in an iteration.
        encoding: Of what pages send: float32, float16, uint16 or uint8.
        validation: More of a spec's `validation`, such as {"every_versions": 50}.
        limits: More of a spec's `limits`, such as {"budget": 5.0}.
        seed: Of the order of the examples.
        wait: False returns at once.
        show: False shows nothing.
        epochs: Not to be given: who trains comes and goes, and nobody counts whole passes. `until` says when to end.

    Raises:
        Invalid: Pages cannot train this model so, or the data do not fit it; the message says which.
        Missing: TensorFlow or the parts of a local stage are not installed.
        Conflict: The name is another run's.
        Unavailable: The stage does not answer.
    """
    _check_words(name, seed, epochs)
    end = _end(until)
    given = _given(model, x, y, validation_data, validation_split)
    words = console(stderr=True, quiet=not show)
    training = {"local_steps": local_steps, "batch_size": batch_size, "encoding": encoding}
    spec: dict[str, dict[str, Any]] = {
        "training": {key: value for key, value in training.items() if value is not None},
        "merge": {"rule": {"name": rule} if isinstance(rule, str) else dict(rule)},
        "end": end,
        "validation": dict(validation or {}),
        "limits": dict(limits or {}),
    }
    base = name or _named_like(model)
    ready = _prepared(model, given, Wishes(base, title, description, seed, optimizer, learning_rate, spec), words)
    with ExitStack() as stack:
        with words.status("reaching the stage") as status:
            there = stack.enter_context(reached(stage, status.update))
        chosen = name or _free(there.services.catalog, base)
        _publish(there, chosen, given, ready, words)
        run = Run(chosen, stage, model, ready.specs, there, stack.pop_all(), show=show)
    run._announce()
    if wait and run.wait() and there.own is not None:
        run.close()
    return run


def _given(model: Any, x: Any, y: Any, validation: Any, part: float) -> Given:
    if not part:
        return Given(x, y, validation)
    if validation is not None:
        raise Invalid("validation_data and validation_split are both given: what is to be validated on?")
    train, validation = split(x, y, part, _count(model, "inputs"), _count(model, "outputs"))
    return Given(*train, validation, f"the last {part:.0%} of x and y")


def _count(model: Any, what: str) -> int:
    """How many inputs or outputs a model has; one where it does not say, which `prepared` will."""
    return len(getattr(model, what, None) or [None])


def _end(until: float | Section | None) -> dict[str, Any]:
    if until is None:
        return {}
    if isinstance(until, Mapping):
        return dict(until)
    if not isinstance(until, float | np.floating) or not 0 < until <= 1:
        raise Invalid(
            f"until={until!r}: give an accuracy such as 0.98, or a dict such as {{'versions': 500, 'seconds': 600}}"
        )
    return {"accuracy": float(until)}


def _check_words(name: str | None, seed: int, epochs: int | None) -> None:
    """What would be found wrong late, or by somebody who does not say what. Raises Invalid."""
    if epochs is not None:
        said = "clients come and go, so there are no epochs: say when the run ends with until=0.98"
        raise Invalid(f"epochs={epochs!r}: {said}, or until={{'versions': 500}}")
    if name not in (None, "") and not (isinstance(name, str) and NAME.fullmatch(name)):
        raise Invalid(f"name={name!r}: a run's name is up to 63 small letters, digits and hyphens, as in 'digits-2'")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise Invalid(f"seed={seed!r}: give a whole number from 0")


def _named_like(model: Any) -> str:
    found = NOT_IN_NAMES.sub("-", str(getattr(model, "name", "")).lower()).strip("-")
    return found[:LONGEST].strip("-") or "model"


def _free(catalog: Catalog, base: str) -> str:
    """The name, or the first with a number behind it that is no run's."""
    number, name = 1, base
    while _is_taken(catalog, name):
        number += 1
        name = f"{base}-{number}"
    return name


def _is_taken(catalog: Catalog, name: str) -> bool:
    try:
        catalog.run(name)
    except Missing:
        return False
    return True


def _prepared(model: Any, given: Given, wishes: Wishes, words: Console) -> Prepared:
    with words.status("looking at the model"):
        ready = prepared(model, given, wishes)
    if given.again:
        _check(given, ready, words)
    return ready


def _check(given: Given, ready: Prepared, words: Console) -> None:
    """Looks at every example before anything is sent. Raises Invalid."""
    with shown(words, "checking") as show:

        def told(part: str, count: int) -> None:
            show(f"{count:,} examples of {given.called(part)}", None, None)

        if problems := problems_of(given, ready.document, ready.data, told):
            raise Invalid("\n".join(one.message for one in problems))


def _publish(there: Reached, name: str, given: Given, ready: Prepared, words: Console) -> None:
    services, random = there.services, np.random.default_rng(ready.data.seed)
    with shown(words, "uploading", at_once=False) as show:

        def told(found: Progress) -> None:
            show(uploaded(found), found.shards, found.total)

        pieces = pieces_of(given, ready.document, ready.data)
        publish(services.runs, name, ready.document.spec, pieces, random, told, Status.PAUSED, ready.weights)
    set_running(services.catalog, name)
