"""Long random histories of a catalog: after every call, each adapter answers what a model in dictionaries answers.

Refused calls are half of it: stale heads, settled updates, taken names. Whatever a refused commit would have written is
read again, and has not changed.
"""

import itertools
import os
from collections.abc import Sequence
from typing import Any

import catalog_draws as draws
import pytest
from catalog_failures import FailureRules
from catalog_model import outcome
from catalog_peers import PeerRules
from catalog_removal import RemovalRules
from catalog_rules import EVERYTHING, ClientRules, Compared, EvaluationRules, RunRules, TableRules, heads, runs
from catalog_turns import TurnRules
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, multiple, rule, run_state_machine_as_test
from msgspec.structs import replace
from samples import an_entry, an_id, an_update
from stages import Stage

from webnn.core.ledger import head_after
from webnn.core.records import Commit, Head, LedgerEntry, MergedUpdate, Status, Update, UpdateState, Without
from webnn.errors import Conflict
from webnn.store import keys
from webnn.store.ports import Catalog

# Updates as they were opened, and commits that were tried, landed or not.
updates: Bundle[Update] = Bundle("updates")
commits: Bundle[Commit] = Bundle("commits")
heads_of_before = heads | commits.map(lambda commit: commit.base)

SOME_ENDINGS = st.lists(draws.ENDINGS, min_size=1, max_size=6) | st.lists(draws.REFUSALS, min_size=1, max_size=3)

Members = dict[str, Any]


class UpdateRules(Compared):
    """Updates are opened once, and wait in the order of their ids."""

    @rule(target=updates, run=runs, number=draws.NUMBERS, announced=draws.ANNOUNCED)
    def open(self, run: str, number: int, announced: Members) -> MultipleResults[Update]:
        update = an_update(run, number, **announced)
        return multiple(update) if self._open(update) is None else multiple()

    @rule(update=updates, change=st.sampled_from([{}, {"examples": 3}, {"loss": 0.5}, {"client_id": "0"}]))
    def open_one_of_the_same_id(self, update: Update, change: Members) -> None:
        assume(update.loss == update.loss)  # NaN is nothing's equal, so it is unsaid whether that is the same
        self._open(replace(update, **change))

    def _open(self, update: Update) -> object:
        answer = self.both("open_update", update)
        self.both("update", update.run, update.update_id)
        return answer

    @rule(run=runs, limit=draws.LIMITS, after=st.none() | draws.NUMBERS)
    def page_the_pending(self, run: str, limit: int, after: int | None) -> None:
        self.both("pending", run, limit, after=an_id(after) if after else "")


