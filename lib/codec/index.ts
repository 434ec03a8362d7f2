/** Canonical bytes, keys, signed envelopes: docs/design/ledger.md, "Canonical form" [L1][L2][L3]. */
export {
  type Block,
  blockFromBody,
  blockId,
  decodeBlock,
  ENVELOPE_BYTES_MAX,
  encodeEnvelope,
  signBlock,
  signedMessage,
  verifyBlock,
} from "./block.ts";
export { BLOCK_KINDS, type BlockFields, type BlockKind, type BlockTime } from "./block-fields.ts";
export { type Canonical, type CanonicalMap, compareKeys, encodeCanonical } from "./canonical.ts";
export { deriveHash, deriveHashBytes, type HashContext } from "./digest.ts";
export { canonicalFromJson, jsonFromCanonical } from "./json.ts";
export { generateKey, type KeyPair, keyFromSeed, SEED_BYTES, SIGNATURE_BYTES, verifySignature } from "./keys.ts";
export { type DecodeLimits, decodeCanonical } from "./reader.ts";
export { assertUsableKey } from "./usable-key.ts";
