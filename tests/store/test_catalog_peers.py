"""What every `Catalog` promises of updates that clients leave for each other."""

from itertools import count

import pytest
from samples import START, an_id
from stages import Stage
from transfer import at_once

from webnn.core.records import Exchange, Offer
from webnn.errors import Conflict, Missing
from webnn.store.ports import Catalog


def offer(run: str, update: int, client: int) -> Offer:
    return Offer(run, an_id(update), an_id(client))


def exchange(run: str, update: int, client: int, got: Offer | None = None) -> Exchange:
    received = (got.update_id, got.client_id) if got else ("", "")
    return Exchange(run, an_id(update), an_id(client), START, *received)


def left(catalog: Catalog, run: str) -> list[str]:
    return [one.update_id for one in catalog.offers(run, 10)]


def test_in_the_beginning_there_is_nothing(catalog: Catalog, run_name: str) -> None:
    assert catalog.offers(run_name, 10) == []
    assert catalog.last_offer(run_name, an_id(100)) is None
    with pytest.raises(Missing):
        catalog.exchange(run_name, an_id(1))


def test_one_left_and_the_next_takes_it(catalog: Catalog, run_name: str) -> None:
    first, second = exchange(run_name, 1, 100), exchange(run_name, 2, 101, offer(run_name, 1, 100))
    catalog.swap(first, None, None)
    assert catalog.offers(run_name, 10) == [offer(run_name, 1, 100)]
    catalog.swap(second, offer(run_name, 1, 100), None)
    assert catalog.offers(run_name, 10) == [offer(run_name, 2, 101)]
    assert [catalog.exchange(run_name, an_id(n)) for n in (1, 2)] == [first, second]
    assert catalog.last_offer(run_name, an_id(100)) == offer(run_name, 1, 100)


def test_a_newer_one_replaces_what_nobody_took(catalog: Catalog, run_name: str) -> None:
    catalog.swap(exchange(run_name, 1, 100), None, None)
    catalog.swap(exchange(run_name, 2, 100), None, offer(run_name, 1, 100))
    assert left(catalog, run_name) == [an_id(2)]
    assert catalog.last_offer(run_name, an_id(100)) == offer(run_name, 2, 100)


def test_a_newer_one_may_follow_what_was_taken(catalog: Catalog, run_name: str) -> None:
    catalog.swap(exchange(run_name, 1, 100), None, None)
    catalog.swap(exchange(run_name, 2, 101), offer(run_name, 1, 100), None)
    catalog.swap(exchange(run_name, 3, 100), offer(run_name, 2, 101), offer(run_name, 1, 100))
    assert left(catalog, run_name) == [an_id(3)]


def test_the_newest_come_first_and_no_more_than_asked_for(catalog: Catalog, run_name: str) -> None:
    for n in (3, 1, 2):
        catalog.swap(exchange(run_name, n, 100 + n), None, None)
    assert left(catalog, run_name) == [an_id(3), an_id(2), an_id(1)]
    assert [one.update_id for one in catalog.offers(run_name, 2)] == [an_id(3), an_id(2)]


def test_other_runs_have_their_own(catalog: Catalog, run_name: str) -> None:
    catalog.swap(exchange(f"{run_name}-other", 1, 100), None, None)
    assert catalog.offers(run_name, 10) == []
    catalog.swap(exchange(run_name, 1, 100), None, None)


@pytest.mark.parametrize("refused", ["exchanged before", "taken", "left another", "left one", "never there"])
def test_whoever_was_beaten_writes_nothing(catalog: Catalog, run_name: str, refused: str) -> None:
    catalog.swap(exchange(run_name, 1, 100), None, None)
    catalog.swap(exchange(run_name, 2, 101), offer(run_name, 1, 100), None)
    catalog.swap(exchange(run_name, 4, 103), None, None)
    beaten = {
        "exchanged before": (exchange(run_name, 2, 101), None, offer(run_name, 2, 101)),
        "taken": (exchange(run_name, 3, 102), offer(run_name, 1, 100), None),
        "left another": (exchange(run_name, 5, 101), None, offer(run_name, 1, 101)),
        "left one": (exchange(run_name, 5, 101), offer(run_name, 4, 103), None),
        "never there": (exchange(run_name, 5, 101), offer(run_name, 9, 109), offer(run_name, 2, 101)),
    }
    before = catalog.offers(run_name, 10)
    with pytest.raises(Conflict):
        catalog.swap(*beaten[refused])
    assert catalog.offers(run_name, 10) == before
    for update in (3, 5):
        with pytest.raises(Missing):
            catalog.exchange(run_name, an_id(update))


def test_of_many_who_want_one_at_once_one_gets_it(stage: Stage, catalog: Catalog, run_name: str) -> None:
    wanted = offer(run_name, 1, 100)
    catalog.swap(exchange(run_name, 1, 100), None, None)
    outcomes = at_once(
        8,
        lambda number: stage.rivals[number][0].swap(exchange(run_name, 2 + number, 200 + number, wanted), wanted, None),
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict"] * 7 + ["NoneType"]
    assert left(catalog, run_name) == [an_id(2 + outcomes.index(None))]


def test_no_update_is_given_to_two_clients_however_many_swap(stage: Stage, catalog: Catalog, run_name: str) -> None:
    """Each client swaps again and again; whoever is beaten looks again."""
    numbers = count(1)

    def swaps(client: int) -> list[str]:
        got, rival = [], stage.rivals[client][0]
        for _ in range(5):
            update = next(numbers)
            while True:
                previous = rival.last_offer(run_name, an_id(200 + client))
                taken = next((one for one in rival.offers(run_name, 9) if one.client_id != an_id(200 + client)), None)
                try:
                    rival.swap(exchange(run_name, update, 200 + client, taken), taken, previous)
                except Conflict:
                    continue
                got += [taken.update_id] if taken else []
                break
        return got

    outcomes = at_once(4, swaps)
    given = [update for outcome in outcomes for update in outcome]
    assert len(given) == len(set(given)) > 0
    assert not set(given) & set(left(catalog, run_name))
    assert len(catalog.offers(run_name, 10)) <= 4
