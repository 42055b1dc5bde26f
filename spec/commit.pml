/* The commit protocol, small enough to be searched through. README.md beside it says what is here and what is not;
   docs/protocol.md is the protocol.

   Each process is a list of what it may do next. One read or one conditional write of a store is one d_step; between any
   two of them anything may happen. A set of updates is a byte with one bit for each, in the order of their ids.

   -DSAFETY    anybody wakes and dies at any time, any number of times; FAULTS requests are met with silence. No doorbell, so
               no turns either. With -DROLLBACK an operator rolls back.
   -DPROGRESS  doorbell, turns and schedule, with FAULTS faults: everything announced is settled in the end
   -DDOORBELL  the same without the schedule, where all is uploaded and no message lost: the rings alone must do
   -DMUTANT_…  puts a bug in; tests/spec/test_commit_model.py has the list, and what finds each */

#ifdef SAFETY
#ifndef UPDATES
#define UPDATES 3
#endif
#define ANY_TIME true
#define FREE skip
#else
#ifndef UPDATES
#define UPDATES 2
#endif
#define ANY_TIME MAY_FAIL
#define FREE COSTS
#endif
#define MAY_FAIL (faults > 0)
#define COSTS faults--
#ifndef FAULTS
#define FAULTS 2
#endif
#ifdef SAFETY
#define MOST 2                  /* updates that one commit may settle */
#else
#define MOST 1
#endif

#define ALL ((1 << UPDATES) - 1)
#define VERSIONS (UPDATES + 2 + MOST) /* genesis, updates, the rollback; and what the beaten meant to make */
#define FIRST(set) ((set) & -(set))
#define FIRST_TWO(set) (FIRST(set) | FIRST((set) & ~FIRST(set)))
#define SIZE(set) (((set) & 1) + (((set) >> 1) & 1) + (((set) >> 2) & 1))
#define BEHIND(after, set) (((set) >> (after)) << (after))
#define LAST(set) (set >= 4 -> 3 : (set >= 2 -> 2 : set))

/* ---- What is stored ---- */

byte pending, merged, refused;  /* the updates' rows, by state */
byte outdated;                  /* rows of the generation before */
byte uploaded, expired;         /* bodies that are there; those that nobody can upload any more */
byte version, generation;       /* the head */

#define OPERATOR 2              /* who writes: mergers 0 and 1, the operator */
#define DOOMED 15               /* the head that an attempt demands which can land no more */
#define FORGOTTEN 6             /* landed, by an attempt that nobody asks about any more */
#define NOBODY 7
typedef Entry { byte by = NOBODY; byte merges, holds; bit checkpoint }
Entry ledger[VERSIONS];         /* whose attempt it was, what it added, what its weights hold, whether they are there */

/* Each writer has two attempts: one that was met with silence and may be on its way, one to go on with. An attempt that
   can land no more is wiped out: it leaves a checkpoint that nobody can miss. */
typedef Attempt { byte from, generation, to, merges, refuses, holds; bit checkpoint, held, on_its_way }
Attempt attempt[6];

byte faults = FAULTS;
byte rollbacks;                 /* for the assertions only */
hidden byte v, w, in_ledger, landed; /* of one d_step; no part of the state */

#define SETTLES(a) (attempt[a].merges | attempt[a].refuses)
#define BARE(a) (attempt[a].to == attempt[a].from)  /* all were refused: the head stays and there is no entry */

/* ---- Promises: asserted after each write of a row or deletion of a blob ---- */

inline Promises() {
  assert((pending & merged) == 0 && (pending & refused) == 0 && (merged & refused) == 0);
  assert(version == SIZE(merged) + rollbacks && generation == rollbacks && rollbacks <= 1);
  assert(ledger[version].by != NOBODY);
  in_ledger = 0; v = 0;
  do
  :: v < VERSIONS && ledger[v].by != NOBODY ->
     assert((in_ledger & ledger[v].merges) == 0);   /* exactly once */
     assert(ledger[v].checkpoint);                  /* what a row names is there */
     in_ledger = in_ledger | ledger[v].merges; v++
  :: v < VERSIONS && ledger[v].by == NOBODY -> v++
  :: v == VERSIONS -> break
  od;
  assert(in_ledger == merged)                       /* all or nothing */
}

/* ---- Commit: one transaction. All of its conditions and writes, or nothing ---- */

