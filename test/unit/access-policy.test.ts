import test from "ava";
import {
  decodePolicy,
  decodeSignedPolicy,
  encodePolicy,
  encodeSignedPolicy,
  signPolicy,
  verifySignedPolicy,
} from "../../lib/access/index.ts";
import { toHex } from "../../lib/base/index.ts";
import { encodeCanonical, generateKey, verifySignature } from "../../lib/codec/index.ts";
import { CARD_ANN, CARD_ANN_LOST, CARD_FIRE, refOfCard, source } from "../support/policy-fixtures.ts";

const INVALID = { code: "POLICY_INVALID" };

test("policy: what was encoded is read again", (t) => {
  const policy = decodePolicy(encodePolicy(source()));
  const { generation, height, issuedMs, softMs, hardMs } = source();
  t.like(policy, { generation, height, issuedMs, softMs, hardMs });
  t.deepEqual(
    policy.doors,
    new Map([
      ["front", { minLevel: 0 }],
      ["laser", { minLevel: 2 }],
    ]),
  );
  const person = policy.people.at(policy.credentials.find(refOfCard(CARD_ANN))!.personIndex);
  t.deepEqual(person, { id: "ann", level: 2, isDisabled: false });
  t.true(policy.credentials.find(refOfCard(CARD_ANN_LOST))?.isDenied);
  t.true(policy.credentials.find(refOfCard(CARD_FIRE))?.isEmergency);
  t.is(policy.credentials.find("00".repeat(16)), undefined);
  t.is(policy.credentials.find("no reference"), undefined);
  const rows = [...policy.credentials.rows((index) => policy.people.at(index).id)];
  t.deepEqual(
    rows.map(({ ref }) => ref),
    source()
      .credentials.map(({ ref }) => ref)
      .toSorted(),
  );
});

test("policy: equal policies have equal bytes, whatever the order of their rows", (t) => {
  const { people, credentials } = source();
  const turned = source({ people: people.toReversed(), credentials: credentials.toReversed() });
  t.is(toHex(encodePolicy(turned)), toHex(encodePolicy(source())));
});

test("policy: names with a meaning elsewhere are names like others", (t) => {
  const doors = JSON.parse('{"__proto__": {"minLevel": 1}, "constructor": {"minLevel": 2}}');
  const policy = decodePolicy(encodePolicy(source({ doors })));
  t.deepEqual([...policy.doors.keys()].toSorted(), ["__proto__", "constructor"]);
  t.is(policy.doors.get("toString"), undefined);
});

test("policy: 240,000 credentials with their people take at most 48 bytes each", (t) => {
  const size = 240_000;
  const people = Array.from({ length: size }, (_, index) => ({ id: `member-${index}`, level: 0 }));
  const credentials = people.map(({ id }, index) => ({
    ref: (index * 2_654_435_761).toString(16).padStart(32, "0"),
    person: id,
  }));
  const bytes = encodePolicy(source({ people, credentials }));
  t.true(bytes.length / size <= 48, `${bytes.length / size} bytes each`);
  const policy = decodePolicy(bytes);
  t.is(policy.credentials.size, size);
  for (const index of [0, 1, 77_777, size - 1]) {
    const found = policy.credentials.find(credentials[index]!.ref);
    t.is(policy.people.at(found!.personIndex).id, `member-${index}`);
  }
});

test("policy: a source that contradicts itself is refused", (t) => {
  const { credentials, people } = source();
  const refused = { code: "INPUT_INVALID" };
  t.throws(() => encodePolicy(source({ credentials: [...credentials, credentials[0]!] })), refused);
  t.throws(() => encodePolicy(source({ people: [...people, people[0]!] })), refused);
  t.throws(() => encodePolicy(source({ people: [] })), refused);
  t.throws(() => encodePolicy(source({ people: [...people, { id: "x", level: 1.5 }] })), refused);
  t.throws(() => encodePolicy(source({ people: [...people, { id: "", level: 1 }] })), refused);
  t.throws(() => encodePolicy(source({ softMs: 1 })), refused);
});

test("policy: cut short anywhere, or with a byte more, it is refused", (t) => {
  const bytes = encodePolicy(source());
  for (let length = 0; length < bytes.length; length += 1)
    t.throws(() => decodePolicy(bytes.slice(0, length)), INVALID);
  t.throws(() => decodePolicy(Uint8Array.of(...bytes, 0)), INVALID);
});

test("policy: tables that would mislead a look-up are refused", (t) => {
  const record = (ref: number, person: number, flags: number): number[] => [
    ...Array(16).fill(ref),
    0,
    0,
    0,
    person,
    flags,
  ];
  const made = (changes: Record<string, unknown>) =>
    encodeCanonical({
      ...{ v: 1, generation: 1, height: 1, issued: 1, soft: 2, hard: 3, doors: {} },
      ...{
        people: Uint8Array.of(0, 0, 0, 1, 0, 0),
        ids: Uint8Array.of(97),
        credentials: Uint8Array.from(record(1, 0, 0)),
      },
      ...(changes as object),
    });
  t.notThrows(() => decodePolicy(made({})));
  t.throws(
    () => decodePolicy(made({ credentials: Uint8Array.from([...record(2, 0, 0), ...record(1, 0, 0)]) })),
    INVALID,
  );
  t.throws(
    () => decodePolicy(made({ credentials: Uint8Array.from([...record(1, 0, 0), ...record(1, 0, 0)]) })),
    INVALID,
  );
  t.throws(() => decodePolicy(made({ credentials: Uint8Array.from(record(1, 1, 0)) })), INVALID);
  t.throws(() => decodePolicy(made({ credentials: Uint8Array.from(record(1, 0, 4)) })), INVALID);
  t.throws(() => decodePolicy(made({ credentials: Uint8Array.from(record(1, 0, 0).slice(1)) })), INVALID);
  t.throws(() => decodePolicy(made({ people: Uint8Array.of(0, 0, 0, 2, 0, 0) })), INVALID);
  t.throws(() => decodePolicy(made({ ids: Uint8Array.of(255) })), INVALID);
  t.throws(() => decodePolicy(made({ v: 2 })), INVALID);
  t.throws(() => decodePolicy(made({ more: 1 })), INVALID);
  t.throws(() => decodePolicy(made({ generation: -1 })), INVALID);
  t.throws(() => decodePolicy(made({ hard: 1 })), INVALID);
  t.throws(() => decodePolicy(made({ doors: { front: { minLevel: 0, open: true } } })), INVALID);
});

test("policy: only the bytes that an issuer signed count", (t) => {
  const { pair } = generateKey();
  const envelope = encodeSignedPolicy(signPolicy(encodePolicy(source()), pair));
  const check = (bytes: Uint8Array, issuers = [pair.publicKey]) =>
    verifySignedPolicy(decodeSignedPolicy(bytes), issuers, verifySignature);
  t.notThrows(() => check(envelope));
  t.throws(() => check(envelope, [generateKey().pair.publicKey]), INVALID);
  t.throws(() => check(envelope, []), INVALID);
  for (let at = 0; at < envelope.length; at += 1) {
    const flipped = envelope.map((byte, index) => (index === at ? byte ^ 1 : byte));
    t.throws(() => check(flipped), INVALID, `byte ${at}`);
  }
  for (let length = 0; length < envelope.length; length += 1) t.throws(() => check(envelope.slice(0, length)), INVALID);
});
