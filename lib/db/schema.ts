/**
 * The tables. Text of a .ts file, so that the compiler ships it. `seq` is the order of taking in; parents
 * always have a smaller one. What a column repeats from a body is checked by verify().
 */

/** Counted up with every change of the tables; a database of a later version is refused. */
export const SCHEMA_VERSION = 13;

export const SCHEMA = `
CREATE TABLE logs (                  -- How far each is held its blocks tell: a row that grew would be a page more of every append.
  id INTEGER PRIMARY KEY,
  author BLOB NOT NULL,
  l BLOB NOT NULL,
  UNIQUE (author, l)
) STRICT;

CREATE TABLE alternates (            -- Blocks beside the log: of a number that the log has, or on top of such ones [L6].
  block INTEGER PRIMARY KEY,
  log INTEGER NOT NULL,
  n INTEGER NOT NULL,
  before INTEGER                     -- The block before in its log; null for number 0.
) STRICT;
CREATE INDEX alternates_by_number ON alternates (log, n);

CREATE TABLE evidence (
  log INTEGER NOT NULL,              -- 0: what it proves is in blobs that were not read yet.
  n INTEGER NOT NULL,                -- The number that was used twice.
  block INTEGER NOT NULL,            -- The evidence block.
  PRIMARY KEY (log, n, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE frozen (                -- By merges: numbers from n on count for nothing on the branch [L6].
  branch INTEGER NOT NULL,
  log INTEGER NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (branch, log)
) STRICT, WITHOUT ROWID;

CREATE TABLE namings (               -- What a device's incarnations name of each other [L8].
  log INTEGER NOT NULL,
  by INTEGER NOT NULL,
  least INTEGER,                     -- Least number that a block of "by" names, its first left out.
  most INTEGER NOT NULL,             -- Greatest that any names.
  PRIMARY KEY (log, by)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  log INTEGER REFERENCES logs (id),  -- Null: an alternate, which no question about a log's numbers finds.
  n INTEGER NOT NULL,
  kind TEXT NOT NULL,
  branch TEXT,                       -- Of an entry: the branch that it is for.
  run INTEGER NOT NULL,              -- Number from which on its log has, without a break, entries for that branch, or none.
  c INTEGER NOT NULL,
  checked INTEGER NOT NULL,          -- 1: its own signature was verified; 0: a later block vouches [L9].
  sum BLOB NOT NULL,                 -- Of body and signature as they were taken in.
  body BLOB NOT NULL,
  sig BLOB NOT NULL,
  UNIQUE (log, n)                    -- [L6]
) STRICT;
-- Where runs begin, which tells all entries of a branch: an index of each would be a page more of every append.
CREATE INDEX runs ON blocks (log, n) WHERE n = run;
CREATE INDEX runs_by_branch ON blocks (log, branch, n) WHERE n = run AND branch IS NOT NULL;

CREATE TABLE edges (                 -- To all parents but the block before in the log, which the number tells.
  child INTEGER NOT NULL,
  parent INTEGER NOT NULL,
  PRIMARY KEY (child, parent)
) STRICT, WITHOUT ROWID;
CREATE INDEX edges_by_parent ON edges (parent);

CREATE TABLE branches (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,         -- In mode open each principal has a line of its own, "branch@principal".
  takes TEXT NOT NULL,               -- The branch whose entries it takes.
  h INTEGER NOT NULL,
  head INTEGER,                      -- The last merge; null before the first.
  began INTEGER NOT NULL,            -- Height of the charter with which it began.
  origin INTEGER                     -- The merge that it was forked at; null where it began with nothing.
) STRICT;

CREATE TABLE sources (               -- How far a line has taken others, by its merges.
  branch INTEGER NOT NULL,
  source INTEGER NOT NULL,
  h INTEGER NOT NULL,
  PRIMARY KEY (branch, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE branch_logs (
  branch INTEGER NOT NULL,
  log INTEGER NOT NULL,
  next INTEGER NOT NULL,             -- First number that is not in the branch.
  PRIMARY KEY (branch, log)
) STRICT, WITHOUT ROWID;

CREATE TABLE merges (
  branch INTEGER NOT NULL,
  h INTEGER NOT NULL,
  block INTEGER NOT NULL,
  charter INTEGER NOT NULL,          -- Height of the charter that it names.
  PRIMARY KEY (branch, h)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX merges_by_block ON merges (block);

CREATE TABLE waiting (               -- Merge blocks held that may be applied yet.
  block INTEGER PRIMARY KEY,
  branch TEXT NOT NULL,
  h INTEGER NOT NULL,
  charter INTEGER NOT NULL           -- Height of the charter that it names.
) STRICT;
CREATE INDEX waiting_by_height ON waiting (branch, h, charter);

CREATE TABLE votes (
  block INTEGER PRIMARY KEY,
  branch TEXT NOT NULL,
  h INTEGER NOT NULL,
  log INTEGER NOT NULL               -- Also of an alternate: who cast it.
) STRICT;
CREATE INDEX votes_by_height ON votes (branch, h, log);

CREATE TABLE members (
  branch INTEGER NOT NULL,
  block INTEGER NOT NULL,
  h INTEGER NOT NULL,
  position INTEGER NOT NULL,         -- In its merge's order [L12].
  PRIMARY KEY (branch, block)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX members_in_order ON members (branch, h, position);

CREATE TABLE voids (
  branch INTEGER NOT NULL,
  block INTEGER NOT NULL,
  app TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (branch, block)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
  branch INTEGER NOT NULL,
  app TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,               -- Canonical bytes.
  since INTEGER NOT NULL,            -- Height of the merge that set it.
  PRIMARY KEY (branch, app, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE past (                  -- What was overwritten or deleted: the state at heights since to until - 1.
  branch INTEGER NOT NULL,
  app TEXT NOT NULL,
  key TEXT NOT NULL,
  until INTEGER NOT NULL,
  value BLOB NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (branch, app, key, until)
) STRICT, WITHOUT ROWID;

CREATE TABLE state_roots (
  branch INTEGER NOT NULL,
  app TEXT NOT NULL,
  root BLOB NOT NULL,
  PRIMARY KEY (branch, app)
) STRICT, WITHOUT ROWID;

CREATE TABLE state_trees (           -- The trees of those roots.
  id INTEGER PRIMARY KEY,
  branch INTEGER NOT NULL,
  app TEXT NOT NULL,
  UNIQUE (branch, app)
) STRICT;

CREATE TABLE state_nodes (           -- Their nodes (lib/ledger/merge/state-tree.ts), neighbours side by side.
  id INTEGER PRIMARY KEY,            -- Of tree and place: lib/db/tables/state-nodes.ts.
  node BLOB NOT NULL
) STRICT;

CREATE TABLE deep_state_nodes (      -- Those few whose place is too long for such a number.
  tree INTEGER NOT NULL,
  place TEXT NOT NULL,               -- The digits on the way there, 0-9 and a-v.
  node BLOB NOT NULL,
  PRIMARY KEY (tree, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;
