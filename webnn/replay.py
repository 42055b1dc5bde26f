"""Replay: re-creates every checkpoint of a run from its genesis and the updates' blobs, and compares bit for bit.

The ledger is believed in nothing that can be worked out: the chain of digests, which update became which version,
each staleness and discount, the steps, and the SHA-256 of each checkpoint are all found again.
"""

from collections.abc import Iterator
from itertools import chain, pairwise

from msgspec import Struct

from webnn.core.checks import checked_delta
from webnn.core.ledger import digest
from webnn.core.merge import Contribution, Merged, merge
from webnn.core.records import Head, LedgerEntry, MergedUpdate, Update, UpdateState
from webnn.core.spec import Spec
from webnn.core.wire import Vector, encode_vector, sha256
from webnn.decision import checkpoint_weights
from webnn.errors import Corrupt, Invalid, Missing
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog

PAGE = 100


class Replayed(Struct, frozen=True):
    """An entry that was found again, bit for bit, and the version at which the replay will end."""

    entry: LedgerEntry
    last: int


class Replay:
    """Replays runs."""

    def __init__(self, catalog: Catalog, blobs: Blobs, specs: Specs) -> None:
        """Takes its stores."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs

    def entries(self, run: str, to: int | None = None) -> Iterator[LedgerEntry]:
        """The entries of a run from the genesis up to a version, or to the head, each checked against the one before.

        Raises:
            Missing: No such run.
            Invalid: No commit made version `to`.
            Corrupt: The chain is broken; the message names the first entry that does not fit.
        """
        head = self._catalog.head(run)
        entries = self._pages(run, head.version if to is None else to)
        first = next(entries, None)
        if first is None or first.version != 0 or first.previous:
            raise Corrupt(f"the ledger of run {run!r} does not begin with its genesis", run=run)
        yield first
        last = first
        for last in _chained(first, entries):
            yield last
        _check_end(last, head, to)

    def replay(self, run: str, to: int | None = None) -> Iterator[Replayed]:
        """Works out each entry's checkpoint anew and compares, from the genesis on. One model is in memory, or three.

        Raises:
            Missing: No such run.
            Invalid: No commit made version `to`.
            Corrupt: The first difference, named.
        """
        spec = self._specs.of(run)
        last = self._catalog.head(run).version if to is None else to
        known: dict[int, LedgerEntry] = {}
        weights: Vector | None = None
        for entry in self.entries(run, to):
            known[entry.version] = entry
            weights = self._checkpoint(spec, entry) if weights is None else self._again(spec, entry, known, weights)
            yield Replayed(entry, last)

    def _again(self, spec: Spec, entry: LedgerEntry, known: dict[int, LedgerEntry], weights: Vector) -> Vector:
        if entry.rule is None:
            raise _different(entry, "it names no rule")
        steps = known[entry.from_version].steps
        contributions = (self._contribution(spec, entry, line, known) for line in entry.updates)
        merged = merge(entry.rule, weights, steps, entry.from_version, contributions)
        _compare(entry, merged)
        return merged.weights

    def _contribution(
        self, spec: Spec, entry: LedgerEntry, line: MergedUpdate, known: dict[int, LedgerEntry]
    ) -> Contribution:
        update = self._update(entry, line)
        base = known.get(line.base_version)
        if base is None:
            raise _different(entry, f"update {line.update_id} stands on version {line.base_version}, which is not")
        needs_base = entry.rule is not None and entry.rule.needs_base
        return Contribution(
            delta=self._delta(spec, entry, update),
            base=self._checkpoint(spec, base) if needs_base else None,
            base_version=line.base_version,
            steps=base.steps + update.local_steps,
            examples=update.examples,
        )

    def _update(self, entry: LedgerEntry, line: MergedUpdate) -> Update:
        try:
            update = self._catalog.update(entry.run, line.update_id)
        except Missing as error:
            raise _different(entry, f"update {line.update_id} has no row") from error
        said = (update.client_id, update.base_version, update.staleness, update.discount)
        if update.state is not UpdateState.MERGED or said != (
            line.client_id, line.base_version, line.staleness, line.discount,
        ):  # fmt: skip
            raise _different(entry, f"the row of update {line.update_id} tells of another merge")
        return update

    def _delta(self, spec: Spec, entry: LedgerEntry, update: Update) -> Vector:
        try:
            return checked_delta(spec, update, self._blobs.get(keys.update(update.run, update.update_id)))
        except Missing as error:
            raise _different(entry, f"the body of update {update.update_id} is gone") from error
        except Invalid as error:
            raise _different(entry, f"the body of update {update.update_id}: {error.message}") from error

    def _checkpoint(self, spec: Spec, entry: LedgerEntry) -> Vector:
        return checkpoint_weights(self._blobs, spec, entry.checkpoint_key, entry.sha256)

    def _pages(self, run: str, to: int) -> Iterator[LedgerEntry]:
        after = -1
        while page := self._catalog.ledger(run, after, PAGE):
            for entry in page:
                if entry.version > to:
                    return
                yield entry
            after = page[-1].version


def _chained(first: LedgerEntry, entries: Iterator[LedgerEntry]) -> Iterator[LedgerEntry]:
    for before, entry in pairwise(chain([first], entries)):
        if entry.previous != digest(before):
            raise _different(entry, f"it names another entry before it than that of version {before.version}")
        if entry.from_version != before.version or entry.version != before.version + len(entry.updates):
            raise _different(entry, f"its versions do not follow version {before.version}")
        yield entry


def _check_end(last: LedgerEntry, head: Head, to: int | None) -> None:
    if to is not None and last.version != to:
        raise Invalid(f"no commit made version {to}; the one before it made {last.version}", version=last.version)
    if last.version == head.version and digest(last) != head.entry_sha256:
        raise Corrupt(f"the head of run {head.run!r} names another entry than that of version {last.version}")
    if to is None and last.version != head.version:
        raise Corrupt(f"the ledger of run {head.run!r} ends at version {last.version}, its head is at {head.version}")


def _compare(entry: LedgerEntry, merged: Merged) -> None:
    for line, folded in zip(entry.updates, merged.folded, strict=True):
        if (line.staleness, line.discount) != (folded.staleness, folded.discount):
            raise _different(
                entry, f"update {line.update_id} had staleness {folded.staleness}, {folded.discount} of it"
            )
    if merged.steps != entry.steps:
        raise _different(entry, f"{merged.steps} steps stand behind it, not {entry.steps}")
    if sha256(encode_vector(merged.weights)) != entry.sha256:
        raise _different(entry, "its checkpoint has another SHA-256 than its updates give")


def _different(entry: LedgerEntry, what: str) -> Corrupt:
    return Corrupt(f"version {entry.version}: {what}", version=entry.version)