#ifdef MUTANT_NO_HEAD_CONDITION
#define HEAD_AS_READ(a) true
#else
#define HEAD_AS_READ(a) (version == attempt[a].from && generation == attempt[a].generation)
#endif
#ifdef MUTANT_NO_PENDING_CONDITION
#define STILL_PENDING(a) true
#else
#define STILL_PENDING(a) ((SETTLES(a) & ~pending) == 0)
#endif
#define ENTRY_FREE(a) (BARE(a) || ledger[attempt[a].to].by == NOBODY)

/* A bare commit leaves no entry: the first of the rows that it settles tells. */
#define LANDED(a) (BARE(a) -> ((FIRST(attempt[a].refuses) & refused) != 0) : (ledger[attempt[a].to].by == a))

inline ReadBack(a) {
#ifdef MUTANT_SILENCE_IS_LANDED
  landed = 1;
#else
  landed = LANDED(a);
#endif
  assert(!landed || LANDED(a))   /* what a writer believes to be done is done */
}

inline Forget(a) {              /* its writer asks about it no more; a request may still be on its way */
  attempt[a].held = 0;
  if
  :: !attempt[a].on_its_way ->
     v = 0;
     do
     :: v < VERSIONS -> if :: ledger[v].by == a -> ledger[v].by = FORGOTTEN :: else fi; v++
     :: else -> break
     od;
     attempt[a].from = 0; attempt[a].generation = 0; attempt[a].to = 0; attempt[a].merges = 0;
     attempt[a].refuses = 0; attempt[a].holds = 0; attempt[a].checkpoint = 0
  :: else
  fi
}

/* The head never returns and a settled row stays settled; so what such an attempt holds need not be told apart. */
inline Doom(a) {
  if
  :: (attempt[a].held || attempt[a].on_its_way) && !(HEAD_AS_READ(a) && STILL_PENDING(a)) && !LANDED(a) ->
     attempt[a].on_its_way = 0; attempt[a].from = DOOMED; attempt[a].generation = 0; attempt[a].to = 0;
     attempt[a].merges = 0; attempt[a].refuses = 0; attempt[a].holds = 0; attempt[a].checkpoint = 0;
     if :: !attempt[a].held -> attempt[a].from = 0 :: else fi
  :: else
  fi
}

inline Commit(a) {
  if
  :: HEAD_AS_READ(a) && STILL_PENDING(a) && ENTRY_FREE(a) ->
     assert((SETTLES(a) & (merged | refused)) == 0); /* a settled state is final */
     if
     :: !BARE(a) ->
        w = attempt[a].to;
        assert(w > version);                         /* the head never goes back */
        assert(a / 2 == OPERATOR || attempt[a].holds == (ledger[version].holds | attempt[a].merges));
        ledger[w].by = a;
        ledger[w].merges = attempt[a].merges;
        ledger[w].holds = attempt[a].holds;
        ledger[w].checkpoint = attempt[a].checkpoint;
        attempt[a].checkpoint = 0;
        version = w;
        if :: a / 2 == OPERATOR -> generation++; rollbacks++; outdated = pending :: else fi
     :: else
     fi;
     pending = pending & ~SETTLES(a);
     merged = merged | attempt[a].merges;
     refused = refused | attempt[a].refuses;
     landed = 1;
     Promises();
     w = 0;
     do
     :: w < 6 -> Doom(w); w++
     :: else -> break
     od
  :: else -> landed = 0
  fi
}

/* ---- Doorbell and turns ---- */

#define RING(after, again) (2 * (after) + (again))
byte rings[2 * UPDATES + 2];    /* messages, by the id behind which to look and whether to look before it in the end */

typedef Lease { byte holder = NOBODY, passed; bit lapsed, marked }
Lease turn;

inline TakeTurn() {             /* or leave it to the one who has it, and who then looks again */
  if
  :: turn.holder == NOBODY || turn.lapsed ->
#ifndef MUTANT_FORGETS_WHOM_IT_FOLLOWS
     again = again || turn.marked || turn.holder != NOBODY;
#endif
     if                         /* goes on where another's time was up, and looks at the rest in the end */
     :: turn.passed != 0 && turn.passed != after ->
        after = (turn.passed > after -> turn.passed : after);
#ifndef MUTANT_FORGETS_WHAT_IT_WAS_RUNG_FOR
        again = 1
#endif
     :: else
     fi;
     turn.holder = me; turn.lapsed = 0; turn.marked = 0; turn.passed = 0;
     step = COLLECT
  :: else -> turn.marked = 1; Rest()
  fi
}

