/**
 * The W3C's Bitstring Status List v1.0, for revocation: one bit a credential, gzipped, in a credential of its own.
 * Who asks for the list does not say which credential they look at. Pure: gzip is handed in.
 */
import type { JsonMap } from "./data-integrity.ts";

/** As many as the specification wants at least, so that one among few is not told apart. */
const BITS_MIN = 131_072;

export interface StatusList {
  /** Where it is published. */
  readonly url: string;
  /** Places that are taken. */
  readonly count: number;
  readonly revoked: readonly number[];
  /** As in 2026-11-22T12:00:00Z. */
  readonly validFrom: string;
  gzip(bytes: Uint8Array): Uint8Array;
}

/** The list without issuer and proof. */
export function statusListCredential({ url, count, revoked, validFrom, gzip }: StatusList): JsonMap {
  const bits = new Uint8Array(Math.ceil(Math.max(count, BITS_MIN) / 8));
  for (const place of revoked) bits[place >> 3] = (bits[place >> 3] ?? 0) | (0x80 >> (place & 7)); // Place 0 is the leftmost bit.
  return {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    id: url,
    type: ["VerifiableCredential", "BitstringStatusListCredential"],
    validFrom,
    credentialSubject: {
      id: `${url}#list`,
      type: "BitstringStatusList",
      statusPurpose: "revocation",
      encodedList: `u${Buffer.from(gzip(bits)).toString("base64url")}`,
    },
  };
}

/** What a credential says of its own place. */
export function statusEntry(url: string, place: number): JsonMap {
  return {
    id: `${url}#${place}`,
    type: "BitstringStatusListEntry",
    statusPurpose: "revocation",
    statusListIndex: String(place),
    statusListCredential: url,
  };
}
