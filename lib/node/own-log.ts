/**
 * This device's own log: numbers, links, Lamport clock, signature, in that order, and durable before
 * anybody else sees it [L7]. One instance per key per process: the home's lock sees to that [L6].
 */
import { type Clock, type Hash, type PublicKey, type Rng, toHex } from "../base/index.ts";
import { type Block, type BlockKind, type Canonical, type KeyPair, signBlock } from "../codec/index.ts";
import type { OwnBlocks } from "./ports.ts";

const META_INCARNATION = "own.incarnation";
const META_BOOT = "own.boot";
const INCARNATION_BYTES = 8;

export interface OwnLogOptions {
  readonly db: OwnBlocks;
  readonly pair: KeyPair;
  readonly organisation: Hash;
  readonly clock: Clock;
  readonly rng: Rng;
}

export class OwnLog {
  readonly #options: OwnLogOptions;
  readonly incarnation: string;
  readonly #boot: number;
  #last: Block | undefined;

  constructor(options: OwnLogOptions) {
    this.#options = options;
    const { db, rng, pair } = options;
    this.incarnation = db.meta(META_INCARNATION) ?? toHex(rng.bytes(INCARNATION_BYTES));
    this.#boot = Number(db.meta(META_BOOT) ?? 0) + 1;
    db.setMeta(META_INCARNATION, this.incarnation);
    db.setMeta(META_BOOT, String(this.#boot));
    this.#last = db.lastOf(pair.publicKey, this.incarnation);
  }

  get author(): PublicKey {
    return this.#options.pair.publicKey;
  }

  /** Signs one block on top of the log and of `parents` (held blocks; at most 8); durable on return. */
  append(kind: BlockKind, payload: Canonical, parents: readonly Block[]): Block {
    const { db, pair, organisation, clock } = this.#options;
    const previous = this.#last;
    const others = parents.filter(({ id }) => id !== previous?.id);
    const lamport = 1 + Math.max(0, previous?.c ?? 0, ...others.map(({ c }) => c)); // [L4]
    const block = signBlock(
      {
        v: 1,
        k: kind,
        o: organisation,
        a: pair.publicKey,
        l: this.incarnation,
        n: previous === undefined ? 0 : previous.n + 1,
        b: previous?.id ?? null,
        p: [...new Set(others.map(({ id }) => id))].sort(),
        c: lamport,
        t: [Math.round(clock.nowMs()), null, this.#boot], // [L5]
        d: payload,
      },
      pair,
    );
    db.appendOwn(block);
    this.#last = block;
    return block;
  }
}