inline DropTurn(mark, where) {  /* before all was looked at: if it is marked, who comes next looks at everything */
  if
  :: turn.holder == me -> turn.holder = NOBODY; turn.lapsed = 0; turn.passed = where;
#ifndef MUTANT_DROPS_UNMARKED
     turn.marked = turn.marked || mark
#endif
  :: else
  fi
}

/* ---- The merger: woken by a message or the schedule, ends when nothing is left ---- */

mtype = { IDLE, COLLECT, DECIDE, WRITE, COMMIT, READ_BACK, OVER, RING_AGAIN, DEAD };

#define MINE(k) attempt[2 * me + k]
#define ONE_ON_ITS_WAY (MINE(0).on_its_way || MINE(1).on_its_way)
#define NONE 255                /* the message of a merger that the schedule woke */

inline Rest() { step = IDLE; batch = 0; after = 0; again = 0; ends = 0; message = NONE }

inline Answer(r) {
  d_step { step == IDLE && rings[r] > 0 ->
    rings[r]--; message = r; after = r / 2; again = r % 2; TakeTurn() }
}

inline Collect() {              /* the pending rows, in order, before the head: see Decide */
  batch = (MOST == 1 -> FIRST(BEHIND(after, pending)) : FIRST_TWO(BEHIND(after, pending)));
#ifndef SAFETY
  ends = ((BEHIND(after, pending) & ~batch) == 0);
#endif
  step = (batch == 0 -> OVER : DECIDE)
}

inline Decide() {               /* the head and the bodies are read; all else that is done here needs nobody */
  a = 2 * me + MINE(0).on_its_way;
#ifdef MUTANT_NEVER_GIVES_UP
  attempt[a].refuses = batch & outdated;
#else
  attempt[a].refuses = batch & (outdated | (expired & ~uploaded));
#endif
  attempt[a].merges = batch & uploaded & ~attempt[a].refuses;
  if
  :: SETTLES(a) == 0 -> after = LAST(batch); step = COLLECT   /* not uploaded yet: passed over */
  :: else ->
     attempt[a].held = 1;
     attempt[a].from = version; attempt[a].generation = generation;
     attempt[a].to = version + SIZE(attempt[a].merges);
     attempt[a].holds = (BARE(a) -> 0 : ledger[version].holds | attempt[a].merges);
     step = (BARE(a) -> COMMIT : WRITE);
     Doom(a)
  fi;
#ifdef SAFETY
  batch = 0
#endif
}

inline WriteCheckpoint(a) { attempt[a].checkpoint = 1 }

inline Answered() {             /* settled by this attempt, but for what was passed over; or decided again */
#ifndef SAFETY
  if
  :: landed && ends -> after = 0; again = 0
  :: landed && !ends -> after = LAST(batch)
  :: else
  fi;
  batch = 0; ends = 0;
#endif
  Forget(a); a = 0; step = COLLECT
}

inline Leave() { if :: turn.holder == me -> turn.holder = NOBODY; turn.lapsed = 0; turn.marked = 0 :: else fi; Rest() }

inline LetGo() {                /* nothing is left behind `after`; looks again if it has to */
  if
  :: again -> again = 0; after = 0; step = COLLECT
#ifndef MUTANT_LETS_GO_UNLOOKED
  :: !again && turn.holder == me && turn.marked -> turn.marked = 0; after = 0; step = COLLECT
  :: !again && !(turn.holder == me && turn.marked) -> Leave()
#else
  :: !again -> Leave()
#endif
  fi
}

inline Crash() {
  if :: step == COMMIT || step == READ_BACK || step == WRITE -> Forget(a); a = 0 :: else fi;
  batch = 0; after = 0; again = 0; ends = 0;
#ifdef SAFETY
  Rest()
#else
  step = DEAD
#endif
}

inline Return() {               /* a lease lapses before a message is seen again */
  if :: turn.holder == me -> turn.lapsed = 1 :: else fi;
  if :: message != NONE -> rings[message]++ :: else fi;
  Rest()
}

