"""Census: the names of all runs, however many."""

from collections.abc import Iterator

from webnn.store.ports import Catalog

PAGE = 1_000


def all_runs(catalog: Catalog) -> Iterator[str]:
    """Every run's name, read a page at a time. Raises Unavailable."""
    after = ""
    while page := catalog.run_names(PAGE, after):
        yield from (name for _, name in page)
        after = page[-1][0]
