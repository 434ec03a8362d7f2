/**
 * This device's own log: numbers, links, Lamport clock, signature, in that order, and durable before
 * anybody else sees it [L7]. One instance per key per process: the home's lock sees to that [L6]. Where
 * another copy of the home may have gone on with the log, it begins a new incarnation of it [L8].
 */
import { BLOCK_PARENTS_MAX, type Clock, type Hash, type PublicKey, type Rng, toHex } from "../base/index.ts";
import {
  type Block,
  type BlockFields,
  type BlockKind,
  type Canonical,
  type KeyPair,
  signBlock,
  signBlocks,
  type UnsignedBlock,
  unsignedBlock,
} from "../codec/index.ts";
import { decideStart, liveTwins, type Place } from "../ledger/index.ts";
import type { OwnBlocks } from "./ports.ts";

const META_INCARNATION = "own.incarnation";
const META_BOOT = "own.boot";
/** Where the device was, as it remembers. */
export const META_PLACE = "own.place";
const META_HISTORY = "own.history";
const INCARNATION_BYTES = 8;
const HISTORY_MAX = 8;

export interface OwnLogOptions {
  readonly db: OwnBlocks;
  readonly pair: KeyPair;
  readonly organisation: Hash;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Where the device is; without it only others can tell a copy. */
  readonly place?: Place;
  /** Something beside the database knows that the device has signed before: a database that does not was lost. */
  readonly hasRun?: boolean;
}

/** Why a log goes on in a new incarnation. */
export type TurnCause =
  /** These facts of its place have changed. */
  | { readonly type: "moved"; readonly facts: readonly string[] }
  /** Others hold this block of it, which is not held here. */
  | { readonly type: "behind"; readonly n: number }
  /** Others hold another block with this number. */
  | { readonly type: "forked"; readonly n: number };

/** A new incarnation, as the device remembers it. */
export interface LogTurn {
  readonly cause: TurnCause;
  /** The incarnation before it, and the number of its last block that was held; -1 for none. */
  readonly before: readonly [l: string, n: number];
  readonly l: string;
  readonly atMs: number;
}

/** The block that another goes on top of. */
type Before = Pick<Block, "id" | "n" | "c">;

interface Next {
  readonly kind: BlockKind;
  readonly payload: Canonical;
  readonly before: Before | undefined;
  readonly others: readonly Block[];
}

export class OwnLog {
  readonly #options: OwnLogOptions;
  readonly #boot: number;
  #l: string;
  #last: Block | undefined;
  /** Other incarnations have blocks that this one has not named yet. */
  #isOthersNew = false;
  #isFresh = false;