proctype merger(byte me) {
  mtype step = IDLE;
  byte batch, after, a, message = NONE;
  bit again, ends;              /* ends: nothing was pending behind the batch */

end:
  do
#ifdef SAFETY
  :: d_step { step == IDLE && pending != 0 -> step = COLLECT }
  :: d_step { step == OVER -> Rest() }
#else
  :: Answer(0) :: Answer(1) :: Answer(2) :: Answer(3) :: Answer(4) :: Answer(5)
  :: d_step { step == OVER -> LetGo() }
  :: d_step { step == COLLECT && MAY_FAIL -> COSTS;          /* out of time */
       again = again || (turn.holder == me && turn.marked);
#ifndef MUTANT_TRUSTS_ITS_MESSAGE
       again = again || (message != NONE && after < message / 2); /* if this dies now, that one comes back, not a ring */
#endif
       DropTurn(again, after); step = RING_AGAIN }
  :: d_step { step != IDLE && step != DEAD && MAY_FAIL -> COSTS; DropTurn(1, 0); Crash() } /* a store does not answer */
  :: d_step { step == DEAD -> Return() }
  :: d_step { step == RING_AGAIN -> rings[RING(after, again)]++; Rest() }
#endif
#ifdef PROGRESS
  :: d_step { step == IDLE && pending != 0 -> TakeTurn() }   /* the schedule */
#endif
#ifdef SAFETY
  :: d_step { step == COLLECT -> Collect() }
#else
  :: d_step { step == COLLECT && turn.holder == me -> turn.lapsed = 0; Collect() }
  :: d_step { step == COLLECT && turn.holder != me -> Rest() } /* too slow: another has the turn */
#endif
  :: d_step { step == DECIDE -> Decide() }
  :: d_step { step == WRITE -> WriteCheckpoint(a); step = COMMIT
#ifdef MUTANT_MARKS_BEFORE_COMMIT
       ; merged = merged | attempt[a].merges; pending = pending & ~attempt[a].merges; Promises()
#endif
     }
  :: d_step { step == COMMIT -> Commit(a); Answered() }
  :: d_step { step == COMMIT && MAY_FAIL && !ONE_ON_ITS_WAY -> COSTS; attempt[a].on_its_way = 1; step = READ_BACK }
  :: d_step { step == READ_BACK -> ReadBack(a); Answered() }
  :: d_step { step != IDLE && step != DEAD && ANY_TIME -> FREE; Crash() }
  od
}

/* ---- The others ---- */

#ifdef ROLLBACK
proctype operator() {           /* rolls back to the genesis, once */
  mtype step = COLLECT;
  byte a, me = OPERATOR;

  do
  :: d_step { step == COLLECT ->
#ifdef MUTANT_MOVES_WITHOUT_A_LOOK
       landed = 0;
#else
       landed = (MINE(0).held && LANDED(4)) || (MINE(1).held && LANDED(5)); /* an attempt of before, which was late */
#endif
       if
       :: landed -> step = OVER
       :: else ->
          a = 2 * me + MINE(0).on_its_way;
          attempt[a].held = 1; attempt[a].from = version; attempt[a].generation = generation;
          attempt[a].to = version + 1; attempt[a].holds = ledger[0].holds;
          step = WRITE
       fi }
  :: d_step { step == WRITE -> WriteCheckpoint(a); step = COMMIT }
  :: d_step { step == COMMIT -> Commit(a); step = (landed -> OVER : COLLECT); if :: landed :: else -> Forget(a) fi }
  :: d_step { step == COMMIT && MAY_FAIL && !ONE_ON_ITS_WAY -> COSTS; attempt[a].on_its_way = 1; step = READ_BACK }
  :: d_step { step == READ_BACK -> ReadBack(a); step = (landed -> OVER : COLLECT) }
  :: d_step { step == OVER -> Forget(4); Forget(5); a = 0; step = DEAD }
  :: step == DEAD -> break
  od
}
#endif

inline Announce(u) {            /* in the order of their ids */
  d_step { ((pending | merged | refused) + 1) == ((1 << u) & ALL) -> pending = pending | (1 << u); Promises() }
}
inline Upload(u) {              /* the store rings when the body is there */
  d_step { ((pending | merged | refused) & ~(uploaded | expired) & (1 << u)) != 0 -> uploaded = uploaded | (1 << u);
    Ring() }
}
inline Expire(u) {              /* its client is gone and the time for an upload is over */
  d_step { expired == 0 && ((pending | merged | refused) & ~(uploaded | expired) & (1 << u)) != 0 -> expired = expired | (1 << u) }
}
inline Ring() {
#ifndef SAFETY
  rings[RING(0, 0)]++
#else
  skip
#endif
}

