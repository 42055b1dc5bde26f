"""Replay: re-creates every checkpoint of a run from its genesis and the updates' blobs, and compares bit for bit.

The ledger is believed in nothing that can be worked out: the chain of digests, which update became which version,
each staleness and discount, the steps, and the SHA-256 of each checkpoint are all found again.
"""

from collections.abc import Iterator
from itertools import chain, pairwise

from msgspec import Struct

from webnn.checkpoints import Checkpoint, encoded
from webnn.core.ledger import digest
from webnn.core.merge import Merged, merge
from webnn.core.records import Head, LedgerEntry
from webnn.core.wire import sha256
from webnn.errors import Corrupt, Invalid, Missing
from webnn.lineage import Bodies, Step, fold, lineage
from webnn.specs import Specs
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

    def replay(self, run: str, to: int | None = None, start: int = 0) -> Iterator[Replayed]:
        """Works out each entry's checkpoint anew and compares. One model is in memory, or three.

        Args:
            run: The run.
            to: The last version; the head's if None.
            start: The first version, whose checkpoint is believed: the genesis, or a later one where a run does not
                keep what came before. Then the checkpoint of an unmerge is believed likewise, because it is made of
                all that was merged before. The chain of entries is checked from the genesis on in any case.

        Raises:
            Missing: No such run.
            Invalid: No commit made version `to` or `start`.
            Corrupt: The first difference, named.
        """
        if start:
            self._check_start(run, start)
        known: dict[int, LedgerEntry] = {}
        bodies = Bodies(self._catalog, self._blobs, self._specs.of(run), known)
        last = self._catalog.head(run).version if to is None else to
        checkpoint: Checkpoint | None = None
        for entry in self.entries(run, to):
            known[entry.version] = entry
            if entry.version < start:
                continue
            if checkpoint is None or (start > 0 and entry.without is not None):
                checkpoint = bodies.checkpoint(entry)
            else:
                checkpoint = self._again(bodies, entry, known, checkpoint)
            yield Replayed(entry, last)

    def _check_start(self, run: str, start: int) -> None:
        self._catalog.head(run)  # or it is the run that is missing
        try:
            self._catalog.ledger_entry(run, start)
        except Missing as error:
            raise Invalid(error.message, advice=error.advice, version=start) from error

    def _again(
        self, bodies: Bodies, entry: LedgerEntry, known: dict[int, LedgerEntry], before: Checkpoint
    ) -> Checkpoint:
        try:
            if entry.restores is not None:
                return _restored(bodies, entry, known)
            if entry.without is not None:
                return _without(bodies, entry, known)
            return _committed(bodies, entry, known, before)
        except Corrupt as error:
            raise Corrupt(f"version {entry.version}: {error.message}", version=entry.version) from error

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
        if entry.from_version != before.version or entry.version != before.version + max(1, len(entry.updates)):
            raise _different(entry, f"its versions do not follow version {before.version}")
        yield entry


def _check_end(last: LedgerEntry, head: Head, to: int | None) -> None:
    if to is not None and last.version != to:
        raise Invalid(f"no commit made version {to}; the one before it made {last.version}", version=last.version)
    if last.version == head.version and digest(last) != head.entry_sha256:
        raise Corrupt(f"the head of run {head.run!r} names another entry than that of version {last.version}")
    if to is None and last.version != head.version:
        raise Corrupt(f"the ledger of run {head.run!r} ends at version {last.version}, its head is at {head.version}")


def _committed(bodies: Bodies, entry: LedgerEntry, known: dict[int, LedgerEntry], before: Checkpoint) -> Checkpoint:
    recipe = entry.recipe
    if recipe is None:
        raise Corrupt("it names no recipe")
    contributions = (bodies.contribution(entry.run, Step(line, recipe)) for line in entry.updates)
    steps, merging = known[entry.from_version].steps, bodies.merging(recipe)
    merged = merge(merging, before.weights, steps, entry.from_version, contributions, before.state)
    for line, folded in zip(entry.updates, merged.folded, strict=True):
        if (line.staleness, line.discount) != (folded.staleness, folded.discount):
            found, told = (folded.staleness, folded.discount), (line.staleness, line.discount)
            raise Corrupt(f"update {line.update_id} had staleness and discount {found}, not {told}")
    return _compared(entry, merged)


def _restored(bodies: Bodies, entry: LedgerEntry, known: dict[int, LedgerEntry]) -> Checkpoint:
    """Its own checkpoint, which is the restored one's to the bit: that one may be gone (`webnn.keeping`)."""
    restored = known.get(-1 if entry.restores is None else entry.restores)
    if restored is None:
        raise Corrupt(f"it restores version {entry.restores}, which is not there")
    told = (entry.steps, entry.sha256, entry.state_sha256)
    if told != (restored.steps, restored.sha256, restored.state_sha256):
        raise Corrupt(f"it has other weights, state or steps than version {restored.version}, which it restores")
    return bodies.checkpoint(entry)


def _without(bodies: Bodies, entry: LedgerEntry, known: dict[int, LedgerEntry]) -> Checkpoint:
    genesis = known[0]
    held = lineage(known, entry.version)
    return _compared(entry, fold(entry.run, held, bodies, bodies.checkpoint(genesis), genesis.steps))


def _compared(entry: LedgerEntry, merged: Merged) -> Checkpoint:
    if merged.steps != entry.steps:
        raise Corrupt(f"{merged.steps} steps stand behind it, not {entry.steps}")
    found = Checkpoint(merged.weights, merged.state)
    bodies = encoded(found)
    if sha256(bodies.weights) != entry.sha256:
        raise Corrupt("its checkpoint has another SHA-256 than its updates give")
    if (sha256(bodies.state) if bodies.state else "") != entry.state_sha256:
        raise Corrupt("the state beside its checkpoint has another SHA-256 than its updates give")
    return found


def _different(entry: LedgerEntry, what: str) -> Corrupt:
    return Corrupt(f"version {entry.version}: {what}", version=entry.version)
