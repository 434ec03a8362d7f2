/** Canonical bytes, keys, signed envelopes: docs/design/ledger.md, "Canonical form" [L1][L2][L3]. */
export {
  type Block,
  blockFromBody,
  blocksWritten,
  blockWritten,
  decodeBlock,
  ENVELOPE_BYTES_MAX,
  encodeEnvelope,
  shareBlocksRead,
  signBlock,
  signBlocks,
  signedMessage,
  type UnsignedBlock,
  unsignedBlock,
  verifyBlock,
  verifyBlocks,
} from "./block.ts";
export type { BlockFields, BlockKind } from "./block-fields.ts";
export { type Canonical, type CanonicalMap, encodeCanonical } from "./canonical.ts";
export { deriveHash, deriveHashBytes, deriveHashesBytes, deriveHashesOf } from "./digest.ts";
export { canonicalFromJson, jsonFromCanonical } from "./json.ts";
export { generateKey, type KeyPair, keyFromSeed, SIGNATURE_BYTES, verifySignature } from "./keys.ts";
export { decodeCanonical, decodeWritten } from "./reader.ts";
export { assertUsableKey } from "./usable-key.ts";
