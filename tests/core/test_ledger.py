"""The chain's digests."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from samples import a_head, an_entry, an_id

from webnn.core.ledger import digest, head_after
from webnn.core.optimizers import Adam
from webnn.core.recipe import Recipe
from webnn.core.records import LedgerEntry, MergedUpdate, Status
from webnn.core.rules import Average, Delta

LINE = MergedUpdate(an_id(1), an_id(2), 0, 3, 0.1)
ENTRY = an_entry(a_head("line"), a_head("line", 1), updates=(LINE,), recipe=Recipe(Delta()), previous="a" * 64)


def test_the_digest_of_an_entry_never_changes() -> None:
    """What was written by one version of the code is checked by all later ones."""
    assert digest(ENTRY) == "5b5be51256ce51ef0b817dc75a7e13354c2dbaf395692d8f48dad2f4033e9736"


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 2},
        {"previous": "b" * 64},
        {"sha256": "e" * 64},
        {"recipe": Recipe(Average())},
        {"recipe": Recipe(Delta(server_rate=0.5))},
        {"recipe": Recipe(optimizer=Adam())},
        {"state_sha256": "f" * 64},
        {"updates": ()},
        {"updates": (replace(LINE, discount=0.1000000000000001),)},
        {"code": "another"},
    ],
)
def test_whatever_is_altered_alters_it(changed: dict[str, Any]) -> None:
    assert digest(replace(ENTRY, **changed)) != digest(ENTRY)


def test_a_member_that_is_added_later_alters_nothing_while_it_has_its_default() -> None:
    class Later(LedgerEntry, frozen=True):
        reason: str = ""

    later = msgspec.convert(msgspec.to_builtins(ENTRY), Later)
    assert digest(later) == digest(ENTRY)
    assert digest(replace(later, reason="new")) != digest(ENTRY)


def test_the_head_after_an_entry_points_at_what_it_made() -> None:
    head = replace(a_head("line"), status=Status.PAUSED)
    after = head_after(head, ENTRY)
    assert (after.version, after.sha256, after.entry_sha256) == (1, ENTRY.sha256, digest(ENTRY))
    assert after.status is Status.PAUSED