class CommitRules(Compared):
    """Commits from the newest head and from others, of updates that wait and of others."""

    def __init__(self, catalog: Catalog, name: str) -> None:
        super().__init__(catalog, name)
        self._landed: list[Commit] = []
        self._opened = 0

    @rule(target=commits, run=runs, new=st.integers(0, 6), endings=SOME_ENDINGS, entered=draws.ENTERED)
    def settle(self, run: str, new: int, endings: list[draws.Ending], entered: Members) -> Commit:
        batch = self._waiting(run, new, len(endings))
        return self._commit(self._settling(self.model.head(run), batch, endings, entered))

    @rule(target=commits, head=heads_of_before, endings=SOME_ENDINGS)
    def settle_on_a_head_of_before(self, head: Head, endings: list[draws.Ending]) -> Commit:
        batch = self._waiting(head.run, 1, len(endings))
        return self._commit(self._settling(head, batch, endings, {}))

    @rule(target=commits, run=runs, other=st.sampled_from(["version", "generation", *Status]), endings=SOME_ENDINGS)
    def settle_on_a_head_that_differs(self, run: str, other: str, endings: list[draws.Ending]) -> Commit:
        """In one respect only: no other respect must be needed to tell."""
        head = self.model.head(run)
        change = {"status": Status(other)} if other in list(Status) else {other: getattr(head, other) + 1}
        batch = self._waiting(run, 1, len(endings))
        return self._commit(self._settling(replace(head, **change), batch, endings, {}))

    @rule(target=commits, run=runs, number=draws.NUMBERS | st.just(7), place=st.integers(0, 2), endings=SOME_ENDINGS)
    def settle_one_whatever_became_of_it(
        self, run: str, number: int, place: int, endings: list[draws.Ending]
    ) -> Commit:
        """Among others, which do wait. It may be settled, or nobody may have opened it."""
        odd = an_update(run, number)
        batch = [update for update in self._waiting(run, 2, 3) if update.update_id != odd.update_id]
        batch.insert(place, self.model.started[run].updates.get(odd.update_id, odd))
        return self._commit(self._settling(self.model.head(run), batch, endings * 4, {}))

    @rule(target=commits, run=runs, count=st.sampled_from([1, 8, 90]))
    def merge_what_was_merged_elsewhere(self, run: str, count: int) -> Commit:
        """Far on, so that versions of one, two and three digits meet."""
        head = self.model.head(run)
        line = MergedUpdate("1" * 32, "2" * 32, head.version, 0, 0.1)
        return self._commit(self._moving(head, self._entry(head, head.version + count, updates=(line,) * count)))

    @rule(target=commits, run=runs, version=draws.AFTER)
    def make_a_version_that_is_in_the_ledger(self, run: str, version: int) -> Commit:
        made = [entry.version for entry in self.model.ledger(run, -1, EVERYTHING)]
        version = max((v for v in made if v <= version), default=0)
        head = self.model.head(run)
        moved = self._moving(head, self._entry(head, version, generation=head.generation + 1))
        return self._commit(replace(moved, settled=tuple(u.rejected("bad") for u in self._waiting(run, 1, 2))))

    @rule(target=commits, run=runs, to=draws.AFTER)
    def roll_back(self, run: str, to: int) -> Commit:
        target = ([*self.model.ledger(run, to, 1), *self.model.ledger(run, -1, 1)])[0]
        return self._move(run, restores=target.version, checkpoint_key=target.checkpoint_key, steps=target.steps)

    @rule(target=commits, run=runs, without=draws.WITHOUT)
    def unmerge(self, run: str, without: Without) -> Commit:
        return self._move(run, without=without)

    @rule(target=heads, run=runs)
    def begin_a_generation(self, run: str) -> Head:
        """With no version of its own, so that heads of one version differ in their generation alone."""
        head = self.model.head(run)
        self._commit(Commit(head, replace(head, generation=head.generation + 1), (), None))
        return head

    @rule(commit=commits)
    def try_the_very_same_commit_again(self, commit: Commit) -> None:
        """One that was refused may land now. One that landed does nothing, whatever is answered: see the port."""
        if commit.entry is None or commit not in self._landed:
            self._commit(commit)
        else:
            assert outcome(lambda: self.catalog.commit(commit)) in (None, Conflict)
            self._reread_what_it_writes(commit)

    def _waiting(self, run: str, new: int, limit: int) -> list[Update]:
        """Updates that wait, after this many more have been opened, with ids above and below those of others."""
        for _ in range(new):
            self._opened += 1
            self.both("open_update", an_update(run, 13**self._opened % 2**127))
        return self.model.pending(run, limit)

    def _commit(self, commit: Commit) -> Commit:
        if self.both("commit", commit) is None:
            self._landed.append(commit)
        self._reread_what_it_writes(commit)
        return commit

    def _reread_what_it_writes(self, commit: Commit) -> None:
        run = commit.base.run
        self.both("head", run)
        self.both("pending", run, EVERYTHING)
        for update in commit.settled:
            self.both("update", run, update.update_id)
        if commit.entry is not None:
            self.both("ledger", run, commit.entry.version - 2, 2)
            self.both("ledger_entry", run, commit.entry.version)

    def _settling(
        self, head: Head, batch: Sequence[Update], endings: Sequence[draws.Ending], entered: Members
    ) -> Commit:
        settled = draws.ends(head.version, batch, endings)
        merged = [update for update in settled if update.state is UpdateState.MERGED]
        if not merged:
            return Commit(head, head, settled, None)
        entry = self._entry(head, head.version + len(merged), updates=tuple(map(_line, merged)), **entered)
        return replace(self._moving(head, entry), settled=settled)

    def _move(self, run: str, **how: Any) -> Commit:
        head = self.model.head(run)
        return self._commit(self._moving(head, self._entry(head, head.version + 1, head.generation + 1, **how)))

    def _moving(self, head: Head, entry: LedgerEntry) -> Commit:
        return Commit(head, head_after(head, entry), (), entry)

    def _entry(self, head: Head, version: int, generation: int | None = None, **members: Any) -> LedgerEntry:
        attempt = self.attempt()
        entry = an_entry(head, head, version=version, attempt=attempt, steps=2 * version, sha256=f"{version:064x}")
        generation = head.generation if generation is None else generation
        made = {"generation": generation, "checkpoint_key": keys.checkpoint(head.run, version, attempt)}
        return replace(entry, **(made | members))


def _line(update: Update) -> MergedUpdate:
    return MergedUpdate(update.update_id, update.client_id, update.base_version, update.staleness, update.discount)


# Several machines, because a history in which everything happens goes deep into nothing.
class Committing(RunRules, UpdateRules, CommitRules, TurnRules):
    """How runs move on."""


class TakingPart(RunRules, TableRules, ClientRules, EvaluationRules, TurnRules, PeerRules, FailureRules):
    """Who asks for what, and finds what."""


class ComingAndGoing(RunRules, TableRules, RemovalRules):
    """Which runs there are."""


# How many histories, and how long; a call costs microseconds in memory, milliseconds over the network.
HISTORIES = {"memory": (100, 50), "embedded": (15, 40), "localstack": (6, 40)}
SEARCH = int(os.environ.get("WEBNN_HISTORIES", "0"))


def search(engine: str) -> settings:
    """The same histories at every run: a change is blamed for its own faults alone, and a red run can be repeated.

    WEBNN_HISTORIES=1000 looks at that many others.
    """
    examples, steps = HISTORIES[engine]
    return settings(
        max_examples=SEARCH or examples,
        stateful_step_count=steps,
        derandomize=not SEARCH,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


@pytest.mark.parametrize("machine", [Committing, TakingPart, ComingAndGoing])
def test_every_history_is_answered_as_the_port_promises(
    stage: Stage, catalog: Catalog, run_name: str, machine: type[Compared]
) -> None:
    numbers = itertools.count()
    run_state_machine_as_test(lambda: machine(catalog, f"{run_name}-{next(numbers):06d}"), settings=search(stage.name))
