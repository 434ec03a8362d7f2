/** An organisation in memory for tests: keys from fixed seeds, logs that number, link and clock by themselves. */
import type { Hash, PublicKey } from "../../lib/base/index.ts";
import {
  type Block,
  type BlockFields,
  type Canonical,
  type KeyPair,
  keyFromSeed,
  signBlock,
} from "../../lib/codec/index.ts";
import type { LedgerDb } from "../../lib/db/index.ts";
import {
  type Act,
  branchPolicy,
  encodeGenesis,
  encodeMerge,
  entryPayload,
  type Genesis,
  includedRoot,
  judgeEntry,
  type MergeChanges,
  type MergePayload,
  orderEntries,
  orderSeed,
  reduceCharter,
  type StateChange,
} from "../../lib/ledger/index.ts";

/** The key whose seed is 32 times this byte. */
export function testKey(byte: number): KeyPair {
  return keyFromSeed(new Uint8Array(32).fill(byte));
}

/** The office governs and validates; the door only records. */
export function testGenesis(office: PublicKey, door: PublicKey): Genesis {
  return {
    name: "Werkstatt Süd",
    fault: "byzantine",
    principals: [
      { id: "office", devices: [office], roles: ["founder"], recovery: null },
      { id: "front-door", devices: [door], roles: ["device"], recovery: null },
    ],
    roles: { founder: ["append", "govern", "validate"], device: ["append"] },
    branches: {
      charter: branchPolicy({ mode: "single", validator: "office" }, { fork: "deny" }),
      main: branchPolicy({ mode: "single", validator: "office" }),
    },
    limits: {},
  };
}

/** One log: each block follows the last. `change` bends fields, for what must be refused. */
export class TestLog {
  readonly pair: KeyPair;
  readonly blocks: Block[] = [];
  readonly #organisation: Hash;
  readonly #l: string;

  constructor(pair: KeyPair, organisation: Hash, l = "00000000000000a1") {
    this.pair = pair;
    this.#organisation = organisation;
    this.#l = l;
  }

  /** Signed on top of the log without being added to it. */
  draft(payload: Canonical, parents: readonly Block[] = [], change: Partial<BlockFields> = {}): Block {
    const last = this.blocks.at(-1);
    const others = parents.filter(({ id }) => id !== last?.id);
    const fields: BlockFields = {
      v: 1,
      k: "entry",
      o: this.#organisation,
      a: this.pair.publicKey,
      l: this.#l,
      n: last === undefined ? 0 : last.n + 1,
      b: last?.id ?? null,
      p: others.map(({ id }) => id).sort(),
      c: 1 + Math.max(0, last?.c ?? 0, ...others.map(({ c }) => c)),
      t: [1_764_000_000_000, null, 1],
      d: payload,
      ...change,
    };
    return signBlock(fields, this.pair);
  }

  add(payload: Canonical, parents: readonly Block[] = [], change: Partial<BlockFields> = {}): Block {
    const block = this.draft(payload, parents, change);
    this.blocks.push(block);
    return block;
  }

  entry(acts: readonly Act[], parents: readonly Block[] = [], app = "notes", branch?: string): Block {
    return this.add(entryPayload(app, acts, branch), parents);
  }
}

/** Branches and roles are added, all else replaced. */
function bentGenesis(genesis: Genesis, more: Partial<Genesis>): Genesis {
  const roles = { ...genesis.roles, ...more.roles };
  return { ...genesis, ...more, roles, branches: { ...genesis.branches, ...more.branches } };
}

export interface TestOrganisation {
  readonly charter: Block;
  readonly office: TestLog;
  readonly door: TestLog;
}

export function testOrganisation(more: Partial<Genesis> = {}): TestOrganisation {
  const [officeKey, doorKey] = [testKey(1), testKey(2)];
  const fields: BlockFields = {
    v: 1,
    k: "charter",
    o: null,
    a: officeKey.publicKey,
    l: "0000000000000000",
    n: 0,
    b: null,
    p: [],
    c: 1,
    t: [1_764_000_000_000, null, 0],
    d: encodeGenesis(bentGenesis(testGenesis(officeKey.publicKey, doorKey.publicKey), more)),
  };
  const charter = signBlock(fields, officeKey);
  return { charter, office: new TestLog(officeKey, charter.id), door: new TestLog(doorKey, charter.id) };
}

export function note(text: string): Act {
  return { type: "note", body: { text } };
}

/** A stand-in for a dapp: each entry of "notes" becomes one key; a text that begins with "bad" is void. */
export function reduceNotes(blocks: readonly Block[]): MergeChanges {
  const changes: StateChange[] = [];
  const voids: { id: Hash; reason: string }[] = [];
  for (const { id, d } of blocks) {
    const text = JSON.stringify((d as { acts: Canonical }).acts);
    if (text.includes('"bad')) voids.push({ id, reason: "the note is bad" });
    else changes.push([`note/${id}`, text]);
  }
  return { state: changes.length === 0 ? {} : { notes: changes }, voids };
}

export interface MadeMerge {
  readonly merge: Block;
  readonly payload: MergePayload;
  readonly changes: MergeChanges;
}

/** What a merge of a branch does: notes, or the charter's own rules. */
function reduceBranch(db: LedgerDb, branch: string, pending: readonly Block[]): MergeChanges {
  if (branch !== "charter") return reduceNotes(pending);
  const state = db.charterAt();
  const order = orderEntries(pending, orderSeed(db.head("charter")?.id ?? (db.organisation() as Hash), null));
  const entries = order.map((id) => judgeEntry(db.block(id) as Block, state));
  const { outcomes, changes } = reduceCharter(entries, state);
  const voids = outcomes.flatMap(({ id, void: reason }) => (reason === undefined ? [] : [{ id, reason }]));
  return { state: { charter: changes }, voids };
}

/** The next merge of a branch over everything that is pending, on top of the office's log; held, not yet applied. */
export function mergePending(
  db: LedgerDb,
  office: TestLog,
  bend: Partial<MergePayload> = {},
  branch = "main",
): MadeMerge {
  const pending = db.pending(branch);
  const changes = reduceBranch(db, branch, pending);
  const ranges = new Map<string, { author: PublicKey; l: string; from: number; to: number }>();
  const view = db.branchView(branch);
  for (const { a, l, n } of pending) ranges.set(a + l, { author: a, l, from: view.next(a, l), to: n });
  const head = db.head(branch);
  const position = db.head("charter");
  const payload: MergePayload = {
    branch: branch.replace(/@.*/, ""),
    h: (head?.h ?? 0) + 1,
    prev: head?.id ?? null,
    heads: [],
    set: includedRoot(pending.map(({ id }) => id)),
    included: [...ranges.values()].sort((x, y) => (x.author + x.l < y.author + y.l ? -1 : 1)),
    entries: pending.length,
    void: changes.voids.length,
    state: db.previewRoots(branch, changes.state),
    changes: null,
    tests: [],
    charter: { h: position?.h ?? 0, id: position?.id ?? null },
    cert: null,
    from: [],
    frozen: [],
    ...bend,
  };
  const charter = db.block(db.organisation() as Hash) as Block;
  const merge = office.add(encodeMerge(payload), office.blocks.length === 0 ? [charter] : [], { k: "merge" });
  db.appendOwn(merge);
  return { merge, payload, changes };
}
