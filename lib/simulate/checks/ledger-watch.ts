/**
 * Sees every block that leaves or reaches an honest node, and every merge that one takes for final, and holds
 * the invariants against them as they come: I1, I2, I5 of docs/design/ledger.md, "Proving it".
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import { type Block, decodeBlock } from "../../codec/index.ts";
import { parseMerge } from "../../ledger/index.ts";
import { ORPHANS_MAX } from "../../node/index.ts";
import { UNFINISHED_BYTES_MAX } from "../../sync/index.ts";
import { FLAKY_DAPP } from "../dapps/maker-space.ts";
import type { Unfinished } from "../world/process.ts";

export type Invariant = "I1" | "I2" | "I4" | "I5" | "I7" | "I8" | "I9" | "I10" | "L13" | "charter" | "fault";

/** An invariant that does not hold. */
export interface Finding {
  readonly invariant: Invariant;
  readonly atMs: number;
  readonly what: string;
}

export interface LedgerWatchOptions {
  readonly nowMs: () => number;
  readonly isHonest: (author: PublicKey) => boolean;
  readonly found: (finding: Finding) => void;
}

const SIGNATURE_BYTES = 64;

interface Final {
  readonly id: Hash;
  readonly by: string;
  readonly roots: string;
}

export class LedgerWatch {
  readonly #options: LedgerWatchOptions;
  /** By signature: one block goes to many nodes and is read once. */
  readonly #blocks = new Map<string, Block>();
  readonly #places = new Map<string, Hash>();
  readonly #finals = new Map<string, Final>();
  readonly #lost = new Set<Hash>();

  constructor(options: LedgerWatchOptions) {
    this.#options = options;
  }

  /** True when the block was not seen before. */
  see(envelope: Uint8Array): boolean {
    const signature = Buffer.from(
      envelope.buffer,
      envelope.byteOffset + envelope.length - SIGNATURE_BYTES,
      SIGNATURE_BYTES,
    ).toString("latin1");
    if (this.#blocks.has(signature)) return false;
    const block = decodeBlock(envelope);
    this.#blocks.set(signature, block);
    this.#checkPlace(block);
    if (block.k === "merge") this.#checkTests(block);
    return true;
  }

  /** I5: an honest device never signs two blocks for one place in its log, whatever happened to it. */
  #checkPlace({ a, l, n, id }: Block): void {
    if (!this.#options.isHonest(a)) return;
    const place = `${a} ${l} ${n}`;
    const known = this.#places.get(place);
    if (known === undefined) this.#places.set(place, id);
    else if (known !== id)
      this.#find("I5", `${a.slice(0, 12)} signed ${known.slice(0, 12)} and ${id.slice(0, 12)} as number ${n} of ${l}`);
  }

  /** [L13] What does not give the same twice is noticed before others pay for it. */
  #checkTests({ a, id, d }: Block): void {
    if (!this.#options.isHonest(a)) return;
    if (parseMerge(d).tests.some(({ app }) => app === FLAKY_DAPP))
      this.#find("L13", `the merge ${id.slice(0, 12)} rests on a test that never gives the same twice`);
  }

  /** I9: what others can make a node keep in memory has an end. */
  keeps(by: string, { orphans, unfinishedBytes }: Unfinished): void {
    if (orphans > ORPHANS_MAX) this.#find("I9", `${by} keeps ${orphans} blocks that wait for their parents`);
    if (unfinishedBytes > UNFINISHED_BYTES_MAX)
      this.#find("I9", `${by} keeps ${unfinishedBytes} bytes of what has not come whole`);
  }

  /** I2 and I1: one merge at a height, and one state after it. */
  final(
    by: string,
    merge: {
      readonly branch: string;
      readonly h: number;
      readonly id: Hash;
      readonly roots: Readonly<Record<string, Hash>>;
    },
  ): boolean {
    const place = `${merge.branch} ${merge.h}`;
    const roots = Object.entries(merge.roots)
      .sort(([x], [y]) => (x < y ? -1 : 1))
      .join(" ");
    const known = this.#finals.get(place);
    if (known === undefined) {
      this.#finals.set(place, { id: merge.id, by, roots });
      return true;
    }
    if (known.id !== merge.id)
      this.#find(
        "I2",
        `at ${place} ${by} has ${merge.id.slice(0, 12)} for final, ${known.by} ${known.id.slice(0, 12)}`,
      );
    else if (known.roots !== roots)
      this.#find("I1", `after ${place} ${by} and ${known.by} have other state: ${roots} and ${known.roots}`);
    return false;
  }

  /** The author's card is gone: what nobody else held cannot be asked of anybody any more. */
  lost(author: PublicKey, isHeld: (id: Hash) => boolean): void {
    for (const { a, id } of this.#blocks.values()) if (a === author && !isHeld(id)) this.#lost.add(id);
  }

  /** Every block that was seen and not lost with the only card that held it, in the order of first sight. */
  blocks(): Block[] {
    return [...this.#blocks.values()].filter(({ id }) => !this.#lost.has(id));
  }

  /** All that an author has ever sent, in the order of first sight. */
  blocksOf(author: PublicKey): Hash[] {
    return [...this.#blocks.values()].filter(({ a }) => a === author).map(({ id }) => id);
  }

  get finals(): number {
    return this.#finals.size;
  }

  #find(invariant: Invariant, what: string): void {
    this.#options.found({ invariant, atMs: this.#options.nowMs(), what });
  }
}
