/** Whether the signature that an act gives for a snapshot is the issuer's, as doors will check it. */
import { createPublicKey, verify } from "node:crypto";
import { verifySignedPolicy } from "../../../lib/access/index.ts";
import { fromHex } from "../../../lib/base/bytes.ts";
import { GdoError } from "../../../lib/base/errors.ts";
import { bytesOf, type PublicKey } from "../../../lib/base/hash.ts";

/** What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410). */
const DER_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

function verifyEd25519(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.concat([DER_PREFIX, bytesOf(key)]);
  return verify(null, message, createPublicKey({ key: der, format: "der", type: "spki" }), signature);
}

/** `issuer` and `signature` are hex, of the right lengths. */
export function isSignedBy(policy: Uint8Array, issuer: string, signature: string): boolean {
  try {
    const signed = { policy, issuer: issuer as PublicKey, signature: fromHex(signature) ?? new Uint8Array() };
    verifySignedPolicy(signed, [signed.issuer], verifyEd25519);
    return true;
  } catch (cause) {
    if (cause instanceof GdoError) return false;
    throw cause;
  }
}
