/** Validators in one process: real ledger, store, chain and votes; dapps as plain functions; a network of arrays. */
import {
  FakeClock,
  GdoError,
  type Hash,
  OBJECT_BYTES_MAX,
  type PublicKey,
  SeededRng,
  silentLog,
} from "../../lib/base/index.ts";
import { type Block, encodeEnvelope, type KeyPair, signBlock } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import {
  type AppVerdict,
  type BranchPolicy,
  branchPolicy,
  CHARTER_BRANCH,
  encodeGenesis,
  entryPayload,
  type FaultModel,
  MERGE_APP,
  type MergeApp,
  type MergeSource,
  parseVote,
  takeAct,
  type Vote,
} from "../../lib/ledger/index.ts";
import { Chain, type NodeApps, type NodeBlobs, OwnLog, Validator, type ValidatorEvent } from "../../lib/node/index.ts";
import { MemoryStore, putBlob, readBlobBytes } from "../../lib/store/index.ts";
import { testKey } from "./ledger-fixtures.ts";

const NAMES = ["ana", "ben", "cleo", "dan"];

/** How one validator's dapp `notes` behaves; what is left out is as it should be. */
export interface Behaviour {
  /** What is added to the value of each note. */
  readonly mark?: () => string;
  readonly test?: (texts: readonly string[]) => AppVerdict;
  readonly isMissing?: () => boolean;
  readonly fails?: () => boolean;
}

export interface QuorumOptions {
  readonly n: number;
  readonly fault: FaultModel;
  /** So many of the n, the last ones, may append and not vote. */
  readonly guests?: number;
  /** By the name of the principal. */
  readonly behaviours?: Readonly<Record<string, Behaviour>>;
  /** Besides charter and main, or main's own. */
  readonly branches?: Readonly<Record<string, BranchPolicy>>;
}

function foundation({ n, fault, branches = {}, guests = 0 }: QuorumOptions): { charter: Block; pairs: KeyPair[] } {
  const pairs = NAMES.slice(0, n).map((_, index) => testKey(index + 1));
  const principals = pairs.map(({ publicKey }, index) => ({
    id: NAMES[index] as string,
    devices: [publicKey],
    roles: [index < n - guests ? "member" : "guest"],
    recovery: null,
  }));
  const d = encodeGenesis({
    name: "Three",
    fault,
    principals,
    roles: { member: ["append", "govern", "validate"], guest: ["append"] },
    branches: {
      charter: branchPolicy({ mode: "single", validator: "ana" }, { fork: "deny" }),
      main: branchPolicy({ mode: "quorum", validators: "member", q: null }),
      ...branches,
    },
    limits: {},
  });
  const [first] = pairs as [KeyPair];
  const fields = {
    v: 1,
    k: "charter",
    o: null,
    a: first.publicKey,
    l: "0000000000000000",
    n: 0,
    b: null,
    p: [],
  } as const;
  return { charter: signBlock({ ...fields, c: 1, t: [0, null, 0], d }, first), pairs };
}

/** The dapp `notes`: each entry's first act is a text, which becomes a key. */
function notesApp({ mark = () => "", test = () => ({ verdict: "PASS" }), fails = () => false }: Behaviour): MergeApp {
  const textOf = (acts: readonly { readonly body: unknown }[]): string => String(acts[0]?.body);
  return {
    name: "notes",
    image: null,
    reads: [],
    reduce: async ({ entries }) => {
      if (fails()) throw new GdoError("CONTAINER", "notes: it was killed");
      return {
        outcomes: entries.map(({ id }) => ({ id, events: [] })),
        changes: entries.map(({ acts }) => [`note/${textOf(acts)}`, `${textOf(acts)}${mark()}`] as const),
      };
    },
    test: async ({ entries }) => test(entries.map(({ acts }) => textOf(acts))),
  };
}

