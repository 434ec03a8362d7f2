/** Small policies and frames for tests of doors. */
import { createHash } from "node:crypto";
import {
  type DecisionInput,
  decodePolicy,
  encodePolicy,
  type PolicyInForce,
  type PolicySource,
  tagRef,
} from "../../lib/access/index.ts";
import { credentialMac } from "../../lib/agent/apps/credential-mac.ts";
import type { Hash } from "../../lib/base/index.ts";

export const CREDENTIAL_KEY = new Uint8Array(32).fill(7);
export const MAC = credentialMac(CREDENTIAL_KEY);
export const POLICY_ID = "ab".repeat(32) as Hash;
export const HOUR_MS = 3_600_000;

/** Another style than the code: by string and reduce, from the description of H10301. */
export function w26(card: number): string {
  const data = card.toString(2).padStart(24, "0");
  const ones = (text: string): number => text.replaceAll("0", "").length;
  return `${ones(data.slice(0, 12)) % 2}${data}${1 - (ones(data.slice(12)) % 2)}`;
}

export const flip = (bits: string, at: number): string =>
  bits.slice(0, at) + (bits[at] === "1" ? "0" : "1") + bits.slice(at + 1);

export const tagOf = (card: number): Uint8Array =>
  new Uint8Array(createHash("sha224").update(String(card).padStart(10, "0")).digest());

export const refOfCard = (card: number): string => tagRef(MAC, tagOf(card));

export const CARD_ANN = 4_134_419;
export const CARD_BOB = 1_258_648;
export const CARD_ANN_LOST = 1111;
export const CARD_FIRE = 2222;
export const CARD_EVE = 3333;

export function source(changes: Partial<PolicySource> = {}): PolicySource {
  return {
    generation: 3,
    height: 7,
    issuedMs: 1000 * HOUR_MS,
    softMs: 1024 * HOUR_MS,
    hardMs: 1336 * HOUR_MS,
    doors: { front: { minLevel: 0 }, laser: { minLevel: 2 } },
    people: [
      { id: "ann", level: 2 },
      { id: "bob", level: 0 },
      { id: "eve", level: 4, isDisabled: true },
      { id: "fire", level: 4 },
    ],
    credentials: [
      { ref: refOfCard(CARD_ANN), person: "ann" },
      { ref: refOfCard(CARD_ANN_LOST), person: "ann", isDenied: true },
      { ref: refOfCard(CARD_BOB), person: "bob" },
      { ref: refOfCard(CARD_EVE), person: "eve" },
      { ref: refOfCard(CARD_FIRE), person: "fire", isEmergency: true },
    ],
    ...changes,
  };
}

export const inForce = (changes: Partial<PolicySource> = {}): PolicyInForce => ({
  id: POLICY_ID,
  policy: decodePolicy(encodePolicy(source(changes))),
});

/** A whole frame of a card at the front door an hour after the snapshot was issued. */
export function swipeOf(card: number, changes: Partial<DecisionInput> = {}): DecisionInput {
  const whole = { frame: { ok: true }, ref: refOfCard(card), door: "front" } as const;
  return { ...whole, wallMs: 1001 * HOUR_MS, clockQuality: "system", ...changes };
}
