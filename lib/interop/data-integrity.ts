/**
 * The W3C's Data Integrity proof `eddsa-jcs-2022` over a Verifiable Credential: JSON in canonical form
 * (RFC 8785), SHA-256, Ed25519. Pure: hash and signature are handed in. Source: Data Integrity EdDSA
 * Cryptosuites v1.0, sections 3.3.1 to 3.3.6; keys as did:key of the W3C's credentials group.
 */
import { concatBytes, utf8 } from "../base/index.ts";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
/** Multicodec of an Ed25519 public key. */
const ED25519_PREFIX = Uint8Array.of(0xed, 0x01);

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = { readonly [key: string]: Json };

export interface ProofOptions {
  /** Where the key is found; of a did:key, the key itself. */
  readonly verificationMethod: string;
  /** As in 2026-11-22T12:00:00Z. */
  readonly created: string;
  sha256(bytes: Uint8Array): Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** The document with its proof. It must have no proof yet; numbers in it must be integers. */
export function withProof(document: JsonMap, { verificationMethod, created, sha256, sign }: ProofOptions): JsonMap {
  const config = {
    type: "DataIntegrityProof",
    cryptosuite: "eddsa-jcs-2022",
    created,
    verificationMethod,
    proofPurpose: "assertionMethod",
    ...(document["@context"] === undefined ? {} : { "@context": document["@context"] }),
  };
  const message = concatBytes([config, document].map((each) => sha256(utf8(canonicalJson(each)))));
  return { ...document, proof: { ...config, proofValue: `z${base58(sign(message))}` } };
}

/** RFC 8785 for what has no fractions: names sorted by their UTF-16 units, no spaces. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  const map = value as JsonMap;
  const fields = Object.keys(map)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(map[key] as Json)}`);
  return `{${fields.join()}}`;
}

/** "did:key:z6Mk…", and the name of its only key. `publicKey` has 32 bytes. */
export function didKeyOf(publicKey: Uint8Array): { readonly did: string; readonly verificationMethod: string } {
  const multibase = `z${base58(concatBytes([ED25519_PREFIX, publicKey]))}`;
  return { did: `did:key:${multibase}`, verificationMethod: `did:key:${multibase}#${multibase}` };
}

/** Bitcoin's alphabet; each leading zero byte is a leading "1". */
export function base58(bytes: Uint8Array): string {
  let number = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (; number > 0n; number /= 58n) text = `${ALPHABET[Number(number % 58n)]}${text}`;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros === -1 ? bytes.length : zeros) + text;
}
