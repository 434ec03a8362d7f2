/** The two hash functions of credential references, by node:crypto. The key stays inside [A6]. */
import { createHash, createHmac, createSecretKey } from "node:crypto";
import type { CredentialMac } from "../../access/index.ts";
import { GdoError } from "../../base/index.ts";

const KEY_BYTES = 32;

/** Throws KEY_INVALID unless the organisation's credential key has 32 bytes. */
export function credentialMac(credentialKey: Uint8Array): CredentialMac {
  if (credentialKey.length !== KEY_BYTES) {
    throw new GdoError("KEY_INVALID", `a credential key has ${KEY_BYTES} bytes, not ${credentialKey.length}`);
  }
  const key = createSecretKey(credentialKey);
  return {
    sha224: (bytes) => new Uint8Array(createHash("sha224").update(bytes).digest()),
    hmacSha256: (message) => new Uint8Array(createHmac("sha256", key).update(message).digest()),
  };
}
