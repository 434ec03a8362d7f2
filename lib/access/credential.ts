/**
 * Credential references: what stands for a card in snapshots and logs. A card number has so few bits
 * that its plain hash is no protection; the reference is keyed with the organisation's credential key
 * [A6]. Pure: the two hash functions are handed in. Rules: docs/design/door.md.
 */
import { toHex, utf8 } from "../base/bytes.ts";
import type { Credential } from "./frame.ts";

/** Bytes of a reference: 128 bits. */
export const REF_BYTES = 16;
const TAG_BYTES = 28;
const LEGACY_24_PREFIX = utf8("legacy24:");
const LEGACY_24_BITS_MASK = 0xff_ffffn;

/** The two functions that a reference takes; the credential key stays inside. */
export interface CredentialMac {
  /** SHA-224, 28 bytes: the form in which doorbot's lists name a card. */
  sha224(bytes: Uint8Array): Uint8Array;
  /** HMAC-SHA-256 under the organisation's credential key, 32 bytes. */
  hmacSha256(message: Uint8Array): Uint8Array;
}

/**
 * The reference of a card that a list names by tag: SHA-224 of its 24-bit number in ten decimal
 * digits. Throws RangeError unless 28 bytes.
 */
export function tagRef(mac: CredentialMac, tag: Uint8Array): string {
  if (tag.length !== TAG_BYTES) throw new RangeError(`a tag has ${TAG_BYTES} bytes, not ${tag.length}`);
  const message = new Uint8Array(LEGACY_24_PREFIX.length + TAG_BYTES);
  message.set(LEGACY_24_PREFIX);
  message.set(tag, LEGACY_24_PREFIX.length);
  return toHex(mac.hmacSha256(message).subarray(0, REF_BYTES));
}

/** The `legacy24` view of a swiped card; equals the tagRef of the list's row for the same card. */
export function credentialRef(mac: CredentialMac, credential: Credential): string {
  const number = credential.value & LEGACY_24_BITS_MASK;
  return tagRef(mac, mac.sha224(utf8(number.toString().padStart(10, "0"))));
}
