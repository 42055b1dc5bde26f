"""What every `Catalog` promises of updates and of the transaction that settles them."""

import pytest
from msgspec.structs import replace
from samples import a_commit, a_head, an_entry, an_id, an_update
from stages import Stage
from test_catalog_runs import advance, start
from transfer import at_once

from webnn.core.ledger import digest, head_after
from webnn.core.optimizers import Adam
from webnn.core.recipe import Recipe
from webnn.core.records import Commit, MergedUpdate, Update, UpdateState
from webnn.core.robust import Median, NormClip
from webnn.core.rules import Average, Delta
from webnn.core.staleness import Hinge
from webnn.core.wire import Quantization
from webnn.errors import Conflict, Missing
from webnn.store.ports import MAX_COMMIT, Catalog


def opened(catalog: Catalog, run: str, *numbers: int) -> list[Update]:
    updates = [an_update(run, number) for number in numbers]
    for update in updates:
        catalog.open_update(update)
    return updates


def test_an_update_is_read_back_as_it_was_announced(catalog: Catalog, run_name: str) -> None:
    update = an_update(
        run_name,
        1,
        base_version=999_999_999_999,
        examples=1_000_000_000,
        bytes=10**12,
        encoding="uint8",
        quantization=(Quantization(-0.1, 1e-300), Quantization(3.3, 5e-324)),
        loss=1e300,
        accuracy=0.1 + 0.2,
    )
    catalog.open_update(update)
    assert catalog.update(run_name, update.update_id) == update


def test_an_id_that_is_taken_conflicts_and_keeps_what_it_had(catalog: Catalog, run_name: str) -> None:
    (update,) = opened(catalog, run_name, 1)
    with pytest.raises(Conflict):
        catalog.open_update(replace(update, examples=9))
    assert catalog.update(run_name, update.update_id) == update


def test_the_very_same_update_again_is_harmless(catalog: Catalog, run_name: str) -> None:
    opened(catalog, run_name, 1, 1)
    assert catalog.pending(run_name, 10) == [an_update(run_name, 1)]


def test_an_update_that_nobody_opened_is_missing(catalog: Catalog, run_name: str) -> None:
    with pytest.raises(Missing):
        catalog.update(run_name, an_id(1))


def test_an_update_of_another_run_is_missing_here(catalog: Catalog, run_name: str) -> None:
    opened(catalog, f"{run_name}-other", 1)
    with pytest.raises(Missing):
        catalog.update(run_name, an_id(1))
    assert catalog.pending(run_name, 10) == []


def test_pending_updates_come_in_the_order_of_their_ids(catalog: Catalog, run_name: str) -> None:
    opened(catalog, run_name, 3, 1, 2, 10)
    assert catalog.pending(run_name, 10) == [an_update(run_name, number) for number in (1, 2, 3, 10)]


def test_pending_updates_are_paged_from_after_an_id(catalog: Catalog, run_name: str) -> None:
    first, second, third = opened(catalog, run_name, 1, 2, 3)
    assert catalog.pending(run_name, 2) == [first, second]
    assert catalog.pending(run_name, 2, after=second.update_id) == [third]
    assert catalog.pending(run_name, 2, after=third.update_id) == []


