import test from "ava";
import {
  type Decision,
  decide,
  decodePolicy,
  encodeSwipe,
  type PolicyInForce,
  signPolicy,
  swipeEvent,
} from "../../../../lib/access/index.ts";
import { toHex } from "../../../../lib/base/bytes.ts";
import type { Hash } from "../../../../lib/base/hash.ts";
import type { Canonical } from "../../../../lib/codec/canonical.ts";
import { keyFromSeed } from "../../../../lib/codec/keys.ts";
import { ask, entryOf, Harness, MemoryState, type Merged, merge, withSchemas } from "../../../sdk/testing.ts";
import { compilePolicy } from "../compile.ts";
import { door as plain } from "../door.ts";

/** Where the schemas are written; this runs from dist/images/dapps/door/test. */
const folder = new URL("../../../../../images/dapps/door/", import.meta.url);
const door = withSchemas(plain, folder);

const ADA = "a".repeat(32);
const STRUCK = "b".repeat(32);
const UNKNOWN = "c".repeat(32);
const POLICY = "d".repeat(64) as Hash;
const DAY = 1_760_000_000_000;
const edition = { generation: 1, height: 0, issuedMs: DAY, softMs: DAY + 1000, hardMs: DAY + 2000 };

/** Members, two doors and their first snapshot, published. */
async function space(): Promise<{ state: MemoryState; inForce: PolicyInForce }> {
  const state = new MemoryState("door");
  state.set("person/ada", { name: "Ada", level: -1, status: "active" }, "membership");
  state.set(`credential/${ADA}`, { person: "ada", status: "active" }, "membership");
  state.set(`credential/${STRUCK}`, { person: "ada", status: "denied" }, "membership");
  const grants = entryOf([
    ["grant.set", { door: "front-door" }],
    ["grant.set", { door: "laser-1", minLevel: 1 }],
  ]);
  const { after } = await merge(door, [grants], state);
  const bytes = await compilePolicy(after, edition);
  after.setBlob(POLICY, bytes);
  after.set(`policy/${POLICY}`, { generation: 1, height: 0 });
  after.set("latest", { policy: POLICY, generation: 1, height: 0 });
  return { state: after, inForce: { id: POLICY, policy: decodePolicy(bytes) } };
}

const circumstances = {
  reader: "r",
  quality: "system",
  mono: 5n,
  boot: 1,
  bits: 26,
  latencyUs: 9,
  at: DAY + 1,
} as const;

function swiped(
  inForce: PolicyInForce | undefined,
  ref: string,
  where = "front-door",
): [Record<string, Canonical>, Decision] {
  const decision = decide(inForce, { frame: { ok: true }, ref, door: where, wallMs: DAY + 1, clockQuality: "system" });
  return [encodeSwipe(swipeEvent({ ...circumstances, door: where }, decision)) as Record<string, Canonical>, decision];
}

test("[A2] swipes that follow from the snapshot that they name pass and are counted", async (t) => {
  const { state, inForce } = await space();
  const swipes = [ADA, STRUCK, UNKNOWN].map((ref) => swiped(inForce, ref)[0]);
  const laser = swiped(inForce, ADA, "laser-1")[0];
  const frameError = encodeSwipe(
    swipeEvent(
      { ...circumstances, door: "front-door", bits: 25 },
      decide(inForce, {
        frame: { ok: false, reason: "frame_length" },
        door: "front-door",
        wallMs: DAY + 1,
        clockQuality: "system",
      }),
    ),
  );
  const acts = [...swipes, laser, frameError].map((body) => ["swipe", body as Canonical] as const);
  const { outcomes, verdict, after } = await merge(door, [entryOf(acts, { rights: ["append"] })], state);
  t.is(outcomes[0]?.void, undefined);
  t.deepEqual(verdict, { verdict: "PASS" });
  const summary = (await ask(door, "summary", null, after)) as { doors: Record<string, unknown> };
  const expected = {
    "front-door": { frames: 4, granted: 1, frameErrors: 1, denied: { credential_denied: 1, unknown_credential: 1 } },
    "laser-1": { frames: 1, granted: 0, frameErrors: 0, denied: { level_too_low: 1 } },
  };
  t.deepEqual({ ...summary.doors }, expected);
});

