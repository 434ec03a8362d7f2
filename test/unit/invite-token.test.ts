/** Tokens of invitations and the letters about them: read as written, refused when anything is changed. */
import test from "ava";
import fc from "fast-check";
import { AnswerReader, encodeAnswer, encodeRequest, parseRequest, sealKey } from "../../lib/agent/invite/letters.ts";
import { type Invitation, openInvitation, openToken, signInvitation, tokenText } from "../../lib/agent/invite/token.ts";
import type { Hash } from "../../lib/base/index.ts";
import { keyFromSeed } from "../../lib/codec/index.ts";
import { testKey } from "../support/ledger-fixtures.ts";

const seed = new Uint8Array(32).fill(7);
const [office, device] = [testKey(1), testKey(2)];
const invitation: Invitation = {
  organisation: "ab".repeat(32) as Hash,
  key: keyFromSeed(seed).publicKey,
  inviter: office.publicKey,
  principal: "ada",
  roles: ["device"],
  expiresMs: 1_764_000_000_000,
  broker: "mqtt://broker.local:1883",
};
const signed = signInvitation(invitation, office);
const token = tokenText(signed, seed);

test("ledger: a token is read as it was written, also with spaces around it", (t) => {
  t.deepEqual(openToken(` ${token}\n`).invitation, invitation);
  const plain = { ...invitation, roles: null, broker: null };
  t.deepEqual(openToken(tokenText(signInvitation(plain, office), seed)).invitation, plain);
});

test("ledger: a token with any character changed, or signed by another, is refused", (t) => {
  const bytes = Buffer.from(token.slice(5), "base64url");
  const check = (at: number, mask: number): void => {
    const bent = Buffer.from(bytes);
    bent[at % bent.length] = (bent[at % bent.length] ?? 0) ^ mask;
    t.throws(() => openToken(`gdo1-${bent.toString("base64url")}`), { code: "INPUT_INVALID" });
  };
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), check), { numRuns: 300 });
  t.throws(() => openToken(tokenText(signInvitation(invitation, device), seed)), { code: "INPUT_INVALID" });
  t.throws(() => openToken(tokenText(signed, new Uint8Array(32))), { code: "INPUT_INVALID" });
  for (const text of ["", "gdo1-", "gdo1-!!!!", "hello", token.slice(0, 40)]) {
    t.throws(() => openToken(text), { code: "INPUT_INVALID" });
  }
});

const keyOf = (from: typeof signed): Invitation["key"] => openInvitation(from).key;

test("ledger: a request proves the token and the device's key; another device cannot take it over", (t) => {
  const { publicBytes } = sealKey();
  const said = { invitation: signed, name: "laptop", sealTo: publicBytes };
  const request = encodeRequest(said, { invited: keyFromSeed(seed), device });
  t.like(parseRequest(request, keyOf), { device: device.publicKey, name: "laptop" });
  t.is(parseRequest(new Uint8Array([1, 2, 3]), keyOf), undefined);
  const stolen = encodeRequest(said, { invited: testKey(9), device });
  t.throws(() => parseRequest(stolen, keyOf), { code: "INPUT_INVALID" });
  const check = (at: number, mask: number): void => {
    const bent = Uint8Array.from(request);
    bent[at % bent.length] = (bent[at % bent.length] ?? 0) ^ mask;
    try {
      t.is(parseRequest(bent, keyOf), undefined);
    } catch (error) {
      t.is((error as { code?: string }).code, "INPUT_INVALID");
    }
  };
  fc.assert(fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), check), { numRuns: 300 });
});

test("ledger: an answer is read by the requester alone, in any order of its pieces, and only from the inviter", (t) => {
  const own = sealKey();
  const answer = { ok: true, charter: new Uint8Array(40_000).fill(3), credentialKey: seed } as const;
  const pieces = encodeAnswer(answer, own.publicBytes, office);
  t.true(pieces.length > 3 && pieces.every((piece) => piece.length < 16_384));
  const reader = new AnswerReader(own, office.publicKey);
  const read = pieces.toReversed().map((piece) => reader.take(piece));
  t.is(read.filter((each) => each !== undefined).length, 1);
  t.deepEqual({ ...read.at(-1) }, answer);
  const others = [new AnswerReader(sealKey(), office.publicKey), new AnswerReader(own, device.publicKey)];
  for (const other of others) for (const piece of pieces) t.is(other.take(piece), undefined);
});
