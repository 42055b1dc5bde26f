"""What every `Catalog` promises of taking a run away."""

import pytest
from leftovers import assert_empty, listed
from msgspec.structs import replace
from samples import (
    START,
    a_client,
    a_commit,
    a_head,
    a_lease,
    a_run,
    an_entry,
    an_evaluation,
    an_id,
    an_update,
)
from test_catalog_runs import advance, start

from webnn.core.records import Exchange, Head, MergeLease, Status, SweepMark
from webnn.errors import Conflict, Missing
from webnn.store.ports import Catalog


def one_of_each(catalog: Catalog, name: str) -> int:
    """A run with a row of every kind; says how many there are beside its own and its head."""
    advance(catalog, start(catalog, name), 1)
    catalog.open_update(an_update(name, 9))
    catalog.join(a_client(name, 1))
    catalog.claim_evaluation(a_lease(name, 1), None)
    catalog.record_evaluation(an_evaluation(name, 0))
    catalog.claim_merging(MergeLease(name, an_id(1), START), None)
    catalog.set_sweep_mark(SweepMark(name, "k", 1))
    catalog.swap(Exchange(name, an_id(1), an_id(77), START), None, None)
    return 2 + 2 + 1 + 1 + 1 + 1 + 1 + 3


def finish(catalog: Catalog, name: str) -> Head:
    catalog.set_status(catalog.head(name), Status.FINISHED)
    return catalog.head(name)


def test_a_run_that_is_off_the_list_is_there_all_the_same(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    start(catalog, f"{run_name}-0")
    for _ in range(2):
        catalog.delist(run_name)
        assert {run_name, f"{run_name}-0"} & listed(catalog) == {f"{run_name}-0"}
        assert run_name not in {run.run for run in catalog.runs()}
        assert catalog.head(run_name) == head


def test_what_is_not_on_the_list_is_taken_off_it_without_harm(catalog: Catalog, run_name: str) -> None:
    catalog.delist(run_name)


def test_rows_go_some_at_a_time_and_no_others_with_them(catalog: Catalog, run_name: str) -> None:
    rows, other = one_of_each(catalog, run_name), f"{run_name}-longer"
    one_of_each(catalog, other)
    run, head = catalog.run(run_name), catalog.head(run_name)
    assert catalog.delete_rows(run_name, 5) == 5
    assert catalog.delete_rows(run_name, 1000) == rows - 5
    assert catalog.delete_rows(run_name, 1000) == 0
    assert_empty(catalog, run_name)
    assert (catalog.run(run_name), catalog.head(run_name)) == (run, head)
    assert catalog.delete_rows(other, 1000) == rows


def test_more_rows_than_one_batch_takes_go_at_once(catalog: Catalog, run_name: str) -> None:
    start(catalog, run_name)
    for number in range(60):
        catalog.join(a_client(run_name, number))
    assert catalog.delete_rows(run_name, 1000) == 61
    assert catalog.active_clients(run_name, 0) == 0


def test_rows_of_a_run_that_never_was_are_none(catalog: Catalog, run_name: str) -> None:
    assert catalog.delete_rows(run_name, 10) == 0


def test_a_deleted_run_is_missing(catalog: Catalog, run_name: str) -> None:
    finish(catalog, start(catalog, run_name).run)
    catalog.delete_run(run_name, 1)
    for ask in (catalog.run, catalog.head):
        with pytest.raises(Missing):
            ask(run_name)
    assert catalog.delete_rows(run_name, 10) == 1  # the genesis' entry; what tells of the run that was stays
    assert catalog.delete_rows(run_name, 10) == 0
    assert catalog.next_generation(run_name) == 1


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PAUSED])
def test_a_run_that_is_not_finished_is_not_deleted(catalog: Catalog, run_name: str, status: Status) -> None:
    catalog.set_status(start(catalog, run_name), status)
    with pytest.raises(Conflict):
        catalog.delete_run(run_name, 1)
    assert catalog.head(run_name).status is status
    assert catalog.next_generation(run_name) == 0


def test_a_run_that_came_to_the_generation_meanwhile_is_not_deleted(catalog: Catalog, run_name: str) -> None:
    finish(catalog, start(catalog, run_name).run)
    with pytest.raises(Conflict):
        catalog.delete_run(run_name, 0)
    assert catalog.head(run_name).status is Status.FINISHED


def test_deleting_again_what_is_deleted_changes_nothing(catalog: Catalog, run_name: str) -> None:
    finish(catalog, start(catalog, run_name).run)
    for _ in range(2):
        catalog.delete_run(run_name, 3)
    assert catalog.next_generation(run_name) == 3


def test_the_next_run_of_the_name_begins_at_a_later_generation(catalog: Catalog, run_name: str) -> None:
    finish(catalog, start(catalog, run_name).run)
    catalog.delist(run_name)
    catalog.delete_run(run_name, 4)
    catalog.delete_rows(run_name, 10)
    for generation in (0, 3, 5):
        head = replace(a_head(run_name), generation=generation)
        with pytest.raises(Conflict):
            catalog.create_run(a_run(run_name), head, an_entry(head, head))
    with pytest.raises(Missing):
        catalog.run(run_name)
    head = replace(a_head(run_name), generation=4)
    catalog.create_run(a_run(run_name, START + 1), head, an_entry(head, head))
    assert catalog.head(run_name) == head
    assert run_name in listed(catalog)
    assert catalog.next_generation(run_name) == 4


def test_a_commit_on_a_run_that_was_deleted_conflicts_and_writes_nothing(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    catalog.open_update(an_update(run_name, 1))
    finish(catalog, run_name)
    catalog.delete_run(run_name, 1)
    catalog.delete_rows(run_name, 10)
    with pytest.raises(Conflict):
        catalog.commit(a_commit(head, an_update(run_name, 1)))
    assert_empty(catalog, run_name)


def test_a_status_is_not_changed_in_another_generation(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    with pytest.raises(Conflict):
        catalog.set_status(replace(head, generation=1), Status.FINISHED)
    assert catalog.head(run_name) == head
