"""What every `Catalog` promises of runs, heads and ledgers."""

import pytest
from msgspec.structs import replace
from samples import START, a_commit, a_head, a_run, an_entry, an_update
from stages import Stage
from transfer import at_once

from webnn.core.records import Commit, Head, MergedUpdate, Status
from webnn.errors import Conflict, Missing
from webnn.store.ports import Catalog


def start(catalog: Catalog, name: str, created_at: int = START) -> Head:
    head = a_head(name)
    catalog.create_run(a_run(name, created_at), head, an_entry(head, head))
    return head


def advance(catalog: Catalog, head: Head, count: int) -> Head:
    """That many commits of one update each."""
    for number in range(count):
        update = an_update(head.run, head.version + number + 1)
        catalog.open_update(update)
        commit = a_commit(catalog.head(head.run), update)
        catalog.commit(commit)
    return catalog.head(head.run)


def test_a_new_run_is_all_there_at_once(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    assert catalog.run(run_name) == a_run(run_name)
    assert catalog.head(run_name) == head
    assert catalog.ledger_entry(run_name, 0) == an_entry(head, head)


def test_a_taken_name_conflicts_and_changes_nothing(catalog: Catalog, run_name: str) -> None:
    head = advance(catalog, start(catalog, run_name), 1)
    with pytest.raises(Conflict):
        start(catalog, run_name, created_at=START + 1)
    assert catalog.run(run_name) == a_run(run_name)
    assert catalog.head(run_name) == head


def test_what_was_never_started_is_missing(catalog: Catalog, run_name: str) -> None:
    for ask in (catalog.run, catalog.head):
        with pytest.raises(Missing):
            ask(run_name)
    with pytest.raises(Missing):
        catalog.ledger_entry(run_name, 0)
    assert catalog.ledger(run_name, -1, 10) == []
    assert catalog.pending(run_name, 10) == []


def test_whoever_asks_for_what_is_not_there_is_advised_what_lists_it(catalog: Catalog, run_name: str) -> None:
    for ask, lists in (
        (lambda: catalog.run(run_name), "`webnn list`"),
        (lambda: catalog.head(run_name), "`webnn list`"),
        (lambda: catalog.ledger_entry(run_name, 7), "`webnn ledger`"),
    ):
        with pytest.raises(Missing) as caught:
            ask()
        assert caught.value.advice.startswith(lists)


def test_a_head_that_never_was_conflicts_and_does_not_come_to_be(catalog: Catalog, run_name: str) -> None:
    with pytest.raises(Conflict):
        catalog.set_status(a_head(run_name), Status.PAUSED)
    with pytest.raises(Conflict):
        catalog.commit(a_commit(a_head(run_name)))
    with pytest.raises(Missing):
        catalog.head(run_name)


def test_runs_are_listed_newest_first(catalog: Catalog, run_name: str) -> None:
    names = [f"{run_name}-{number}" for number in range(3)]
    for name, age in zip(names, (5, 9, 7), strict=True):
        start(catalog, name, created_at=START + age)
    listed = [run for run in catalog.runs() if run.run in names]
    assert listed == [a_run(names[1], START + 9), a_run(names[2], START + 7), a_run(names[0], START + 5)]


def test_at_most_a_hundred_runs_are_listed(catalog: Catalog, run_name: str) -> None:
    for number in range(101):
        start(catalog, f"{run_name}-{number}", created_at=2 * START + number)
    listed = catalog.runs()
    assert len(listed) == 100
    assert listed[0].run == f"{run_name}-100"
    assert listed[-1].run == f"{run_name}-1"


def test_the_names_of_all_runs_come_in_pages(catalog: Catalog, run_name: str) -> None:
    names = {f"{run_name}-{number}" for number in range(7)}
    for number, name in enumerate(sorted(names)):
        start(catalog, name, created_at=START + number % 3)
    found, after = [], ""
    while page := catalog.run_names(2, after=after):
        assert len(page) <= 2
        found += [name for _, name in page]
        after = page[-1][0]
    assert len(found) == len(set(found))
    assert {name for name in found if name.startswith(f"{run_name}-")} == names


def test_a_name_may_begin_another_without_the_two_mixing(catalog: Catalog, run_name: str) -> None:
    advance(catalog, start(catalog, run_name), 2)
    start(catalog, f"{run_name}-longer")
    assert len(catalog.ledger(run_name, -1, 10)) == 3
    assert len(catalog.ledger(f"{run_name}-longer", -1, 10)) == 1


@pytest.mark.parametrize("status", [Status.PAUSED, Status.FINISHED])
def test_a_status_is_changed_from_the_one_that_was_read(catalog: Catalog, run_name: str, status: Status) -> None:
    head = start(catalog, run_name)
    catalog.set_status(head, status)
    assert catalog.head(run_name) == replace(head, status=status)


def test_a_status_that_another_changed_conflicts(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    catalog.set_status(head, Status.FINISHED)
    with pytest.raises(Conflict):
        catalog.set_status(head, Status.PAUSED)
    assert catalog.head(run_name).status is Status.FINISHED


def test_a_status_is_changed_though_the_head_moved_since(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    moved = advance(catalog, head, 1)
    catalog.set_status(head, Status.PAUSED)
    assert catalog.head(run_name) == replace(moved, status=Status.PAUSED)


def test_a_commit_on_a_head_of_another_status_conflicts(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    update = an_update(run_name, 1)
    catalog.open_update(update)
    catalog.set_status(head, Status.FINISHED)
    with pytest.raises(Conflict):
        catalog.commit(a_commit(head, update))
    assert catalog.update(run_name, update.update_id) == update


def test_a_commit_keeps_the_status(catalog: Catalog, run_name: str) -> None:
    catalog.set_status(start(catalog, run_name), Status.PAUSED)
    assert advance(catalog, catalog.head(run_name), 1).status is Status.PAUSED


def test_the_ledger_tells_every_commit_as_it_was(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    line = MergedUpdate("1" * 32, "2" * 32, 0, 0, (1 + 2) ** -0.5)
    entry = an_entry(head, a_head(run_name, 3), updates=(line,) * 3, examples=24, update_bytes=36)
    catalog.commit(Commit(head, a_head(run_name, 3), (), entry))
    assert catalog.ledger_entry(run_name, 3) == entry
    with pytest.raises(Missing):
        catalog.ledger_entry(run_name, 2)


def test_the_ledger_is_paged_from_after_a_version(catalog: Catalog, run_name: str) -> None:
    advance(catalog, start(catalog, run_name), 12)
    assert [entry.version for entry in catalog.ledger(run_name, -1, 5)] == [0, 1, 2, 3, 4]
    assert [entry.version for entry in catalog.ledger(run_name, 4, 5)] == [5, 6, 7, 8, 9]
    assert [entry.version for entry in catalog.ledger(run_name, 9, 5)] == [10, 11, 12]
    assert catalog.ledger(run_name, 12, 5) == []
    assert catalog.ledger(run_name, 10**11, 5) == []


def test_of_starters_at_once_one_gets_the_name(stage: Stage, catalog: Catalog, run_name: str) -> None:
    outcomes = at_once(8, lambda number: start(stage.rivals[number][0], run_name, START + number))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 7 + ["Head"]
    winner = next(number for number, outcome in enumerate(outcomes) if isinstance(outcome, Head))
    assert catalog.run(run_name).created_at == START + winner
