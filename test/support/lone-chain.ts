/** A chain by itself: nothing but blocks comes to it, and no blob is held. */
import { silentLog } from "../../lib/base/index.ts";
import type { Block } from "../../lib/codec/index.ts";
import { Chain, type ChainOptions } from "../../lib/node/chain.ts";

export function loneChain(charter: Block, ledger: ChainOptions["ledger"], options: Partial<ChainOptions> = {}): Chain {
  return new Chain({
    ledger,
    blobs: {
      put: async () => charter.id,
      read: async () => new Uint8Array(),
      has: async () => false,
      holding: (work) => work(),
    },
    organisation: charter.id,
    log: silentLog,
    settled: () => {},
    onMerged: () => {},
    refused: () => {},
    ...options,
  });
}
