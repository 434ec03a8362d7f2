/** [L6] Whoever sees a number used twice says so, once: the pair proves itself, and everybody can cut the log off. */
import type { Hash, Log } from "../base/index.ts";
import { type Block, encodeEnvelope, verifyBlock } from "../codec/index.ts";
import { type EvidencePayload, encodeEvidence, fitsEvidence } from "../ledger/index.ts";
import type { OwnLog } from "./own-log.ts";
import type { NodeBlobs, NodeLedger } from "./ports.ts";

export interface WitnessOptions {
  readonly ledger: Pick<NodeLedger, "forks" | "block" | "readEvidence">;
  readonly organisation: Hash;
  readonly ownLog: OwnLog;
  readonly log: Log;
}

type Pair = readonly [Block, Block];

export class Witness {
  readonly #options: WitnessOptions;
  /** Pairs that make no evidence, so that each is told once. */
  readonly #unfit = new Set<Hash>();
  #isPutting = false;

  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** Evidence blocks, durable, of all that is held twice and not cut off yet; also what was taken in before a restart. */
  testify(): Block[] {
    const pairs = this.#pairs().filter(([block, other]) => fitsEvidence(block, other));
    return pairs.map((pair) => {
      const [x, y] = this.#accuse(pair);
      return this.#append([{ envelope: encodeEnvelope(x) }, { envelope: encodeEnvelope(y) }]);
    });
  }

  /** As testify, of pairs that do not fit into a block: of each one more blob, durable before the block that names it. */
  async testifyByBlobs(blobs: Pick<NodeBlobs, "put" | "holding">): Promise<Block[]> {
    if (this.#isPutting || this.#large().length === 0) return [];
    this.#isPutting = true;
    try {
      return await blobs.holding(async () => {
        const made: Block[] = [];
        for (const pair of this.#large()) made.push(...(await this.#testifyLarge(pair, blobs)));
        return made;
      });
    } finally {
      this.#isPutting = false;
    }
  }

  #large(): Pair[] {
    return this.#pairs().filter(([block, other]) => !fitsEvidence(block, other));
  }

  async #testifyLarge(pair: Pair, blobs: Pick<NodeBlobs, "put">): Promise<Block[]> {
    const [x, y] = ascending(pair);
    const [one, other] = [await blobs.put(encodeEnvelope(x)), await blobs.put(encodeEnvelope(y))];
    // Somebody else's evidence may have come meanwhile.
    if (!this.#large().some(([block]) => block.id === pair[0].id)) return [];
    this.#accuse(pair);
    const evidence = this.#append([{ blob: one }, { blob: other }]);
    this.#options.ledger.readEvidence(evidence.id, { author: x.a, l: x.l, n: x.n });
    return [evidence];
  }

  /** Of each log the pair with the least number: what follows is cut off with it. */
  #pairs(): Pair[] {
    const found = new Map<string, Pair>();
    for (const pair of this.#options.ledger.forks()) {
      const place = pair[0].a + pair[0].l;
      if (!found.has(place) && this.#isSigned(pair)) found.set(place, pair);
    }
    return [...found.values()];
  }

  #accuse(pair: Pair): Pair {
    const [{ a: author, l, n }] = pair;
    this.#options.log.error("alarm: a device used one number twice", { author, log: l, n });
    return ascending(pair);
  }

  #append(blocks: EvidencePayload["blocks"]): Block {
    const { ledger, organisation, ownLog } = this.#options;
    // It names nothing that somebody lacks: who holds one of the two only must be able to take it in.
    const parents = [ledger.block(organisation)].filter((block) => block !== undefined);
    return ownLog.append("evidence", encodeEvidence({ blocks }), parents);
  }

  /** Both by the device itself [L9]. */
  #isSigned([block, other]: Pair): boolean {
    if (this.#unfit.has(block.id)) return false;
    if (verifyBlock(block) && verifyBlock(other)) return true;
    this.#unfit.add(block.id);
    return false;
  }
}

function ascending([block, other]: Pair): Pair {
  return block.id < other.id ? [block, other] : [other, block];
}
