/** [L6] Whoever sees a number used twice says so, once: the pair proves itself, and everybody can cut the log off. */
import type { Hash, Log } from "../base/index.ts";
import { type Block, encodeEnvelope, verifyBlock } from "../codec/index.ts";
import { encodeEvidence, fitsEvidence } from "../ledger/index.ts";
import type { OwnLog } from "./own-log.ts";
import type { NodeLedger } from "./ports.ts";

export interface WitnessOptions {
  readonly ledger: Pick<NodeLedger, "forks" | "block">;
  readonly organisation: Hash;
  readonly ownLog: OwnLog;
  readonly log: Log;
}

export class Witness {
  readonly #options: WitnessOptions;
  /** Pairs that make no evidence, so that each is told once. */
  readonly #unfit = new Set<Hash>();

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** Evidence blocks, durable, of all that is held twice and not cut off yet; also what was taken in before a restart. */
  testify(): Block[] {
    const { ledger, organisation, ownLog, log } = this.#options;
    const made: Block[] = [];
    const done = new Set<string>();
    // It names nothing that somebody lacks: who holds one of the two only must be able to take it in.
    const parents = [ledger.block(organisation)].filter((block) => block !== undefined);
    for (const [block, other] of ledger.forks()) {
      const place = block.a + block.l;
      if (done.has(place) || this.#unfit.has(block.id) || !this.#isFit(block, other)) continue;
      done.add(place); // Their least number: what follows is cut off with it.
      log.error("alarm: a device used one number twice", { author: block.a, log: block.l, n: block.n });
      const pair = block.id < other.id ? [block, other] : [other, block];
      const [x, y] = pair.map((each) => ({ envelope: encodeEnvelope(each) }));
      if (x !== undefined && y !== undefined)
        made.push(ownLog.append("evidence", encodeEvidence({ blocks: [x, y] }), parents));
    }
    return made;
  }

  /** Both signed by the device itself [L9], and small enough. */
  #isFit(block: Block, other: Block): boolean {
    const fits = fitsEvidence(block, other);
    if (fits && verifyBlock(block) && verifyBlock(other)) return true;
    this.#unfit.add(block.id);
    if (!fits) this.#options.log.error("two blocks are too large for evidence", { one: block.id, other: other.id });
    return false;
  }
}
