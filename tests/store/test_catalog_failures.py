"""What every `Catalog` promises of clients that cannot train."""

from samples import START, an_id

from webnn.core.records import Failure
from webnn.store.ports import Catalog


def failure(run: str, client: int, message: str = "no such layer") -> Failure:
    return Failure(run, an_id(client), START + client, "bad_spec", message, "at conv_1\n\u202e", "wasm", 3)


def test_nobody_has_failed_before_somebody_says_so(catalog: Catalog, run_name: str) -> None:
    assert catalog.failures(run_name, 10) == []


def test_those_who_joined_last_come_first(catalog: Catalog, run_name: str) -> None:
    reported = [failure(run_name, client) for client in (2, 1, 3)]
    for one in reported:
        catalog.record_failure(one)
    assert catalog.failures(run_name, 10) == sorted(reported, key=lambda one: one.client_id, reverse=True)
    assert [one.client_id for one in catalog.failures(run_name, 2)] == [an_id(3), an_id(2)]


def test_of_a_client_the_last_report_stays(catalog: Catalog, run_name: str) -> None:
    for message in ("first", "second"):
        catalog.record_failure(failure(run_name, 1, message))
    assert [one.message for one in catalog.failures(run_name, 10)] == ["second"]


def test_what_a_client_leaves_out_is_left_out(catalog: Catalog, run_name: str) -> None:
    bare = Failure(run_name, an_id(1), START, "no_backend", "nothing fits")
    catalog.record_failure(bare)
    assert catalog.failures(run_name, 10) == [bare]


def test_each_run_has_its_own(catalog: Catalog, run_name: str) -> None:
    catalog.record_failure(failure(f"{run_name}-other", 1))
    assert catalog.failures(run_name, 10) == []


def test_they_go_with_the_run(catalog: Catalog, run_name: str) -> None:
    catalog.record_failure(failure(run_name, 1))
    catalog.delete_rows(run_name, 100)
    assert catalog.failures(run_name, 10) == []