proctype clients() {
end:
  do
  :: Announce(0) :: Announce(1) :: Announce(2)
  :: Upload(0) :: Upload(1) :: Upload(2)
#ifndef DOORBELL
  :: Expire(0) :: Expire(1) :: Expire(2)
#endif
  od
}

inline LateLanding(a) {         /* or never, or twice */
  d_step { attempt[a].on_its_way -> Commit(a); attempt[a].on_its_way = 0; if :: !attempt[a].held -> Forget(a) :: else fi }
}
inline Lost(a) {
  d_step { attempt[a].on_its_way -> attempt[a].on_its_way = 0; if :: !attempt[a].held -> Forget(a) :: else fi }
}
inline Doubled(a) { d_step { attempt[a].on_its_way && MAY_FAIL -> COSTS; Commit(a) } }

proctype network() {
end:
  do
  :: LateLanding(0) :: LateLanding(1) :: LateLanding(2) :: LateLanding(3) :: LateLanding(4) :: LateLanding(5)
#ifndef SAFETY                 /* there it may stay on its way for ever */
  :: Lost(0) :: Lost(1) :: Lost(2) :: Lost(3) :: Lost(4) :: Lost(5)
#ifndef SAFETY
  :: Doubled(0) :: Doubled(1) :: Doubled(2) :: Doubled(3) :: Doubled(4) :: Doubled(5)
#endif
  :: d_step { rings[0] > 0 && MAY_FAIL -> COSTS; rings[0]++ }
  :: d_step { turn.holder != NOBODY && !turn.lapsed && MAY_FAIL -> COSTS; turn.lapsed = 1 } /* its holder is slow */
#ifdef PROGRESS
  :: d_step { rings[0] > 0 && MAY_FAIL -> COSTS; rings[0]-- }
#endif
#endif
  od
}

/* ---- The orphan sweep: of a version that the head has reached, what its ledger entry does not name ---- */

#ifdef MUTANT_SWEEPS_AHEAD_OF_HEAD
#define REACHED(n) true
#else
#define REACHED(n) (n <= version)
#endif

#define IS_OF(a, n) (attempt[a].to == n && attempt[a].checkpoint)
#ifdef MUTANT_SWEEPS_WHAT_IS_NAMED
#define LISTED(n) true
#else
#define LISTED(n) (IS_OF(0, n) || IS_OF(1, n) || IS_OF(2, n) || IS_OF(3, n) || IS_OF(4, n) || IS_OF(5, n))
#endif

inline LookAtHead(n) { d_step { at == 0 && REACHED(n) && LISTED(n) -> at = n } }

inline SweepOrphans() {         /* `named` is what the entry said when it was looked at */
  v = 0;
  do
  :: v < 6 -> if :: attempt[v].to == at -> attempt[v].checkpoint = 0 :: else fi; v++
  :: else -> break
  od;
#ifdef MUTANT_SWEEPS_WHAT_IS_NAMED
  named = 0;
#endif
  if :: !named -> ledger[at].checkpoint = 0 :: else fi;
  Promises()
}

#ifdef SAFETY
proctype orphan_sweep() {
  byte at;                      /* the version looked at */
  bit named, looked;

end:
  do
  :: LookAtHead(1) :: LookAtHead(2) :: LookAtHead(3) :: LookAtHead(4)
  :: d_step { at != 0 && !looked -> named = (ledger[at].by != NOBODY); looked = 1 }
  :: d_step { looked -> SweepOrphans(); at = 0; looked = 0; named = 0 }
  od
}
#endif

init {
  atomic {
    ledger[0].by = FORGOTTEN; ledger[0].checkpoint = 1;
    run merger(0); run merger(1); run clients(); run network()
#ifdef SAFETY
    ; run orphan_sweep()
#endif
#ifdef ROLLBACK
    ; run operator()
#endif
  }
}

#ifndef SAFETY
ltl settled { <> ((merged | refused) == ALL) }
#endif
