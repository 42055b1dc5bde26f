"""What every `Catalog` promises of turns and of the sweep's mark."""

import pytest
from msgspec.structs import replace
from samples import a_head, a_run, an_entry, an_id, an_update
from stages import Stage
from transfer import at_once

from webnn.core.records import MergeLease, SweepMark
from webnn.errors import Conflict
from webnn.store.ports import Catalog

UNTIL = 1_700_000_060_000


def a_turn(run: str, number: int = 1, **members: object) -> MergeLease:
    return replace(MergeLease(run, an_id(number), UNTIL), **members)


def test_before_the_first_there_is_none(catalog: Catalog, run_name: str) -> None:
    assert catalog.merge_lease(run_name) is None


@pytest.mark.parametrize("members", [{"again": True}, {"expires_at": 0}, {"holder": an_id(2)}])
def test_one_takes_the_place_of_the_one_that_was_read(
    catalog: Catalog, run_name: str, members: dict[str, object]
) -> None:
    first, second = a_turn(run_name), a_turn(run_name, **members)
    catalog.claim_merging(first, None)
    assert catalog.merge_lease(run_name) == first
    catalog.claim_merging(second, first)
    assert catalog.merge_lease(run_name) == second


@pytest.mark.parametrize("members", [{"again": True}, {"expires_at": 5}, {"holder": an_id(2)}, None])
def test_one_that_is_no_longer_what_was_read_conflicts(
    catalog: Catalog, run_name: str, members: dict[str, object] | None
) -> None:
    there = a_turn(run_name)
    catalog.claim_merging(there, None)
    believed = None if members is None else a_turn(run_name, **members)
    with pytest.raises(Conflict):
        catalog.claim_merging(a_turn(run_name, 3), believed)
    assert catalog.merge_lease(run_name) == there


def test_of_many_who_take_it_at_once_one_has_it(stage: Stage, run_name: str) -> None:
    turns = [a_turn(run_name, number) for number in range(8)]
    outcomes = at_once(8, lambda number: stage.rivals[number][0].claim_merging(turns[number], None))
    assert [type(outcome) for outcome in outcomes].count(Conflict) == 7
    assert stage.shared[0].merge_lease(run_name) == turns[outcomes.index(None)]


def test_a_mark_is_what_was_noted_last(catalog: Catalog, run_name: str) -> None:
    assert catalog.sweep_mark(run_name) == SweepMark(run_name)
    for mark in (SweepMark(run_name, "checkpoints/a", 5, 9), SweepMark(run_name, "", 4, spent='{"version": 3}')):
        catalog.set_sweep_mark(mark)
        assert catalog.sweep_mark(run_name) == mark


def test_pending_updates_are_counted_no_further_than_asked(catalog: Catalog, run_name: str) -> None:
    head = a_head(run_name)
    catalog.create_run(a_run(run_name), head, an_entry(head, head))
    assert catalog.pending_count(run_name, 10) == 0
    for number in range(5):
        catalog.open_update(an_update(run_name, number))
    assert [catalog.pending_count(run_name, limit) for limit in (1, 4, 5, 6)] == [1, 4, 5, 5]
