/**
 * The token of an invitation: who invites whom into which organisation, until when, and how to reach the broker;
 * signed by the inviting device, with the seed of a key of its own. Whoever holds the token may use it, once.
 */
import {
  bytesOf,
  concatBytes,
  GdoError,
  type Hash,
  hashOf32,
  type PublicKey,
  publicKeyOf32,
  utf8,
} from "../../base/index.ts";
import {
  type Canonical,
  decodeCanonical,
  deriveHashBytes,
  encodeCanonical,
  type KeyPair,
  keyFromSeed,
  verifySignature,
} from "../../codec/index.ts";

/** What an invitation says. The inviter keeps none of it: it comes back signed. */
export interface Invitation {
  readonly organisation: Hash;
  /** Names the invitation; the key of the token's seed. */
  readonly key: PublicKey;
  /** The device that invites, and answers. */
  readonly inviter: PublicKey;
  readonly principal: string;
  /** Of a new principal; null: one that is there gets one more device. */
  readonly roles: readonly string[] | null;
  readonly expiresMs: number;
  /** URL of the broker; null where the inviter knows none. */
  readonly broker: string | null;
}

export interface SignedInvitation {
  readonly body: Uint8Array;
  /** The inviting device's, over "gdo/1/invitation" ‖ 0x00 ‖ derive-key "gdo v1 invitation" over the body. */
  readonly signature: Uint8Array;
}

const PREFIX = "gdo1-";
const TOKEN_BYTES_MAX = 2048;
const FIELDS = ["broker", "expires", "inviter", "key", "organisation", "principal", "roles"];

export function signInvitation(invitation: Invitation, pair: KeyPair): SignedInvitation {
  const { organisation, key, inviter, principal, roles, expiresMs, broker } = invitation;
  const names = { organisation: bytesOf(organisation), key: bytesOf(key), inviter: bytesOf(inviter) };
  const body = encodeCanonical({ ...names, principal, roles, expires: expiresMs, broker });
  return { body, signature: pair.sign(messageOf(body)) };
}

function messageOf(body: Uint8Array): Uint8Array {
  return concatBytes([utf8("gdo/1/invitation\0"), deriveHashBytes("gdo v1 invitation", body)]);
}

/** Throws INPUT_INVALID for what no inviter has signed so. */
export function openInvitation({ body, signature }: SignedInvitation): Invitation {
  const invitation = soundOr(() => parseInvitation(body));
  if (!verifySignature(invitation.inviter, messageOf(body), signature)) throw damaged();
  return invitation;
}

function damaged(): GdoError {
  return new GdoError("INPUT_INVALID", "the token was changed or cut on its way", {
    hint: "copy it again, whole, or ask for a new one: gdo invite",
  });
}

function parseInvitation(body: Uint8Array): Invitation {
  const map = mapOf(decodeCanonical(body, { bytesMax: TOKEN_BYTES_MAX }));
  const { principal, roles, expires, broker } = map;
  const isTyped =
    Object.keys(map).sort().join() === FIELDS.join() &&
    typeof principal === "string" &&
    (roles === null || (Array.isArray(roles) && roles.every((role) => typeof role === "string"))) &&
    typeof expires === "number" &&
    (broker === null || typeof broker === "string");
  if (!isTyped) throw damaged();
  return {
    organisation: hashOf32(bytesAt(map["organisation"])),
    key: publicKeyOf32(bytesAt(map["key"])),
    inviter: publicKeyOf32(bytesAt(map["inviter"])),
    principal,
    roles: roles as readonly string[] | null,
    expiresMs: expires,
    broker,
  };
}

function mapOf(value: Canonical): Record<string, Canonical> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw damaged();
  return value as Record<string, Canonical>;
}

function bytesAt(value: Canonical | undefined, length = 32): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== length) throw damaged();
  return value;
}

/** The token as text, for a message or a QR code. */
export function tokenText(signed: SignedInvitation, seed: Uint8Array): string {
  const bytes = encodeCanonical([signed.body, signed.signature, seed]);
  return PREFIX + Buffer.from(bytes).toString("base64url");
}

export interface OpenedToken {
  readonly invitation: Invitation;
  readonly signed: SignedInvitation;
  /** Proves that its holder has the token. */
  readonly pair: KeyPair;
}

/** Reads a token, its signature verified. Throws INPUT_INVALID, whatever the text is. */
export function openToken(text: string): OpenedToken {
  return soundOr(() => readToken(text.trim()));
}

/** What has no form is a token that was damaged, whatever exactly is wrong with it. */
function soundOr<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof GdoError && cause.code !== "INPUT_INVALID") throw damaged();
    throw cause;
  }
}

function readToken(text: string): OpenedToken {
  if (!text.startsWith(PREFIX))
    throw new GdoError("INPUT_INVALID", "that is no token of gdo", {
      hint: "ask for one: gdo invite, on a device that is in the organisation",
    });
  const bytes = new Uint8Array(Buffer.from(text.slice(PREFIX.length), "base64url"));
  const parts = decodeCanonical(bytes, { bytesMax: TOKEN_BYTES_MAX });
  if (!Array.isArray(parts) || parts.length !== 3) throw damaged();
  const [body, signature, seed] = parts as readonly Canonical[];
  if (!(body instanceof Uint8Array)) throw damaged();
  const signed = { body, signature: bytesAt(signature, 64) };
  const invitation = openInvitation(signed);
  const pair = keyFromSeed(bytesAt(seed));
  if (pair.publicKey !== invitation.key) throw damaged();
  return { invitation, signed, pair };
}
