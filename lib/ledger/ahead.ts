/**
 * Which signatures the admission of a batch will ask for, so that they can be verified on other threads before it
 * begins [L3]. What is told here is true of a block whatever is held; admission asks everything else itself, when its
 * turn comes, and verifies what nobody has verified ahead.
 */
import { GdoError } from "../base/index.ts";
import { type Block, decodeBlock, ENVELOPE_BYTES_MAX } from "../codec/index.ts";
import type { AdmitView } from "./admit.ts";

/**
 * Blocks of known authors that are not held: never a stranger's. Form and parents are not asked yet, so that a known
 * device's junk may cost a verification.
 */
export function worthVerifying(envelopes: readonly Uint8Array[], view: AdmitView): Block[] {
  return envelopes.flatMap((envelope) => {
    const block = envelope.length > ENVELOPE_BYTES_MAX ? undefined : decoded(envelope);
    return block !== undefined && isExpected(block, view) ? block : [];
  });
}

function isExpected({ id, o, a, l, n }: Block, view: AdmitView): boolean {
  if (o !== view.organisation || !view.knows(a)) return false;
  return n > view.newest(a, l) || view.parent(id) === undefined;
}

/** Read once: admission gets the same block of the same envelope. */
function decoded(envelope: Uint8Array): Block | undefined {
  try {
    return decodeBlock(envelope);
  } catch (error) {
    if (error instanceof GdoError) return undefined;
    throw error;
  }
}
