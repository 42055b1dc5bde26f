"""Rules for runs, clients and evaluations, and what all rules stand on. See `test_catalog_machine`."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import catalog_draws as draws
from catalog_model import Model, outcome
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, multiple, rule
from msgspec.structs import replace
from samples import START, a_client, a_commit, a_head, a_lease, a_run, an_entry, an_evaluation, an_id, an_update

from webnn.core.records import Client, Evaluation, EvaluationLease, Head, Status
from webnn.errors import Conflict, Missing
from webnn.store.ports import Catalog

# Names of the runs of this example; heads that were the newest once; what was written once.
runs: Bundle[str] = Bundle("runs")
heads: Bundle[Head] = Bundle("heads")
leases: Bundle[EvaluationLease] = Bundle("leases")
evaluations: Bundle[Evaluation] = Bundle("evaluations")
clients: Bundle[Client] = Bundle("clients")

EVERYTHING = 1000


class Compared(RuleBasedStateMachine):
    """Asks the catalog and the model the same, and compares what they answer to the letter."""

    def __init__(self, catalog: Catalog, name: str) -> None:
        """Takes the catalog, and a name that begins no run's: the table is shared."""
        super().__init__()
        self.catalog, self.name = catalog, name
        self.model = Model()
        self.agreed = True
        self._attempts = 0

    def both(self, method: str, *arguments: Any, **named: Any) -> Any:
        """What both answered: the result, or the type of the refusal. They agree, or the example fails."""
        expected = outcome(partial(getattr(self.model, method), *arguments, **named))
        got = outcome(partial(getattr(self.catalog, method), *arguments, **named))
        return self.equal(got, expected, method)

    def equal(self, got: Any, expected: Any, what: str) -> Any:
        """Fails the example unless these read the same: as text, NaN is NaN, and neither 0.0 is -0.0 nor 1 is 1.0."""
        self.agreed = repr(got) == repr(expected)
        assert self.agreed, f"{what}: {got!r} where the port promises {expected!r}"
        return got

    def attempt(self) -> str:
        """An identity that nothing else in the table has. A table remembers the attempts of commits."""
        self._attempts += 1
        return f"{self.name}-{self._attempts}"

    def reread(self, run: str) -> None:
        """Compares every row of a run."""
        for method in ("run", "head", "evaluation_lease", "latest_evaluation"):
            self.both(method, run)
        self.both("ledger", run, -1, EVERYTHING)
        self.both("pending", run, EVERYTHING)
        self.both("evaluations", run, -1, EVERYTHING)
        self.both("active_clients", run, 0)
        for update_id in self.model.started[run].updates:
            self.both("update", run, update_id)

    def teardown(self) -> None:
        """Whatever was not looked at since it was written is looked at now, unless the example failed before."""
        for run in self.model.started if self.agreed else ():
            self.reread(run)


class RunRules(Compared):
    """Runs, heads and pages of the ledger."""

    @initialize(target=runs)
    def first(self) -> str:
        """With a row of every kind beside the others', which no query may take for its own."""
        name = self._start(self.name, START)
        self.both("join", a_client(name, 7))
        self.both("claim_evaluation", a_lease(name, 7), None)
        self.both("record_evaluation", an_evaluation(name, 7))
        self.both("open_update", an_update(name, 7))
        return name

    @rule(target=runs, suffix=st.sampled_from(["", "-longer", "-0"]), created_at=draws.AGES)
    def start(self, suffix: str, created_at: int) -> MultipleResults[str]:
        """Gives the name if it was free, so that no name is drawn twice."""
        name = self.name + suffix
        taken = name in self.model.started
        self._start(name, created_at)
        return multiple() if taken else multiple(name)

    def _start(self, name: str, created_at: int) -> str:
        head = replace(a_head(name), generation=self.both("next_generation", name))
        self.both("create_run", a_run(name, created_at), head, an_entry(head, head))
        for method in ("run", "head"):
            self.both(method, name)
        self.both("ledger_entry", name, 0)
        return name

    @rule(target=heads, run=runs, status=draws.STATUSES)
    def change_status(self, run: str, status: Status) -> Head:
        """Gives the head as it was before."""
        return self._set_status(self.model.head(run), status)

    @rule(target=heads, head=heads, status=draws.STATUSES)
    def change_status_of_a_head_of_before(self, head: Head, status: Status) -> Head:
        return self._set_status(head, status)

    def _set_status(self, head: Head, status: Status) -> Head:
        before = self.model.started[head.run].head if head.run in self.model.started else head
        self.both("set_status", head, status)
        self.both("head", head.run)
        return before

    @rule(run=runs, after=draws.AFTER, limit=draws.LIMITS)
    def page_the_ledger(self, run: str, after: int, limit: int) -> None:
        self.both("ledger", run, after, limit)
        self.both("ledger_entry", run, after + 1)


