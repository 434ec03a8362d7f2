/**
 * What an invited device and its inviter send each other, by the broker that nobody trusts: a request that shows
 * the invitation and proves that its holder has the token, and an answer that only the requester can read.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { bytesOf, concatBytes, GdoError, type PublicKey, publicKeyOf32, utf8 } from "../../base/index.ts";
import {
  type Canonical,
  decodeCanonical,
  deriveHashBytes,
  encodeCanonical,
  type KeyPair,
  verifySignature,
} from "../../codec/index.ts";
import type { SignedInvitation } from "./token.ts";

const LETTER_BYTES_MAX = 256 * 1024;
/** A packet of the embedded broker holds this much and more. */
const PIECE_BYTES = 12 * 1024;
const PIECES_MAX = 16;
const REQUEST = "gdo join request";
const ANSWER = "gdo join answer";

/** A key for one exchange. */
export interface SealKey {
  readonly publicBytes: Uint8Array;
  readonly secret: KeyObject;
}

const X25519_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

export function sealKey(): SealKey {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  const der = publicKey.export({ type: "spki", format: "der" });
  return { publicBytes: new Uint8Array(der.subarray(X25519_PREFIX.length)), secret: privateKey };
}

export interface JoinRequest {
  readonly invitation: SignedInvitation;
  /** The key of the device that wants in, and its name. */
  readonly device: PublicKey;
  readonly name: string;
  /** For the answer. */
  readonly sealTo: Uint8Array;
  /** By the invitation's key. */
  readonly proof: Uint8Array;
}

/** What is signed by both the invitation's key and the device's: who has the one wants the other in. */
function requestMessage(body: Canonical): Uint8Array {
  return concatBytes([utf8("gdo/1/join\0"), deriveHashBytes("gdo v1 invitation", encodeCanonical(body))]);
}

export function encodeRequest(
  request: Omit<JoinRequest, "proof" | "device">,
  keys: { readonly invited: KeyPair; readonly device: KeyPair },
): Uint8Array {
  const { invitation, name, sealTo } = request;
  const body = [REQUEST, invitation.body, invitation.signature, bytesOf(keys.device.publicKey), name, sealTo];
  const message = requestMessage(body);
  return encodeCanonical([body, keys.invited.sign(message), keys.device.sign(message)]);
}

/** Undefined for anything else that came to the inbox. Throws INPUT_INVALID for a request that is not signed as it must. */
export function parseRequest(
  bytes: Uint8Array,
  keyOf: (signed: SignedInvitation) => PublicKey,
): JoinRequest | undefined {
  const parts = listOf(bytes);
  const body = parts?.[0];
  if (!Array.isArray(body) || body[0] !== REQUEST) return undefined;
  const [, said, signature, device, name, sealTo] = body as readonly Canonical[];
  const [, proof, own] = parts as readonly Canonical[];
  if (!isBytes(said) || !isBytes(signature, 64) || !isBytes(device, 32) || !isBytes(sealTo, 32)) throw wrong();
  if (typeof name !== "string" || !isBytes(proof, 64) || !isBytes(own, 64)) throw wrong();
  const invitation = { body: said, signature };
  const key = publicKeyOf32(device);
  const message = requestMessage(body);
  if (!verifySignature(keyOf(invitation), message, proof) || !verifySignature(key, message, own)) throw wrong();
  return { invitation, device: key, name, sealTo, proof };
}

function wrong(): GdoError {
  return new GdoError("INPUT_INVALID", "a request to join that its token has not signed");
}

function isBytes(value: Canonical | undefined, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.length === length);
}

function listOf(bytes: Uint8Array): readonly Canonical[] | undefined {
  try {
    const value = decodeCanonical(bytes, { bytesMax: LETTER_BYTES_MAX });
    return Array.isArray(value) ? value : undefined;
  } catch (error) {
    if (error instanceof GdoError) return undefined; // A frame of another kind, or noise.
    throw error;
  }
}

export type JoinAnswer =
  | { readonly ok: true; readonly charter: Uint8Array; readonly credentialKey: Uint8Array }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint: string };

/** Seals an answer so that only the requester reads it; in pieces that a broker takes. Signed by the inviter. */
export function encodeAnswer(answer: JoinAnswer, sealTo: Uint8Array, pair: KeyPair): Uint8Array[] {
  const own = sealKey();
  const cipher = createCipheriv("aes-256-gcm", sharedKey(own, sealTo, own.publicBytes), Buffer.alloc(12));
  const sealed = concatBytes([cipher.update(encodeCanonical({ ...answer })), cipher.final(), cipher.getAuthTag()]);
  const signature = pair.sign(answerMessage(own.publicBytes, sealed));
  const letter = encodeCanonical([ANSWER, own.publicBytes, sealed, signature]);
  const count = Math.ceil(letter.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, index) =>
    encodeCanonical([ANSWER, index, count, letter.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)]),
  );
}

/** One exchange has one key, so the nonce may be constant. */
function sharedKey(own: SealKey, other: Uint8Array, inviter: Uint8Array): Uint8Array {
  const publicKey = createPublicKey({ key: Buffer.concat([X25519_PREFIX, other]), format: "der", type: "spki" });
  const shared = diffieHellman({ privateKey: own.secret, publicKey });
  return deriveHashBytes("gdo v1 invitation seal", concatBytes([new Uint8Array(shared), inviter]));
}

function answerMessage(key: Uint8Array, sealed: Uint8Array): Uint8Array {
  return concatBytes([utf8("gdo/1/welcome\0"), deriveHashBytes("gdo v1 invitation", concatBytes([key, sealed]))]);
}

/** Puts the pieces of answers together. */
export class AnswerReader {
  readonly #own: SealKey;
  readonly #inviter: PublicKey;
  readonly #pieces = new Map<number, Uint8Array>();

  constructor(own: SealKey, inviter: PublicKey) {
    this.#own = own;
    this.#inviter = inviter;
  }

  /** The answer once it is whole and the inviter's; undefined until then, and for whatever else comes. */
  take(bytes: Uint8Array): JoinAnswer | undefined {
    const [kind, index, count, piece] = listOf(bytes) ?? [];
    if (kind !== ANSWER || typeof index !== "number" || typeof count !== "number" || !isBytes(piece)) return undefined;
    if (count > PIECES_MAX || index >= count) return undefined;
    this.#pieces.set(index, piece);
    const all = Array.from({ length: count }, (_, at) => this.#pieces.get(at));
    return all.every((each) => each !== undefined) ? this.#open(concatBytes(all as Uint8Array[])) : undefined;
  }

  #open(letter: Uint8Array): JoinAnswer | undefined {
    const [, key, sealed, signature] = listOf(letter) ?? [];
    if (!isBytes(key, 32) || !isBytes(sealed) || !isBytes(signature, 64)) return undefined;
    if (!verifySignature(this.#inviter, answerMessage(key, sealed), signature)) return undefined;
    const decipher = createDecipheriv("aes-256-gcm", sharedKey(this.#own, key, key), Buffer.alloc(12));
    decipher.setAuthTag(sealed.subarray(sealed.length - 16));
    try {
      const opened = concatBytes([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
      return decodeCanonical(opened, { bytesMax: LETTER_BYTES_MAX }) as unknown as JoinAnswer; // The inviter's own word.
    } catch (error) {
      if (error instanceof Error) return undefined; // Of an exchange before this one.
      throw error;
    }
  }
}