  constructor(options: OwnLogOptions) {
    this.#options = options;
    const { db, pair, place, hasRun = false } = options;
    this.#boot = Number(db.meta(META_BOOT) ?? 0) + 1;
    db.setMeta(META_BOOT, String(this.#boot));
    const l = db.meta(META_INCARNATION);
    const start = decideStart({ l, place: parsePlace(db.meta(META_PLACE)) }, place);
    this.#l = l ?? this.#draw();
    this.#last = db.lastOf(pair.publicKey, this.#l);
    this.#isFresh = start.type === "first";
    if (start.type === "moved") this.#turn({ type: "moved", facts: start.facts });
    // [L17] Also who remembers nothing must know that it has forgotten something.
    else if (this.#isFresh && hasRun) this.#turn({ type: "moved", facts: ["database"] });
    if (place !== undefined) this.keepPlace(place);
  }

  get author(): PublicKey {
    return this.#options.pair.publicKey;
  }

  /** Changes when the log turns. */
  get incarnation(): string {
    return this.#l;
  }

  /** Whether nobody can hold blocks of this incarnation that are not held here: it was begun in this run. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  /** New incarnations that this device began, the newest last; not its first. */
  turns(): LogTurn[] {
    return JSON.parse(this.#options.db.meta(META_HISTORY) ?? "[]") as LogTurn[];
  }

  /** Pairs of this device's incarnations that go on at once: two copies of it run. */
  twins(): (readonly [string, string])[] {
    return liveTwins(this.#options.db.incarnations(this.author));
  }

  /** What the device is to find at its next start. */
  keepPlace(place: Place): void {
    this.#options.db.setMeta(META_PLACE, JSON.stringify(place));
  }

  /**
   * A block came from others: of another author, or signed by another copy of this device [L8]. Its number is
   * never used again here, be it new or the second of its number.
   */
  saw({ a, l, n }: Pick<Block, "a" | "l" | "n">, isSecond: boolean): void {
    if (a !== this.author) return;
    this.#isOthersNew = true;
    if (l === this.#l) this.#turn({ type: isSecond ? "forked" : "behind", n });
  }

  /** Others say that they hold this number of the log; without it, for a device that takes nothing in. */
  heard(l: string, n: number): void {
    if (l === this.#l && n > (this.#last?.n ?? -1)) this.#turn({ type: "behind", n });
  }

  #draw(): string {
    const l = toHex(this.#options.rng.bytes(INCARNATION_BYTES));
    this.#options.db.setMeta(META_INCARNATION, l);
    return l;
  }

  /** Remembered before anything is signed in it. */
  #turn(cause: TurnCause): void {
    const { db, clock } = this.#options;
    const before = [this.#l, this.#last?.n ?? -1] as const;
    this.#l = this.#draw();
    this.#last = undefined;
    this.#isFresh = true;
    const turn = { cause, before, l: this.#l, atMs: Math.round(clock.nowMs()) };
    db.setMeta(META_HISTORY, JSON.stringify([...this.turns(), turn].slice(-HISTORY_MAX)));
  }

  /** Signs one block on top of the log and of `parents` (held blocks; at most 8); durable on return. */
  append(kind: BlockKind, payload: Canonical, parents: readonly Block[]): Block {
    const { db, pair } = this.#options;
    const block = signBlock(this.#fields({ kind, payload, before: this.#last, others: this.#parents(parents) }), pair);
    db.appendOwn(block);
    this.#last = block;
    return block;
  }

  /** As append of each payload, one on top of the other, all or none; while some are signed others are written. */
  appendAll(kind: BlockKind, payloads: Iterable<Canonical>, parents: readonly Block[]): Block[] {
    const { db, pair } = this.#options;
    const blocks: Block[] = [];
    const noting = function* (parts: Iterable<Block[]>): Generator<Block[]> {
      for (const part of parts) {
        blocks.push(...part);
        yield part;
      }
    };
    db.appendOwnBatch(noting(signBlocks(this.#unsigned(kind, payloads, parents), pair)));
    this.#last = blocks.at(-1) ?? this.#last;
    return blocks;
  }

  *#unsigned(kind: BlockKind, payloads: Iterable<Canonical>, parents: readonly Block[]): Generator<UnsignedBlock> {
    let before: Before | undefined = this.#last;
    let others: readonly Block[] | undefined;
    for (const payload of payloads) {
      others = others === undefined ? this.#parents(parents) : [];
      const block = unsignedBlock(this.#fields({ kind, payload, before, others }));
      before = { id: block.id, n: block.fields.n, c: block.fields.c };
      yield block;
    }
  }

  #fields({ kind, payload, before, others }: Next): BlockFields {
    const { pair, organisation, clock } = this.#options;
    return {
      v: 1,
      k: kind,
      o: organisation,
      a: pair.publicKey,
      l: this.#l,
      n: before === undefined ? 0 : before.n + 1,
      b: before?.id ?? null,
      p: others.map(({ id }) => id).sort(),
      c: 1 + Math.max(0, before?.c ?? 0, ...others.map(({ c }) => c)), // [L4]
      t: [Math.round(clock.nowMs()), null, this.#boot], // [L5]
      d: payload,
    };
  }

  /** [L8] Those asked for, and where this device's other incarnations end: always in a first block, if there are any. */
  #parents(asked: readonly Block[]): Block[] {
    const { db } = this.#options;
    const isFirst = this.#last === undefined;
    const ends = isFirst || this.#isOthersNew ? db.unnamedTips(this.author, this.#l) : [];
    const own = new Map(asked.filter(({ id }) => id !== this.#last?.id).map((block) => [block.id, block]));
    const named = ends.filter(({ id }) => !own.has(id));
    // A first block names one end at least, if need be instead of what was asked for last.
    const room = isFirst && named.length > 0 ? BLOCK_PARENTS_MAX - 1 : BLOCK_PARENTS_MAX;
    const all = [...[...own.values()].slice(0, room), ...named].slice(0, BLOCK_PARENTS_MAX);
    this.#isOthersNew = own.size + named.length > all.length;
    return all;
  }
}

function parsePlace(text: string | undefined): Place | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Place);
}