test("[A2] each forged part of a swipe is found, with the entry's name", async (t) => {
  const { state, inForce } = await space();
  const [honest] = swiped(inForce, UNKNOWN);
  const [granted] = swiped(inForce, ADA);
  const forged: [Record<string, Canonical>, RegExp][] = [
    [{ ...honest, outcome: "grant" }, /outcome is grant, but deny follows/],
    [{ ...honest, reason: "credential_denied" }, /reason is credential_denied, but unknown_credential follows/],
    [
      { ...honest, outcome: "grant", reason: "granted", rule: "level>=-128", person: "ada" },
      /outcome is grant, but deny follows/,
    ],
    [{ ...granted, person: "bob" }, /person is bob, but ada follows/],
    [{ ...granted, rule: "level>=5" }, /rule is level>=5, but level>=-128 follows/],
    [{ ...granted, door: "laser-1" }, /outcome is grant, but deny follows/],
    [{ ...granted, cred: STRUCK }, /outcome is grant, but deny follows/],
    [{ ...granted, at: DAY + 1500 }, /alarm is null, but policy-stale follows/],
    [{ ...granted, policy: null }, /outcome is grant, but deny follows/],
    [{ ...granted, policy: "e".repeat(64) }, /names the snapshot e{64}, which nobody published/],
  ];
  for (const [body, finding] of forged) {
    const entry = entryOf([["swipe", body]], { rights: ["append"], principal: "front" });
    const { verdict } = await merge(door, [entryOf([["swipe", granted]]), entry], state);
    t.is(verdict.verdict, "FAIL");
    const findings = "findings" in verdict ? verdict.findings : [];
    t.is(findings.length, 1);
    t.true(findings[0]?.startsWith(`entry ${entry.id} of front: swipe `));
    t.regex(findings[0] ?? "", finding);
  }
});

test("[A2] a snapshot that is published but not held is an error, not a verdict", async (t) => {
  const { state, inForce } = await space();
  const other = "f".repeat(64);
  state.set(`policy/${other}`, { generation: 2, height: 1 });
  const body = { ...swiped(inForce, ADA)[0], policy: other };
  await t.throwsAsync(merge(door, [entryOf([["swipe", body]])], state), { message: `no content ${other}` });
});

test("a malformed swipe is void and not counted", async (t) => {
  const { state, inForce } = await space();
  const [body] = swiped(inForce, ADA);
  const { outcomes, verdict, after } = await merge(door, [entryOf([["swipe", { ...body, bits: -1 }]])], state);
  t.is(outcomes[0]?.void, "swipe: swipe: bits is missing or malformed");
  t.is(verdict.verdict, "PASS");
  t.is(await after.get("count/front-door"), undefined);
});

test("[A1] who lacks the right grants nothing and publishes nothing", async (t) => {
  const { state } = await space();
  const rights = ["append", "members"];
  const entries = [
    entryOf([["grant.set", { door: "front-door" }]], { rights, principal: "laser" }),
    entryOf([["policy.publish", { policy: POLICY, generation: 2, height: 1 }]], { rights, principal: "laser" }),
  ];
  const { outcomes, after } = await merge(door, entries, state);
  t.deepEqual(
    outcomes.map((outcome) => outcome.void),
    ["grant.set: laser does not have the right door", "policy.publish: laser does not have the right policy"],
  );
  t.deepEqual(await after.get("latest"), await state.get("latest"));
});

let published = 0;
const issuer = keyFromSeed(new Uint8Array(32).fill(7));

async function publish(state: MemoryState, fields: object, bytes: Uint8Array, height: number): Promise<Merged> {
  published += 1;
  const policy = published.toString(16).padStart(64, "9");
  state.setBlob(policy, bytes);
  const signature = toHex(signPolicy(bytes, issuer).signature);
  const body = { policy, generation: 2, height: 4, issuer: issuer.publicKey, signature, ...fields };
  return merge(door, [entryOf([["policy.publish", body]], { author: issuer.publicKey })], state, height);
}

function findingOf({ verdict }: Merged): string {
  return verdict.verdict === "FAIL" ? (verdict.findings[0] ?? "") : "";
}

test("a published snapshot is compiled again from the state that it claims", async (t) => {
  const { state } = await space();
  const good = await compilePolicy(state, { ...edition, generation: 2, height: 4 });
  t.is((await publish(state, {}, good, 5)).verdict.verdict, "PASS");
  const richer = state.copy();
  richer.set(`credential/${UNKNOWN}`, { person: "ada", status: "active" }, "membership");
  const smuggled = await compilePolicy(richer, { ...edition, generation: 2, height: 4 });
  t.regex(findingOf(await publish(state, {}, smuggled, 5)), /is not what the state at height 4 compiles to/);
});

test("a published snapshot is of the generation and height that its act says", async (t) => {
  const { state } = await space();
  const bytes = await compilePolicy(state, { ...edition, generation: 3, height: 4 });
  t.regex(findingOf(await publish(state, {}, bytes, 9)), /is generation 3, not 2/);
  const other = await compilePolicy(state, { ...edition, generation: 2, height: 5 });
  t.regex(findingOf(await publish(state, {}, other, 9)), /is of height 5, not 4/);
});

test("a published snapshot is signed by the author of its entry", async (t) => {
  const { state } = await space();
  const bytes = await compilePolicy(state, { ...edition, generation: 2, height: 4 });
  const forged = { signature: "0".repeat(128) };
  t.regex(findingOf(await publish(state, forged, bytes, 9)), /has a signature that does not hold/);
  const { outcomes } = await publish(state, { issuer: "b".repeat(64) }, bytes, 9);
  t.is(outcomes[0]?.void, "policy.publish: the issuer is not the author of the entry");
});

