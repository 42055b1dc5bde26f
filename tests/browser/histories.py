"""A run that was trained before the test: always the same, by real training and the real use cases in virtual time."""

import json
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from webnn.core.records import Client, Commit, Evaluation, LedgerEntry, Status, UpdateState
from webnn.datasets import Dataset
from webnn.errors import Conflict, Missing
from webnn.live import Live
from webnn.local.stage import CHECKOUT
from webnn.observe import Attempt
from webnn.simulate.learner_dense import DenseLearner
from webnn.simulate.population import Population
from webnn.simulate.run import RUN, UNIT, Goal, Point, Simulation
from webnn.specs import Specs
from webnn.wiring import Services

BEGAN = 1_780_300_800_000  # 2026-06-01 08:00 UTC
UNIT_MS = 3000  # a mini-batch on a client of speed 1, which here lends a part of its time
SEED = 3
CROWD = Population(clients=9, sigma=0.7, arrivals=20.0, leaving=0.2, stay=80.0, merge_delay=1.0, failures=0.02)
GOAL = Goal(target=0.972, limit=400.0, every=5.0)


class Recorded(Simulation):
    """A simulation that keeps what it commits."""

    def __init__(self, *given: Any) -> None:
        self.commits: list[Commit] = []
        self._at = BEGAN
        super().__init__(*given)

    def _observed(self, attempt: Attempt) -> None:
        if attempt.landed:
            self.commits.append(attempt.commit)
        super()._observed(attempt)

    def copied(self, services: Services, evaluations: list[Evaluation]) -> None:
        """Writes the run and all its history into the stores of a stage."""
        for blob in self._blobs.listed("", "", 10_000):
            with suppress(Conflict):  # shards are named by their hash, and other runs have the same
                services.blobs.create(blob.key, bytes(self._blobs.get(blob.key)))
        run, genesis = self._catalog.run(RUN), self._catalog.ledger_entry(RUN, 0)
        first = replace(self.commits[0].base, status=Status.RUNNING)
        services.catalog.create_run(replace(run, created_at=_at(run.created_at)), first, _dated(genesis))
        live = Live(
            services.catalog, Specs(services.catalog, services.blobs), services.live._objects, clock=self._shown_at
        )
        for commit in self.commits:
            self._took_part(services, commit)
            live.show(RUN)
            for update in commit.settled:
                services.catalog.open_update(
                    replace(update, state=UpdateState.PENDING, created_at=_at(update.created_at))
                )
            entry = commit.entry and _dated(commit.entry)
            services.catalog.commit(replace(commit, entry=entry))
        for evaluation in evaluations:
            services.catalog.record_evaluation(evaluation)
        live.show(RUN)

    def _took_part(self, services: Services, commit: Commit) -> None:
        """Writes that the clients of these updates were there."""
        self._at = _at(commit.entry.at) if commit.entry else self._at
        for client in {update.client_id for update in commit.settled}:
            try:
                services.catalog.touch(RUN, client, self._at)
            except Missing:
                services.catalog.join(Client(RUN, client, self._at, self._at))

    def _shown_at(self) -> int:
        return self._at


def trained_before(services: Services, dataset: Dataset) -> str:
    """Puts the run into a stage, and gives its name."""
    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    simulation = Recorded(document, dataset, DenseLearner, CROWD, SEED)
    points = list(simulation.live(GOAL))
    simulation.outcome(GOAL, points)
    newest = {point.version: point for point in points}.values()
    simulation.copied(services, [_evaluation(point, len(dataset.validation.targets)) for point in newest])
    return RUN


def _evaluation(point: Point, examples: int) -> Evaluation:
    version, at = point.version, _at(round(point.time * UNIT))
    return Evaluation(RUN, version, f"evaluation-{version}", "client", point.loss, point.accuracy, examples, at)


def _at(simulated: int) -> int:
    return BEGAN + simulated * UNIT_MS // UNIT


def _dated(entry: LedgerEntry) -> LedgerEntry:
    return replace(entry, at=_at(entry.at))