def test_a_page_of_pending_updates_is_full_though_settled_ones_lie_between(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    updates = opened(catalog, run_name, *range(1, 9))
    catalog.commit(a_commit(head, *updates[1:6]))
    assert catalog.pending(run_name, 3) == [updates[0], updates[6], updates[7]]


def test_a_commit_moves_the_head_settles_the_updates_and_enters_the_ledger(catalog: Catalog, run_name: str) -> None:
    commit = a_commit(start(catalog, run_name), *opened(catalog, run_name, 1, 2))
    catalog.commit(commit)
    assert catalog.head(run_name) == commit.head
    assert [catalog.update(run_name, u.update_id) for u in commit.settled] == list(commit.settled)
    assert catalog.ledger_entry(run_name, 2) == commit.entry
    assert catalog.pending(run_name, 10) == []


def test_every_way_to_settle_is_read_back(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    merged, rejected, stale, old = opened(catalog, run_name, 1, 2, 3, 4)
    settled = (
        merged.merged(1, 12, (1 + 12) ** -0.5),
        rejected.rejected("the delta holds NaN or infinity"),
        stale.discarded("too stale", 101),
        old.discarded("the run is finished"),
    )
    catalog.commit(Commit(head, a_head(run_name, 1), settled, an_entry(head, a_head(run_name, 1))))
    assert tuple(catalog.update(run_name, update.update_id) for update in settled) == settled


def test_refused_updates_alone_leave_the_head_where_it_is(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    (update,) = opened(catalog, run_name, 1)
    catalog.commit(Commit(head, head, (update.rejected("bad"),), None))
    assert catalog.head(run_name) == head
    assert catalog.update(run_name, update.update_id).state is UpdateState.REJECTED
    assert len(catalog.ledger(run_name, -1, 10)) == 1


def nothing_changed(catalog: Catalog, run: str, commit: Commit, pending: list[Update]) -> None:
    """Neither the head to come, nor its ledger entry, nor the end of any update that was pending is there."""
    assert catalog.head(run) != commit.head
    assert [entry for entry in catalog.ledger(run, -1, 100) if entry == commit.entry] == []
    assert catalog.pending(run, 100) == pending


def test_a_commit_on_a_moved_head_conflicts_and_writes_nothing(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    first, second = opened(catalog, run_name, 1, 2)
    catalog.commit(a_commit(head, first))
    late = a_commit(head, second)
    late = replace(late, head=replace(late.head, checkpoint_key="late"), entry=replace(late.entry, attempt="late"))
    with pytest.raises(Conflict):
        catalog.commit(late)
    nothing_changed(catalog, run_name, late, [second])


def test_a_commit_of_a_settled_update_conflicts_and_writes_nothing(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    first, second = opened(catalog, run_name, 1, 2)
    catalog.commit(Commit(head, head, (first.rejected("bad"),), None))
    both = a_commit(head, first, second)
    with pytest.raises(Conflict):
        catalog.commit(both)
    nothing_changed(catalog, run_name, both, [second])
    assert catalog.update(run_name, first.update_id).reason == "bad"


def test_refused_updates_of_a_moved_head_conflict_too(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    first, second = opened(catalog, run_name, 1, 2)
    catalog.commit(a_commit(head, first))
    with pytest.raises(Conflict):
        catalog.commit(Commit(head, head, (second.discarded("too stale", 3),), None))
    assert catalog.pending(run_name, 10) == [second]


def test_a_commit_of_an_update_that_nobody_opened_conflicts(catalog: Catalog, run_name: str) -> None:
    commit = a_commit(start(catalog, run_name), an_update(run_name, 1))
    with pytest.raises(Conflict):
        catalog.commit(commit)
    nothing_changed(catalog, run_name, commit, [])
    with pytest.raises(Missing):
        catalog.update(run_name, an_id(1))


def test_a_commit_of_an_older_generation_conflicts(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    again = replace(head, generation=1)
    catalog.commit(Commit(head, again, (), None))
    (update,) = opened(catalog, run_name, 1)
    with pytest.raises(Conflict):
        catalog.commit(a_commit(head, update))
    assert catalog.head(run_name) == again


def test_a_version_is_in_the_ledger_once(catalog: Catalog, run_name: str) -> None:
    """As after a rollback: the head is back at 0, but version 1 was made before and is not made again unseen."""
    head = start(catalog, run_name)
    moved = advance(catalog, head, 1)
    back = replace(head, generation=1)
    catalog.commit(Commit(moved, back, (), None))
    (update,) = opened(catalog, run_name, 9)
    commit = a_commit(back, update)
    with pytest.raises(Conflict):
        catalog.commit(commit)
    assert catalog.head(run_name) == back
    assert catalog.pending(run_name, 10) == [update]


def test_the_largest_commit_lands_whole(catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    updates = opened(catalog, run_name, *range(1, MAX_COMMIT + 2))
    catalog.commit(a_commit(head, *updates[:MAX_COMMIT]))
    assert catalog.head(run_name).version == MAX_COMMIT
    assert catalog.pending(run_name, 1000) == updates[MAX_COMMIT:]
    assert catalog.update(run_name, updates[MAX_COMMIT - 1].update_id).version == MAX_COMMIT


def test_of_commits_at_once_on_one_head_one_lands(stage: Stage, catalog: Catalog, run_name: str) -> None:
    head = start(catalog, run_name)
    updates = opened(catalog, run_name, *range(1, 9))
    outcomes = at_once(8, lambda number: stage.rivals[number][0].commit(a_commit(head, updates[number])))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 7 + ["NoneType"]
    winner = updates[outcomes.index(None)]
    assert catalog.head(run_name).version == 1
    assert catalog.update(run_name, winner.update_id).version == 1
    assert catalog.pending(run_name, 10) == [update for update in updates if update != winner]


@pytest.mark.parametrize(
    "recipe",
    [
        None,
        Recipe(Delta(server_rate=0.1, discounting=Hinge(slope=0.3)), (NormClip(0.7), Median(3)), Adam(rate=0.1)),
        Recipe(Average()),
    ],
)
def test_an_entry_has_the_same_digest_when_it_is_read_back(
    catalog: Catalog, run_name: str, recipe: Recipe | None
) -> None:
    head = start(catalog, run_name)
    (update,) = opened(catalog, run_name, 1)
    line = MergedUpdate(update.update_id, update.client_id, 0, 10**12, 0.1 + 0.2)
    commit = a_commit(head, update)
    assert commit.entry is not None
    entry = replace(
        commit.entry, updates=(line,), recipe=recipe, previous="a" * 64, code="webnn 0, numpy 0", state_sha256="b" * 64
    )
    moved = head_after(commit.base, entry)
    catalog.commit(replace(commit, entry=entry, head=moved))
    assert digest(catalog.ledger_entry(run_name, 1)) == digest(entry)
    assert digest(catalog.ledger(run_name, 0, 1)[0]) == catalog.head(run_name).entry_sha256
