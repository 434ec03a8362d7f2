/**
 * A policy snapshot under way: its bytes, who issued it and the issuer's signature over both the
 * context and the bytes. Pure: signing and checking are handed in. Rules: docs/design/door.md.
 *
 *   canonical CBOR [policy bytes, issuer key (32), signature (64)]
 */
import { concatBytes, utf8 } from "../base/bytes.ts";
import { GdoError } from "../base/errors.ts";
import { bytesOf, HASH_BYTES, type PublicKey, publicKeyOf32 } from "../base/hash.ts";
import { OBJECT_BYTES_MAX } from "../base/limits.ts";
import { encodeCanonical } from "../codec/canonical.ts";
import { decodeCanonical } from "../codec/reader.ts";

const SIGN_CONTEXT = utf8("gdo/1/policy\0");
const SIGNATURE_BYTES = 64;
const ENVELOPE_DEPTH_MAX = 2;

export interface SignedPolicy {
  /** As encodePolicy made them. */
  readonly policy: Uint8Array;
  readonly issuer: PublicKey;
  readonly signature: Uint8Array;
}

export interface PolicySigner {
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): Uint8Array;
}

export type VerifySignature = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;

function messageOf(policy: Uint8Array): Uint8Array {
  return concatBytes([SIGN_CONTEXT, policy]);
}

export function signPolicy(policy: Uint8Array, signer: PolicySigner): SignedPolicy {
  return { policy, issuer: signer.publicKey, signature: signer.sign(messageOf(policy)) };
}

export function encodeSignedPolicy({ policy, issuer, signature }: SignedPolicy): Uint8Array {
  return encodeCanonical([policy, bytesOf(issuer), signature]);
}

/** Shape only; POLICY_INVALID. Nothing in it may be believed before verifySignedPolicy. */
export function decodeSignedPolicy(bytes: Uint8Array): SignedPolicy {
  const [policy, issuer, signature, ...rest] = partsOf(bytes);
  const isSound =
    isBytes(policy) && isBytes(issuer, HASH_BYTES) && isBytes(signature, SIGNATURE_BYTES) && rest.length === 0;
  if (!isSound) throw new GdoError("POLICY_INVALID", "a signed policy is made of policy, issuer and signature");
  return { policy, issuer: publicKeyOf32(issuer), signature };
}

function partsOf(bytes: Uint8Array): readonly unknown[] {
  try {
    const value = decodeCanonical(bytes, { bytesMax: OBJECT_BYTES_MAX, depthMax: ENVELOPE_DEPTH_MAX });
    return Array.isArray(value) ? value : [];
  } catch (cause) {
    throw new GdoError("POLICY_INVALID", "the signed policy is torn or malformed", { cause });
  }
}

function isBytes(value: unknown, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.length === length);
}

/** POLICY_INVALID unless one of `issuers` signed exactly these bytes. */
export function verifySignedPolicy(signed: SignedPolicy, issuers: readonly PublicKey[], verify: VerifySignature): void {
  if (!issuers.includes(signed.issuer)) {
    throw new GdoError("POLICY_INVALID", `the policy is issued by a key that may not: ${signed.issuer}`);
  }
  if (!verify(signed.issuer, messageOf(signed.policy), signed.signature)) {
    throw new GdoError("POLICY_INVALID", "the policy's signature does not hold");
  }
}