const others: MergeApp = {
  name: "counts",
  image: null,
  reads: [],
  reduce: async ({ entries, height, seed }, now) => ({
    outcomes: entries.map(({ id }) => ({ id, events: [] })),
    changes: [
      ...entries.map(({ id }) => [`count/${id}`, 1] as const),
      [`seed/${height}`, seed],
      ["total", Number(now("counts").get("total") ?? 0) + entries.length],
    ],
  }),
  test: async () => ({ verdict: "PASS" }),
};

export class QuorumNode {
  readonly name: string;
  readonly pair: KeyPair;
  readonly db: LedgerDb;
  readonly store = new MemoryStore();
  readonly clock = new FakeClock();
  readonly events: ValidatorEvent[] = [];
  readonly inbox: Uint8Array[] = [];
  readonly #net: QuorumNet;
  readonly #behaviour: Behaviour;
  chain!: Chain;
  validator!: Validator;
  ownLog!: OwnLog;
  isUp = true;
  /** Durable writes until the power goes; a half is after the write and before anything that follows it. */
  writesLeft = Number.POSITIVE_INFINITY;

  constructor(name: string, pair: KeyPair, net: QuorumNet, behaviour: Behaviour) {
    this.name = name;
    this.pair = pair;
    this.#net = net;
    this.#behaviour = behaviour;
    this.db = LedgerDb.open(":memory:");
    this.db.ingest([net.charter]);
    this.boot();
  }

