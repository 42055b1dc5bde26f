"""Rules for taking runs away. See `test_catalog_machine`."""

from catalog_rules import EVERYTHING, Compared, runs
from hypothesis import strategies as st
from hypothesis.stateful import consumes, rule
from msgspec.structs import replace
from samples import START, a_head, a_run, an_entry

from webnn.core.records import Status
from webnn.errors import Conflict, Missing


class RemovalRules(Compared):
    """Whole runs go, each step as the port has them; what is refused is refused before."""

    @rule(run=runs)
    def take_off_the_list(self, run: str) -> None:
        self.both("delist", run)

    @rule(run=consumes(runs), above=st.integers(1, 3))
    def delete(self, run: str, above: int) -> None:
        generation = self.model.head(run).generation + above
        self.both("set_status", self.model.head(run), Status.FINISHED)
        self.both("delist", run)
        self.both("delete_rows", run, EVERYTHING)
        assert self.both("delete_rows", run, EVERYTHING) == 0
        assert self.both("delete_run", run, generation) is None
        assert self.both("head", run) is Missing
        assert self.both("run", run) is Missing
        assert self.both("ledger", run, -1, EVERYTHING) == []

    @rule(run=runs, below=st.integers(0, 2), status=st.sampled_from([Status.RUNNING, Status.PAUSED]))
    def delete_too_early(self, run: str, below: int, status: Status) -> None:
        """While it goes on, or as if it were of a generation that it has passed."""
        head = self.model.head(run)
        if self.both("set_status", head, status if below == 0 else Status.FINISHED) is None:
            assert self.both("delete_run", run, head.generation + (1 if below == 0 else 1 - below)) is Conflict
        self.reread(run)

    @rule(run=runs, above=st.integers(0, 3))
    def begin_at_another_generation(self, run: str, above: int) -> None:
        """Under a name that is taken, and under one that never was."""
        for name in (run, f"{self.name}-never"):
            head = replace(a_head(name), generation=self.model.next_generation(name) + 1 + above)
            assert self.both("create_run", a_run(name, START), head, an_entry(head, head)) is Conflict
