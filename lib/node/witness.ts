/** [L6] Whoever sees a number used twice says so, once: the pair proves itself, and everybody can cut the log off. */
import type { Hash, Log } from "../base/index.ts";
import { type Block, encodeEnvelope } from "../codec/index.ts";
import { encodeEvidence, fitsEvidence } from "../ledger/index.ts";
import type { OwnLog } from "./own-log.ts";
import type { NodeLedger } from "./ports.ts";

export interface WitnessOptions {
  readonly ledger: Pick<NodeLedger, "block" | "cuts">;
  readonly ownLog: OwnLog;
  readonly log: Log;
}

/**
 * The evidence block, durable, of a block that came and the one that is held; undefined where the log is cut off
 * there already, or where both do not fit into a block.
 */
export function testify(block: Block, held: Hash, { ledger, ownLog, log }: WitnessOptions): Block | undefined {
  const isKnown = ledger.cuts().some(({ author, l, n }) => author === block.a && l === block.l && n <= block.n);
  const other = ledger.block(held);
  if (isKnown || other === undefined) return undefined;
  const [x, y] = block.id < held ? [block, other] : [other, block];
  log.error("alarm: a device used one number twice", { author: block.a, log: block.l, n: block.n });
  if (!fitsEvidence(x, y)) {
    log.error("both blocks together are too large for evidence", { one: x.id, other: y.id });
    return undefined;
  }
  const blocks = [{ envelope: encodeEnvelope(x) }, { envelope: encodeEnvelope(y) }] as const;
  return ownLog.append("evidence", encodeEvidence({ blocks }), [other]);
}
