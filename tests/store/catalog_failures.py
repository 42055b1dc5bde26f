"""Rules for what clients report of their failing. See `test_catalog_machine`."""

import catalog_draws as draws
from catalog_rules import EVERYTHING, Compared, runs
from hypothesis import strategies as st
from hypothesis.stateful import rule
from samples import START, an_id

from webnn.core.records import Failure

WORDS = st.sampled_from(["", "no such layer", "\u202e ünd so weiter\n"])


class FailureRules(Compared):
    """Reports, first ones and others of the same client."""

    @rule(run=runs, number=draws.NUMBERS, words=WORDS, version=st.none() | st.integers(0, 9))
    def report(self, run: str, number: int, words: str, version: int | None) -> None:
        failure = Failure(run, an_id(number), START, "bad_spec", "it fails", words, version=version)
        self.both("record_failure", failure)
        self.both("failures", run, EVERYTHING)

    @rule(run=runs, limit=draws.LIMITS)
    def list_the_newest_reports(self, run: str, limit: int) -> None:
        self.both("failures", run, limit)
