"""What is left of a run in a catalog."""

import pytest
from samples import an_id

from webnn.core.records import SweepMark
from webnn.errors import Missing
from webnn.store.ports import Catalog


def listed(catalog: Catalog) -> set[str]:
    names, after = set[str](), ""
    while page := catalog.run_names(100, after=after):
        names |= {name for _, name in page}
        after = page[-1][0]
    return names


def assert_empty(catalog: Catalog, name: str) -> None:
    assert catalog.ledger(name, -1, 10) == []
    assert catalog.pending(name, 10) == []
    assert catalog.pending_count(name, 10) == 0
    assert catalog.active_clients(name, 0) == 0
    assert catalog.evaluations(name, -1, 10) == []
    assert catalog.evaluation_lease(name) is None
    assert catalog.merge_lease(name) is None
    assert catalog.sweep_mark(name) == SweepMark(name)
    assert catalog.offers(name, 10) == []
    assert catalog.last_offer(name, an_id(77)) is None
    for ask in (catalog.update, catalog.exchange):
        with pytest.raises(Missing):
            ask(name, an_id(1))
