"""Bugs that somebody could make: each must cost a promise in some life.

A mutant is a line of the package and what it becomes. `test_mutants.py` gives each a copy of the package and lives on
until a promise breaks.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One bug.

    Attributes:
        first: The seed to begin with: the lives before it are known not to meet the bug.
    """

    name: str
    module: str
    line: str
    becomes: str
    first: int = 0


MUTANTS = [
    Mutant(
        "the head's condition is dropped",
        "store/memory.py",
        "if self._heads.get(commit.base.run) != commit.base:",
        "if False:",
    ),
    Mutant(
        "only the version of the head is a condition, not its status",
        "store/memory.py",
        "if self._heads.get(commit.base.run) != commit.base:",
        "if self._heads[commit.base.run].version != commit.base.version:",
    ),
    Mutant(
        "the updates' condition is dropped, and updates are read before the head",
        "store/memory.py",
        "if held is None or held.state is not UpdateState.PENDING:",
        "if held is None:",
    ),
    Mutant(
        "refused, the same bytes are sent again",
        "commit.py",
        "elif self._land(commit, begun):",
        "elif self._land(commit, begun) or self._land(replace(commit, base=self._catalog.head(run)), begun):",
    ),
    Mutant(
        "updates are marked as merged before the head moves",
        "landing.py",
        "        catalog.commit(commit)",
        "        from msgspec.structs import replace\n"
        "        catalog.commit(replace(commit, head=commit.base, entry=None))\n"
        "        catalog.commit(replace(commit, settled=()))",
    ),
    Mutant("silence is taken for success", "landing.py", "return landed(catalog, commit)", "return True"),
    Mutant(
        "a commit is recognised by its version and not by its attempt",
        "landing.py",
        "return catalog.ledger_entry(commit.entry.run, commit.entry.version) == commit.entry",
        "return catalog.ledger_entry(commit.entry.run, commit.entry.version).version == commit.entry.version",
    ),
    Mutant(
        "a move that was met with silence is made again without a look",
        "restore.py",
        "if late := next((commit.entry for commit in tried if landed(self._catalog, commit)), None):",
        "if late := None:",
    ),
    Mutant(
        "what is not uploaded is given up while its ticket is good",
        "decision.py",
        "if update.expires_at + GRACE_MILLISECONDS < self._now:",
        "if update.created_at + 10_000 < self._now:",
    ),
    Mutant(
        "what is not uploaded is given up with its ticket, though the upload may be under way",
        "decision.py",
        "if update.expires_at + GRACE_MILLISECONDS < self._now:",
        "if update.expires_at < self._now:",
    ),
    Mutant(
        "what is not uploaded yet is refused at once",
        "decision.py",
        "                self._pass_over(update)",
        '                self._refused.append(update.discarded("never uploaded"))',
    ),
    Mutant(
        "the ledger tells of another order than that of the folding",
        "commit.py",
        "updates=tuple(_ledger_line(update) for update in folded),",
        "updates=tuple(_ledger_line(update) for update in folded[::-1]),",
    ),
    Mutant(
        "all of a commit get the staleness of its first",
        "core/merge.py",
        "folded.append(_weighed(recipe, into.version - update.base_version))",
        "folded.append(_weighed(recipe, max(0, into.version - len(folded) - update.base_version)))",
    ),
    Mutant(
        "updates of an older generation are merged",
        "decision.py",
        "if update.generation != self._head.generation:",
        "if False:",
    ),
    Mutant("a finished run goes on merging", "decision.py", "if self._head.status is Status.FINISHED:", "if False:"),
    Mutant("an entry does not name the one before", "commit.py", "previous=head.entry_sha256,", 'previous="",'),
    Mutant(
        "all attempts at a version write the same key",
        "checkpoints.py",
        "key = keys.checkpoint(entry.run, entry.version, entry.attempt)",
        'key = keys.checkpoint(entry.run, entry.version, "0" * 32)',
    ),
    Mutant(
        "the checkpoint is written after it was named",
        "commit.py",
        "        entry = stored(self._blobs, self._entry(",
        "        late = []\n"
        "        later = type('Later', (), {'create': lambda _, *blob: late.append(blob)})()\n"
        "        now = self._blobs.create\n"
        "        self._observe = lambda told, then=self._observe: (then(told), [now(*each) for each in late])\n"
        "        entry = stored(later, self._entry(",
    ),
    Mutant(
        "whatever a checkpoint is named by, it is swept",
        "clearing.py",
        "if self._is_orphan(head.run, blob) else",
        "if blob.key != head.checkpoint_key else",
    ),
    Mutant(
        "a checkpoint is swept before the head is past it",
        "clearing.py",
        "if _is_beyond(head, blob):  # a commit that makes it may still be on its way",
        "if False:",
    ),
    Mutant(
        "the sweep's mark passes checkpoints whose rivals may still be written",
        "clearing.py",
        "if blob.written_at > self._clock() - WRITER_MILLISECONDS or out_of_time():",
        "if out_of_time():",
    ),
    Mutant(
        "a turn ends though somebody asked to look again",
        "turns.py",
        "asked = lease is not None and lease.again",
        "asked = False",
    ),
    Mutant(
        "who finds a run's turn taken leaves without a word",
        "turns.py",
        "self._catalog.claim_merging(replace(held, again=True) if held else mine, found)",
        "held or self._catalog.claim_merging(mine, found)",
        first=3000,
    ),
    Mutant(
        "the turn of the dead never ends",
        "turns.py",
        "return now < lease.expires_at <= now + 2 * LEASE_MILLISECONDS",
        "return lease.expires_at > 0",
    ),
    Mutant(
        "out of time, nobody is told that there is more",
        "answer.py",
        "if not drained.complete:",
        "if False:",
    ),
    Mutant(
        "out of time, the next begins behind what was not looked at",
        "commit.py",
        "done = replace(done, passed=batch[-1].update_id)",
        'done = replace(done, passed="f" * 32)',
    ),
    Mutant(
        "an unmerge leaves in what it was to leave out",
        "lineage.py",
        "if not any(without.leaves_out(line) for without in left_out):",
        "if True:",
    ),
    Mutant(
        "a rollback does not begin a generation",
        "restore.py",
        "generation=head.generation + 1,",
        "generation=head.generation,",
    ),
    Mutant(
        "what a recipe remembers is forgotten from drain to drain",
        "newest.py",
        "return state_of(self._blobs, self._spec, self._catalog.ledger_entry(head.run, head.version))",
        "return state_of(self._blobs, self._spec, self._catalog.ledger_entry(head.run, 0))",
    ),
    Mutant(
        "a rollback brings back weights without what was remembered beside them",
        "checkpoints.py",
        "    return Encoded(weights, bytes(",
        "    return Encoded(weights) or Encoded(weights, bytes(",
    ),
    Mutant(
        "what lies beside a checkpoint is swept",
        "clearing.py",
        "!= keys.checkpoint_of(blob.key)",
        "!= blob.key",
    ),
]
