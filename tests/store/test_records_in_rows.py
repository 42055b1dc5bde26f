"""Rows that somebody else wrote, or another version of the code."""

import pytest
from samples import a_client, an_update

from webnn.core.records import Client, Update
from webnn.errors import Corrupt
from webnn.store import records_in_rows as shape
from webnn.store.rows import ClientRow, UpdateRow


def test_attributes_that_are_not_known_are_ignored() -> None:
    client = a_client("line", 1)
    row = ClientRow(item=shape.client_item(client.client_id), **shape.attributes(client))
    row.attribute_values["since_a_later_version"] = 1
    assert shape.record(Client, row) == client


def test_a_row_that_lacks_what_it_must_have_is_corrupt() -> None:
    with pytest.raises(Corrupt, match=r"a row is not a Client: .*`client_id`"):
        shape.record(Client, ClientRow(run="line", item="client#1"))


def test_a_row_with_a_state_that_does_not_exist_is_corrupt() -> None:
    update = an_update("line", 1)
    row = UpdateRow(item="update#1", **shape.update_attributes(update) | {"state": "merging"})
    with pytest.raises(Corrupt, match=r"a row is not a Update: .*merging"):
        shape.record(Update, row)
