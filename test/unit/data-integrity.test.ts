import { createHash, createPublicKey, verify } from "node:crypto";
import test from "ava";
import { bytesOf } from "../../lib/base/index.ts";
import { generateKey, keyFromSeed } from "../../lib/codec/index.ts";
import { base58, canonicalJson, didKeyOf, type JsonMap, withProof } from "../../lib/interop/data-integrity.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());

/** Another style than the code: digit by digit, the other way round. */
function bytesOfBase58(text: string): Uint8Array {
  const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  const number = [...text].reduce((sum, letter) => sum * 58n + BigInt(alphabet.indexOf(letter)), 0n);
  const hex = number.toString(16);
  return new Uint8Array(Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex"));
}

test("proof: the vector of the W3C's eddsa-jcs-2022", (t) => {
  const seed = bytesOfBase58("3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq").slice(2);
  const pair = keyFromSeed(seed);
  const key = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
  t.is(didKeyOf(bytesOf(pair.publicKey)).did, `did:key:${key}`);
  const document = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
    id: "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    type: ["VerifiableCredential", "AlumniCredential"],
    name: "Alumni Credential",
    description: "A minimum viable example of an Alumni Credential.",
    issuer: "https://vc.example/issuers/5678",
    validFrom: "2023-01-01T00:00:00Z",
    credentialSubject: { id: "did:example:abcdefgh", alumniOf: "The School of Examples" },
  };
  const verificationMethod = `https://vc.example/issuers/5678#${key}`;
  const created = "2023-02-24T23:36:38Z";
  const signed = withProof(document, { verificationMethod, created, sha256, sign: (message) => pair.sign(message) });
  t.is(
    (signed["proof"] as JsonMap)["proofValue"],
    "z63t83Y53KfzJ5ZosfKTnqfMcKB2dmTrfjSaQjeNNjAD5srBowQfmWqeRb8rRjmeEuCBEsddF9LsVogtuTsijJKh4",
  );
});

test("proof: whoever has the did:key checks it with nothing of gdo, and a changed word breaks it", (t) => {
  const { pair } = generateKey();
  const { did, verificationMethod } = didKeyOf(bytesOf(pair.publicKey));
  const document = { "@context": ["https://www.w3.org/ns/credentials/v2"], issuer: { id: did }, name: "The lathe – é" };
  const created = "2026-11-22T12:00:00Z";
  const { proof, ...said } = withProof(document, { verificationMethod, created, sha256, sign: (m) => pair.sign(m) });
  const { proofValue, ...config } = proof as { proofValue: string } & JsonMap;
  const raw = bytesOfBase58(did.slice("did:key:z".length)).slice(2);
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(raw).toString("base64url") },
    format: "jwk",
  });
  const holds = (body: JsonMap): boolean => {
    const hashed = [config, body].map((each) => sha256(Buffer.from(canonicalJson(each))));
    return verify(null, Buffer.concat(hashed), key, bytesOfBase58(proofValue.slice(1)));
  };
  t.true(holds(said));
  t.false(holds({ ...said, name: "The laser" }));
});

test("canonical JSON: names by their UTF-16 units, no spaces, escapes as RFC 8785 has them", (t) => {
  t.is(
    canonicalJson({ b: [1, true, null], "\u20ac": "\u20ac", a: { "\r": '\u000f\n"\\', "": -7 } }),
    '{"a":{"":-7,"\\r":"\\u000f\\n\\"\\\\"},"b":[1,true,null],"€":"€"}',
  );
});

test("base58: leading zeros stay", (t) => {
  t.is(base58(Uint8Array.of(0, 0, 1)), "112");
  t.is(base58(new Uint8Array(2)), "11");
  t.is(base58(new TextEncoder().encode("Hello World!")), "2NEpo7TZRRrLZSi2U");
});
