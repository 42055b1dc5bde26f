"""Rules for turns, sweep marks and the count of what waits. See `test_catalog_machine`."""

import catalog_draws as draws
from catalog_rules import Compared, runs
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule
from msgspec.structs import replace
from samples import an_id

from webnn.core.records import MergeLease, SweepMark

turns: Bundle[MergeLease] = Bundle("turns")
HOLDERS = st.sampled_from([an_id(1), an_id(2)])
TIMES = st.sampled_from([0, 1, 2**53 + 1])  # few, so that turns differ in one respect only


class TurnRules(Compared):
    """Turns, each in place of the one that was read; marks, the last of which stays."""

    @rule(target=turns, run=runs, holder=HOLDERS, expires_at=TIMES, again=st.booleans())
    def take_the_turn(self, run: str, holder: str, expires_at: int, again: bool) -> MergeLease:
        return self._take(MergeLease(run, holder, expires_at, again), self.model.merge_lease(run))

    @rule(target=turns, believed=turns, holder=HOLDERS, again=st.booleans())
    def take_it_from_one_of_before(self, believed: MergeLease, holder: str, again: bool) -> MergeLease:
        return self._take(MergeLease(believed.run, holder, 7, again), believed)

    @rule(target=turns, run=runs, holder=HOLDERS)
    def take_it_as_if_there_were_none(self, run: str, holder: str) -> MergeLease:
        return self._take(MergeLease(run, holder, 9), None)

    @rule(turn=turns)
    def mark_it(self, turn: MergeLease) -> None:
        self._take(replace(turn, again=True), turn)

    def _take(self, turn: MergeLease, previous: MergeLease | None) -> MergeLease:
        self.both("claim_merging", turn, previous)
        self.both("merge_lease", turn.run)
        return turn

    @rule(run=runs, key=draws.TEXTS, version=draws.WHOLE, cleared_at=draws.WHOLE, spent=draws.TEXTS)
    def note_how_far_the_sweep_is(self, run: str, key: str, version: int, cleared_at: int, spent: str) -> None:
        self.both("sweep_mark", run)
        self.both("set_sweep_mark", SweepMark(run, key, version, cleared_at, spent=spent))
        self.both("sweep_mark", run)

    @rule(run=runs, limit=draws.LIMITS)
    def count_what_waits(self, run: str, limit: int) -> None:
        self.both("pending_count", run, limit)