test("a generation that does not grow is void", async (t) => {
  const { state } = await space();
  const { outcomes } = await publish(state, { generation: 1 }, new Uint8Array(), 9);
  t.is(outcomes[0]?.void, "policy.publish: generation 1 does not follow 1");
});

test("the query policy gives bytes that decide, equal for equal states", async (t) => {
  const { state } = await space();
  const answer = (await ask(door, "policy", edition, state)) as { policy: Uint8Array };
  t.deepEqual(answer.policy, await compilePolicy(state.copy(), edition));
  const policy = decodePolicy(answer.policy);
  t.is(policy.doors.get("front-door")?.minLevel, -128);
  t.is(policy.credentials.size, 2);
  t.deepEqual(await ask(door, "latest", null, state), { policy: POLICY, generation: 1, height: 0 });
});

test("a grant asks for dues and certificates; the snapshot carries until when, and says why not", async (t) => {
  const { state } = await space();
  state.set("dues/ada", { untilMs: DAY + 500 }, "membership");
  state.set("certificate/ada/lathe", { untilMs: DAY + 100 }, "certification");
  state.set("certificate/ada/safety", { untilMs: DAY + 900, revoked: { by: "rosa", reason: "x" } }, "certification");
  const grant = { door: "lathe", membership: true, certificates: ["safety", "lathe"] };
  const { outcomes, after } = await merge(door, [entryOf([["grant.set", grant]])], state);
  t.is(outcomes[0]?.void, undefined);
  const accessAt = async (at: number) => ask(door, "access", { person: "ada", at }, after);
  t.deepEqual(await accessAt(DAY + 100), {
    "front-door": { may: true, reasons: [], grace: false },
    "laser-1": { may: false, reasons: [["level_too_low", "level>=1"]], grace: false },
    lathe: {
      may: false,
      reasons: [
        ["certificate_expired", "certificate:lathe"],
        ["certificate_revoked", "certificate:safety"],
      ],
      grace: false,
    },
  });
  after.set("certificate/ada/safety", {}, "certification");
  t.like(await accessAt(DAY + 99), { lathe: { may: true } });
  after.set("waiver/ada", { reason: "helps" }, "membership");
  t.like(await accessAt(DAY + 10_000), { lathe: { reasons: [["certificate_expired", "certificate:lathe"]] } });
  after.set("waiver/ada", { reason: "helps", untilMs: DAY + 400 }, "membership");
  t.like(await accessAt(DAY + 500), {
    lathe: {
      reasons: [
        ["membership_expired", "membership"],
        ["certificate_expired", "certificate:lathe"],
      ],
    },
  });
  const policy = decodePolicy(await compilePolicy(after, edition));
  t.deepEqual(policy.doors.get("lathe"), { minLevel: -128, graceMs: 0, certificates: ["lathe", "safety"] });
  t.is(await ask(door, "access", { person: "eve", at: 1 }, after), null);
});

test("a grant that contradicts itself is void", async (t) => {
  const { state } = await space();
  const grants = [
    { door: "x", graceHours: 1 },
    { door: "x", certificates: ["No Such"] },
    { door: "x", membership: true, graceHours: 9000 },
  ];
  const { outcomes } = await merge(
    door,
    grants.map((body) => entryOf([["grant.set", body]])),
    state,
  );
  t.deepEqual(
    outcomes.map((outcome) => outcome.void),
    [
      "grant.set: graceHours is for doors that ask for membership",
      "grant.set: certificates must be a list of at most 16, each a course's name of a to z, 0 to 9 and -, or absent",
      "grant.set: graceHours must be an integer from 0 to 8784, or absent",
    ],
  );
});

test("a grant that ends opens the door to nobody; both are commands [D7]", async (t) => {
  const dapp = await Harness.open(plain, folder, { others: { membership: {}, certification: {} } });
  const keeper = { by: "keeper", rights: ["append", "door"] };
  const refused = (name: string, args: object, message: string, by = keeper) =>
    t.throwsAsync(dapp.command(name, args, by), { message: `door ${name}: ${message}` });
  await refused("grant.end", { door: "lathe" }, "lathe opens to nobody already");
  await refused("grant.set", { door: "lathe", graceHours: 1 }, "graceHours is for doors that ask for membership");
  await refused("grant.set", { door: "lathe", minLevel: 200 }, "minLevel must be at most 127");
  await refused("grant.set", { door: "lathe" }, "kim does not have the right door", { by: "kim", rights: ["append"] });
  const grants: unknown[] = [];
  for (const [name, args] of [
    ["grant.set", { door: "lathe", minLevel: 1 }],
    ["grant.end", { door: "lathe" }],
  ] as const) {
    const acts = await dapp.command(name, args, keeper);
    t.deepEqual(acts, [[name, args]]);
    t.deepEqual((await dapp.merge([{ ...keeper, acts }])).voids, {});
    grants.push(await dapp.query("grants", null));
  }
  t.deepEqual(grants, [{ lathe: { minLevel: 1 } }, {}]);
});
