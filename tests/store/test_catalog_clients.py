"""What every `Catalog` promises of clients and of evaluations."""

from typing import Any

import pytest
from msgspec.structs import replace
from samples import START, a_client, a_lease, an_evaluation, an_id
from stages import Stage
from transfer import at_once

from webnn.errors import Conflict, Missing
from webnn.store.ports import Catalog


def test_a_client_asks_and_is_counted(catalog: Catalog, run_name: str) -> None:
    catalog.join(a_client(run_name, 1))
    first = catalog.touch(run_name, an_id(1), START + 5)
    second = catalog.touch(run_name, an_id(1), START + 9)
    assert first == replace(a_client(run_name, 1), seen_at=START + 5, tasks=1)
    assert second == replace(a_client(run_name, 1), seen_at=START + 9, tasks=2)


def test_an_id_that_is_taken_conflicts(catalog: Catalog, run_name: str) -> None:
    catalog.join(a_client(run_name, 1))
    catalog.touch(run_name, an_id(1), START)
    with pytest.raises(Conflict):
        catalog.join(a_client(run_name, 1))
    assert catalog.touch(run_name, an_id(1), START).tasks == 2


def test_to_join_the_very_same_way_again_is_harmless(catalog: Catalog, run_name: str) -> None:
    for _ in range(2):
        catalog.join(a_client(run_name, 1))
    assert catalog.touch(run_name, an_id(1), START).tasks == 1


def test_who_never_joined_is_missing_and_does_not_appear_by_asking(catalog: Catalog, run_name: str) -> None:
    for _ in range(2):
        with pytest.raises(Missing):
            catalog.touch(run_name, an_id(1), START)
    assert catalog.active_clients(run_name, 0) == 0


def test_a_client_of_another_run_is_missing_here(catalog: Catalog, run_name: str) -> None:
    catalog.join(a_client(f"{run_name}-other", 1))
    with pytest.raises(Missing):
        catalog.touch(run_name, an_id(1), START)


def test_active_are_those_seen_since(catalog: Catalog, run_name: str) -> None:
    for number in range(4):
        catalog.join(a_client(run_name, number, seen_at=START + number))
    assert [catalog.active_clients(run_name, START + since) for since in range(5)] == [4, 3, 2, 1, 0]
    catalog.touch(run_name, an_id(0), START + 9)
    assert catalog.active_clients(run_name, START + 3) == 2


def test_no_request_of_many_at_once_goes_uncounted(stage: Stage, catalog: Catalog, run_name: str) -> None:
    catalog.join(a_client(run_name, 1))
    outcomes = at_once(8, lambda number: stage.rivals[number][0].touch(run_name, an_id(1), START + number).tasks)
    assert sorted(outcomes) == list(range(1, 9))


def test_before_the_first_there_is_no_lease(catalog: Catalog, run_name: str) -> None:
    assert catalog.evaluation_lease(run_name) is None


def test_a_lease_takes_the_place_of_the_one_that_was_read(catalog: Catalog, run_name: str) -> None:
    first, second = a_lease(run_name, 1), a_lease(run_name, 2, version=20)
    catalog.claim_evaluation(first, None)
    assert catalog.evaluation_lease(run_name) == first
    catalog.claim_evaluation(second, first)
    assert catalog.evaluation_lease(run_name) == second


@pytest.mark.parametrize("believed", ["none", "an older one"])
def test_a_lease_that_another_took_conflicts(catalog: Catalog, run_name: str, believed: str) -> None:
    first, second = a_lease(run_name, 1), a_lease(run_name, 2)
    catalog.claim_evaluation(first, None)
    catalog.claim_evaluation(second, first)
    with pytest.raises(Conflict):
        catalog.claim_evaluation(a_lease(run_name, 3), None if believed == "none" else first)
    assert catalog.evaluation_lease(run_name) == second


def test_the_very_same_claim_again_is_harmless(catalog: Catalog, run_name: str) -> None:
    for _ in range(2):
        catalog.claim_evaluation(a_lease(run_name, 1), None)
    assert catalog.evaluation_lease(run_name) == a_lease(run_name, 1)


def test_a_lease_in_place_of_one_that_never_was_conflicts(catalog: Catalog, run_name: str) -> None:
    with pytest.raises(Conflict):
        catalog.claim_evaluation(a_lease(run_name, 2), a_lease(run_name, 1))
    assert catalog.evaluation_lease(run_name) is None


def test_of_claims_at_once_one_wins(stage: Stage, catalog: Catalog, run_name: str) -> None:
    leases = [a_lease(run_name, number) for number in range(8)]
    outcomes = at_once(8, lambda number: stage.rivals[number][0].claim_evaluation(leases[number], None))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 7 + ["NoneType"]
    assert catalog.evaluation_lease(run_name) == leases[outcomes.index(None)]


def test_an_evaluation_is_read_back(catalog: Catalog, run_name: str) -> None:
    evaluation = replace(an_evaluation(run_name, 3), loss=1e-300, accuracy=0.1 + 0.2)
    catalog.record_evaluation(evaluation)
    assert catalog.latest_evaluation(run_name) == evaluation
    assert catalog.evaluations(run_name, -1, 10) == [evaluation]


def test_before_the_first_there_is_no_evaluation(catalog: Catalog, run_name: str) -> None:
    assert catalog.latest_evaluation(run_name) is None
    assert catalog.evaluations(run_name, -1, 10) == []


def test_the_same_answer_again_is_harmless(catalog: Catalog, run_name: str) -> None:
    for _ in range(2):
        catalog.record_evaluation(an_evaluation(run_name, 3))
    assert catalog.evaluations(run_name, -1, 10) == [an_evaluation(run_name, 3)]


@pytest.mark.parametrize("other", [{"lease": 2}, {"lease": 1, "accuracy": 0.9}], ids=["lease", "answer"])
def test_another_evaluation_of_a_version_conflicts_and_leaves_the_first(
    catalog: Catalog, run_name: str, other: dict[str, Any]
) -> None:
    first = an_evaluation(run_name, 3, lease=1)
    catalog.record_evaluation(first)
    with pytest.raises(Conflict):
        catalog.record_evaluation(an_evaluation(run_name, 3, **other))
    assert catalog.latest_evaluation(run_name) == first


def test_evaluations_are_paged_by_version_and_the_latest_is_of_the_highest(catalog: Catalog, run_name: str) -> None:
    for version in (100, 0, 20, 3):
        catalog.record_evaluation(an_evaluation(run_name, version))
    assert [e.version for e in catalog.evaluations(run_name, -1, 3)] == [0, 3, 20]
    assert [e.version for e in catalog.evaluations(run_name, 3, 3)] == [20, 100]
    assert catalog.latest_evaluation(run_name).version == 100