  /** A new life with what is durable. */
  boot({ votes = true } = {}): void {
    const organisation = this.#net.charter.id;
    const ledger = this.#cutting();
    const base = { ledger, organisation, log: silentLog, clock: this.clock };
    const rng = new SeededRng(this.name.length);
    this.ownLog = new OwnLog({ db: ledger, pair: this.pair, organisation, clock: this.clock, rng });
    const blobs: NodeBlobs = {
      put: async (bytes) => (await putBlob(this.store, bytes)).id,
      read: (id) => readBlobBytes(this.store, id, OBJECT_BYTES_MAX),
      holding: (work) => work(),
      has: async (id) => this.store.has(id) || this.#net.fetch(this, id),
    };
    const apps: NodeApps = {
      open: async () => {
        const missing = this.#behaviour.isMissing?.() === true ? ["notes"] : [];
        const all = [others, ...(missing.length === 0 ? [notesApp(this.#behaviour)] : [])];
        return { apps: all, missing, close: async () => {} };
      },
    };
    this.chain = new Chain({
      ...base,
      blobs,
      onMerged: () => {},
      refused: (reason) => this.#net.refusals.push(`${this.name}: ${reason}`),
      settled: () => this.validator.look(),
    });
    this.validator = new Validator({
      ...{ ...base, blobs, apps, ownLog: this.ownLog, timeoutMs: 1_000 },
      publish: (block) => this.#net.send(this, block),
      advance: () => this.chain.advance(),
      tell: (event) => this.events.push(event),
    });
    if (votes) this.validator.start();
  }

  /** The database, of which every durable write may be the last. */
  #cutting(): LedgerDb {
    const cut = (): never => {
      this.isUp = false;
      void this.validator?.close();
      throw new GdoError("IO", "the power is gone");
    };
    const counted = (write: () => void): void => {
      if (!this.isUp || this.writesLeft <= 0) cut();
      this.writesLeft -= 0.5;
      if (this.writesLeft <= 0) cut();
      write();
      this.writesLeft -= 0.5;
      if (this.writesLeft <= 0) cut();
    };
    return new Proxy(this.db, {
      get: (db, name) => {
        if (name === "appendOwn") return (block: Block) => counted(() => db.appendOwn(block));
        if (name === "setMeta") return (key: string, value: string) => counted(() => db.setMeta(key, value));
        const member = Reflect.get(db, name, db) as unknown;
        return typeof member === "function" ? member.bind(db) : member;
      },
    });
  }

  append(text: string, app = "notes", branch = "main"): Block {
    const head = this.db.head(branch);
    const parent = this.db.block(head?.id ?? this.#net.charter.id) as Block;
    const block = this.ownLog.append("entry", entryPayload(app, [{ type: "note", body: text }], branch), [parent]);
    this.#net.send(this, block);
    return block;
  }

  /** Asks a branch to take all of another up to its last merge. */
  ask(branch: string, other: string, source: Partial<MergeSource> = {}): Block {
    const head = this.db.head(other) as { h: number; id: Hash };
    const act = takeAct({ branch: other, ...head, ...source });
    const block = this.ownLog.append("entry", entryPayload(MERGE_APP, [act], branch), [
      this.db.block(head.id) as Block,
    ]);
    this.#net.send(this, block);
    return block;
  }

  /** Merges a branch in mode single or open, and sends the merge. */
  async merge(branch: string): Promise<Block | undefined> {
    const { id } = await this.validator.merge(branch);
    const block = id === undefined ? undefined : this.db.block(id);
    if (block !== undefined) this.#net.send(this, block);
    return block;
  }

  /** Own votes, as phase/height/round. */
  votes(): { readonly block: Block; readonly vote: Vote }[] {
    const envelopes = this.db.range(this.pair.publicKey as PublicKey, this.ownLog.incarnation, 0, 10_000, 1 << 26);
    const found = envelopes.flatMap((envelope) => {
      const block = this.#net.decode(envelope);
      return block.k === "vote" ? [{ block, vote: parseVote(block.d) }] : [];
    });
    return found;
  }
}

export class QuorumNet {
  readonly charter: Block;
  readonly nodes: QuorumNode[];
  readonly refusals: string[] = [];
  readonly decode: (envelope: Uint8Array) => Block;

  constructor(options: QuorumOptions, decode: (envelope: Uint8Array) => Block) {
    this.decode = decode;
    const { behaviours = {} } = options;
    const { charter, pairs } = foundation(options);
    this.charter = charter;
    this.nodes = pairs.map((pair, index) => {
      const name = NAMES[index] as string;
      return new QuorumNode(name, pair, this, behaviours[name] ?? {});
    });
  }

  node(name: string): QuorumNode {
    return this.nodes.find((each) => each.name === name) as QuorumNode;
  }

  send(from: QuorumNode, block: Block): void {
    for (const node of this.nodes) if (node !== from) node.inbox.push(encodeEnvelope(block));
  }

  /** From whoever is up and has it. */
  async fetch(to: QuorumNode, id: Hash): Promise<boolean> {
    const from = this.nodes.find(({ store, isUp }) => isUp && store.has(id));
    if (from === undefined) return false;
    const queue = [id];
    const { linksOf } = await import("../../lib/store/index.ts");
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { kind, bytes } = await from.store.get(next);
      await to.store.put(kind, bytes);
      if (kind !== "chunk") queue.push(...linksOf(kind, bytes));
    }
    return true;
  }

  /** Everything that is under way arrives at those that are up, and all that follows from it. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 20; ) {
      const busy = this.nodes.filter(({ isUp, inbox }) => isUp && inbox.length > 0);
      for (const node of busy) await node.chain.take(node.inbox.splice(0));
      quiet = busy.length === 0 ? quiet + 1 : 0;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** All that are up look for work, and what comes of it comes. */
  async work(): Promise<void> {
    for (const node of this.nodes) if (node.isUp) node.validator.workDue();
    await this.settle();
  }

  /** Every clock runs on by so much. */
  async wait(ms: number): Promise<void> {
    for (const node of this.nodes) if (node.isUp) node.clock.advance(ms);
    await this.settle();
  }

  heights(): string {
    return this.nodes.map(({ db }) => db.head("main")?.h ?? 0).join(" ");
  }

  roots(): Set<string> {
    return new Set(this.nodes.map(({ db }) => JSON.stringify(db.stateRoots("main"))));
  }
}

export { CHARTER_BRANCH };
