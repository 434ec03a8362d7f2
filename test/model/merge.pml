/*
 * Proof of merge at one height: four validators, q = 3, one of them a liar. Checked: two merges are never
 * final. docs/design/ledger.md, "Rounds"; the code is lib/ledger/consensus.
 *
 * What is proposed is not kept: a proposer may be the liar, so in every round every merge may be proposed,
 * with whatever round of a certificate it names. The liar is no process either: it has cast every vote, so q
 * votes are q - 1 of honest ones. Nobody has to see a vote that was cast, nor to do what it may do: that is loss,
 * delay, order and time-outs. A certificate is never taken back, so who sees it later sees it by going on later.
 *
 * -DNO_LOCK     attests whatever is proposed
 * -DOLD_PROOF   a lock is opened by a certificate from before it
 * -DFORGET      a restart loses the lock
 * -DONE_PHASE   no commit: what is attested by q is final
 * -DLATE_COMMIT commits to a certificate of a round that was left
 */
#define HONEST 3
#define OTHERS 2 /* Honest votes that a quorum needs. */
#define MERGES 2
#define ROUNDS 3
#define NONE 255

byte attests[6]; /* By round * MERGES + merge: how many honest have cast that vote. */
byte commits[6];
bit isFinal[MERGES];

#define at(r, m) ((r) * MERGES + (m))
#define certified(r, m) (attests[at(r, m)] >= OTHERS)

/* A certificate for m of a round from `first` on and before r. */
#define provenFrom(first, r, m) \
  ((first <= 0 && 0 < r && certified(0, m)) || (first <= 1 && 1 < r && certified(1, m)))

#if defined(NO_LOCK)
#define mayAttest(m) true
#elif defined(OLD_PROOF)
#define mayAttest(m) (lockRound == NONE || lockMerge == m || provenFrom(0, r, m))
#else
#define mayAttest(m) (lockRound == NONE || lockMerge == m || provenFrom(lockRound, r, m))
#endif

inline attest(m) {
  attests[at(r, m)]++;
  hasAttested = true;
#ifdef ONE_PHASE
  if
  :: certified(r, m) -> isFinal[m] = true
  :: else
  fi
#endif
}

/* The lock first, then the vote: with a power cut in between only the lock is there, which is less. */
inline commit(round, m) {
  lockRound = round;
  lockMerge = m;
  hasCommitted = true;
#ifndef ONE_PHASE
  commits[at(round, m)]++;
  if
  :: commits[at(round, m)] >= OTHERS -> isFinal[m] = true
  :: else
  fi
#endif
}

active [HONEST] proctype Validator() {
  byte r = 0;
  byte lockRound = NONE;
  bit lockMerge = 0;
  bit hasAttested = false;
  bit hasCommitted = false;

  do
  :: atomic { !hasAttested && mayAttest(0) -> attest(0) }
  :: atomic { !hasAttested && mayAttest(1) -> attest(1) }
  :: atomic { !hasCommitted && certified(r, 0) -> commit(r, 0) }
  :: atomic { !hasCommitted && certified(r, 1) -> commit(r, 1) }
#ifdef LATE_COMMIT
  :: atomic { !hasCommitted && r > 0 && certified(r - 1, 0) -> commit(r - 1, 0) }
  :: atomic { !hasCommitted && r > 0 && certified(r - 1, 1) -> commit(r - 1, 1) }
#endif
#ifdef FORGET
  :: atomic { lockRound != NONE -> lockRound = NONE; lockMerge = 0 }
#endif
  :: atomic { r + 1 < ROUNDS -> r++; hasAttested = false; hasCommitted = false }
  :: break
  od
}

active proctype Agreement() {
  atomic { isFinal[0] && isFinal[1] -> assert(false) }
}
