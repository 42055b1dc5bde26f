"""Landing a commit: the one conditional write, and what to make of a refusal and of a silence.

In the model (`spec/commit.pml`): Commit, ReadBack, LateLanding.
"""

from webnn.core.records import Commit
from webnn.errors import Conflict, Missing, Unavailable
from webnn.store.ports import Catalog


def land(catalog: Catalog, commit: Commit) -> bool:
    """Tries to commit; says whether it landed. After a silence it reads back.

    False is no proof that it never will: a request may still be on its way. Deciding again is safe all the same,
    because both attempts demand the same head.

    Raises:
        Unavailable: The reading back was met with silence too.
    """
    try:
        catalog.commit(commit)
    except Conflict:
        return False
    except Unavailable:
        return landed(catalog, commit)
    return True


def landed(catalog: Catalog, commit: Commit) -> bool:
    """Whether what is stored is of this commit. Raises Unavailable."""
    if commit.entry is None:
        first = commit.settled[0]
        return catalog.update(first.run, first.update_id) == first
    try:
        return catalog.ledger_entry(commit.entry.run, commit.entry.version) == commit.entry
    except Missing:
        return False