class TableRules(Compared):
    """What is of the whole table, where others' runs are too, and what is of no run."""

    @rule()
    def list_runs(self) -> None:
        """Others' runs are in the list too, and only the hundred newest of all."""
        listed = self.catalog.runs()
        assert len(listed) <= 100
        assert [run.created_at for run in listed] == sorted((run.created_at for run in listed), reverse=True)
        mine = {run.run: run for run in listed if run.run in self.model.started}
        assert self.model.delisted.isdisjoint(mine)
        for name in self.model.started.keys() - self.model.delisted:
            rows = self.model.started[name]
            crowded_out = len(listed) == 100 and rows.run.created_at <= listed[-1].created_at
            assert mine.get(name) == rows.run or (crowded_out and name not in mine)

    @rule(size=st.integers(30, 100), begin=st.integers(0, 200), limit=draws.LIMITS)
    def page_the_names(self, size: int, begin: int, limit: int) -> None:
        everyone = list(self._names(size))
        names = [name for _, name in everyone]
        assert len(names) == len(set(names))
        assert {name for name in names if name.startswith(self.name)} == self.model.started.keys() - self.model.delisted
        begin = min(begin, len(everyone) - 1)
        after = everyone[begin][0]
        self.equal(self.catalog.run_names(limit, after=after), everyone[begin + 1 :][:limit], "run_names")

    def _names(self, size: int) -> Iterator[tuple[str, str]]:
        after, passed = "", set[str]()
        while page := self.catalog.run_names(size, after=after):
            assert len(page) <= size
            after = page[-1][0]
            assert after not in passed, "the pages go round in circles"
            passed.add(after)
            yield from page

    @rule(status=draws.STATUSES)
    def ask_of_a_run_that_never_was(self, status: Status) -> None:
        run = f"{self.name}-never"
        for method in ("run", "head", "evaluation_lease", "latest_evaluation"):
            self.both(method, run)
        for method in ("ledger", "evaluations"):
            assert self.both(method, run, -1, 9) == []
        assert self.both("pending", run, 9) == []
        assert self.both("active_clients", run, 0) == 0
        assert self.both("update", run, an_id(1)) is Missing
        assert self.both("touch", run, an_id(1), START) is Missing
        assert self.both("set_status", a_head(run), status) is Conflict
        assert self.both("commit", a_commit(a_head(run))) is Conflict
        assert self.both("head", run) is Missing


class ClientRules(Compared):
    """Who takes part, by a clock that never goes back."""

    now = START

    @rule(target=clients, run=runs, number=draws.NUMBERS, later=st.integers(0, 5))
    def join(self, run: str, number: int, later: int) -> MultipleResults[Client]:
        self.now += later
        client = replace(a_client(run, number, seen_at=self.now), joined_at=self.now)
        return multiple(client) if self.both("join", client) is None else multiple()

    @rule(client=clients)
    def join_the_very_same_way_again(self, client: Client) -> None:
        self.both("join", client)

    @rule(client=clients, later=st.integers(0, 5))
    def touch(self, client: Client, later: int) -> None:
        self.now += later
        self.both("touch", client.run, client.client_id, self.now)

    @rule(run=runs, number=draws.NUMBERS)
    def touch_whoever_it_is(self, run: str, number: int) -> None:
        self.both("touch", run, an_id(number), self.now)

    @rule(run=runs, ago=st.integers(-1, 20))
    def count_clients(self, run: str, ago: int) -> None:
        self.both("active_clients", run, self.now - ago)


class EvaluationRules(Compared):
    """Leases, each taking the place of the one that was read, and evaluations, one for each version."""

    @rule(target=leases, run=runs, version=draws.WHOLE)
    def claim(self, run: str, version: int) -> EvaluationLease:
        return self._claim(self._new_lease(run, version), self.model.evaluation_lease(run))

    @rule(target=leases, run=runs, believed=leases, version=draws.WHOLE)
    def claim_in_place_of_one_of_before(self, run: str, believed: EvaluationLease, version: int) -> EvaluationLease:
        """Or of one that this run never had."""
        return self._claim(self._new_lease(run, version), replace(believed, run=run))

    @rule(target=leases, run=runs)
    def claim_as_if_there_were_none(self, run: str) -> EvaluationLease:
        return self._claim(self._new_lease(run, 0), None)

    @rule(lease=leases, believed=leases)
    def claim_the_very_same_again(self, lease: EvaluationLease, believed: EvaluationLease) -> None:
        self._claim(lease, believed if believed.run == lease.run else None)

    def _new_lease(self, run: str, version: int) -> EvaluationLease:
        return replace(a_lease(run, 0, version), evaluation_id=self.attempt())

    def _claim(self, lease: EvaluationLease, previous: EvaluationLease | None) -> EvaluationLease:
        self.both("claim_evaluation", lease, previous)
        self.both("evaluation_lease", lease.run)
        return lease

    @rule(target=evaluations, run=runs, version=draws.AFTER, found=st.fixed_dictionaries(draws.EVALUATED))
    def evaluate(self, run: str, version: int, found: dict[str, Any]) -> Evaluation:
        return self._record(replace(an_evaluation(run, abs(version)), **found))

    @rule(evaluation=evaluations)
    def say_the_very_same_again(self, evaluation: Evaluation) -> None:
        self._record(evaluation)

    @rule(evaluation=evaluations, change=st.sampled_from([{"accuracy": 2.0}, {"evaluation_id": "0"}, {"at": 5}]))
    def say_otherwise(self, evaluation: Evaluation, change: dict[str, Any]) -> None:
        self._record(replace(evaluation, **change))

    def _record(self, evaluation: Evaluation) -> Evaluation:
        self.both("record_evaluation", evaluation)
        self.both("evaluations", evaluation.run, evaluation.version - 1, 1)
        self.both("latest_evaluation", evaluation.run)
        return evaluation

    @rule(run=runs, after=draws.AFTER, limit=draws.LIMITS)
    def page_the_evaluations(self, run: str, after: int, limit: int) -> None:
        self.both("evaluations", run, after, limit)
