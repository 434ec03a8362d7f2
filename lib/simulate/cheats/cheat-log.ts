/** A log that a cheat keeps beside its honest one: it signs whatever it likes, and sends it to whom it likes. */
import { type Hash, type Rng, toHex } from "../../base/index.ts";
import {
  type Block,
  type BlockKind,
  type Canonical,
  encodeEnvelope,
  type KeyPair,
  signBlock,
} from "../../codec/index.ts";

const INCARNATION_BYTES = 8;

export interface Forged {
  readonly kind?: BlockKind;
  readonly payload: Canonical;
  readonly parents: readonly Block[];
  /** Wall time that it claims. */
  readonly timeMs: number;
  /** Names a block that nobody has. */
  readonly missing?: Hash;
}

export class CheatLog {
  readonly #pair: KeyPair;
  readonly #organisation: Hash;
  readonly #l: string;
  #last: Block | undefined;

  constructor(pair: KeyPair, organisation: Hash, rng: Rng) {
    this.#pair = pair;
    this.#organisation = organisation;
    this.#l = toHex(rng.bytes(INCARNATION_BYTES));
  }

  /** Signed as the log's next; not kept until `keep`, so that another can be signed for the same place. */
  draft({ kind = "entry", payload, parents, timeMs, missing }: Forged): Block {
    const last = this.#last;
    const others = parents.filter(({ id }) => id !== last?.id);
    const named = [...others.map(({ id }) => id), ...(missing === undefined ? [] : [missing])];
    const fields = {
      v: 1,
      k: kind,
      o: this.#organisation,
      a: this.#pair.publicKey,
      l: this.#l,
      n: last === undefined ? 0 : last.n + 1,
      b: last?.id ?? null,
      p: [...new Set(named)].sort(),
      c: 1 + Math.max(0, last?.c ?? 0, ...others.map(({ c }) => c)),
      t: [timeMs, null, 0],
      d: payload,
    } as const;
    return signBlock(fields, this.#pair);
  }

  keep(block: Block): void {
    this.#last = block;
  }
}

export function envelopesOf(blocks: readonly Block[]): Uint8Array[] {
  return blocks.map(encodeEnvelope);
}
