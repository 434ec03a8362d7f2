import test from "ava";
import { ask, entryOf, Harness, MemoryState, merge, mergeInput, withSchemas } from "../../../sdk/testing.ts";
import { membership as plain } from "../membership.ts";

/** Where the schemas are written; this runs from dist/images/dapps/membership/test. */
const folder = new URL("../../../../../images/dapps/membership/", import.meta.url);
const membership = withSchemas(plain, folder);

const REF = "0123456789abcdef0123456789abcdef";
const OTHER_REF = "f".repeat(32);
const ada = ["person.put", { id: "ada", name: "Ada", level: 0, status: "active" }] as const;
const bob = ["person.put", { id: "bob", name: "Bob", level: -1, status: "active" }] as const;
const cardOf = (person: string, ref = REF) => ["credential.put", { ref, person, status: "active" }] as const;

const empty = (): MemoryState => new MemoryState("membership");
const reasons = (outcomes: readonly { void?: string }[]): (string | undefined)[] => outcomes.map((item) => item.void);

test("people and credentials are put, with an event for the dapps that read them", async (t) => {
  const { outcomes, verdict, after } = await merge(membership, [entryOf([ada, cardOf("ada")])], empty());
  t.is(verdict.verdict, "PASS");
  t.deepEqual(await after.get("person/ada"), { name: "Ada", level: 0, status: "active" });
  t.deepEqual(await after.get(`credential/${REF}`), { person: "ada", status: "active" });
  t.deepEqual(outcomes[0]?.events, [
    { type: "person", id: "ada", level: 0, status: "active" },
    { type: "credential", ref: REF, person: "ada", status: "active" },
  ]);
});

test("an entry without the right is void, with the reason, and changes nothing", async (t) => {
  const { outcomes, after } = await merge(
    membership,
    [entryOf([ada], { principal: "laser", rights: ["append"] })],
    empty(),
  );
  t.deepEqual(reasons(outcomes), ["person.put: laser does not have the right members"]);
  t.is(await after.get("person/ada"), undefined);
});

test("an entry of which one act is refused is void as a whole", async (t) => {
  const { outcomes, after } = await merge(membership, [entryOf([ada, cardOf("nobody")])], empty());
  t.deepEqual(reasons(outcomes), ["credential.put: there is no person nobody"]);
  t.is(await after.get("person/ada"), undefined);
});

test("a credential belongs to one person until it is revoked", async (t) => {
  const entries = [
    entryOf([ada, bob, cardOf("ada")]),
    entryOf([cardOf("bob")]),
    entryOf([["credential.revoke", { ref: REF }]]),
    entryOf([cardOf("bob")]),
  ];
  const { outcomes, verdict, after } = await merge(membership, entries, empty());
  const refused = `credential.put: credential ${REF} is ada's: revoke it first`;
  t.deepEqual(reasons(outcomes), [undefined, refused, undefined, undefined]);
  t.is(verdict.verdict, "PASS");
  t.deepEqual(await after.get(`credential/${REF}`), { person: "bob", status: "active" });
});

test("a person is disabled and stays, with name and level", async (t) => {
  const entries = [entryOf([bob]), entryOf([["person.status", { id: "bob", status: "disabled" }]])];
  const { after } = await merge(membership, entries, empty());
  t.deepEqual(await after.get("person/bob"), { name: "Bob", level: -1, status: "disabled" });
});

test("what does not fit is void and named", async (t) => {
  const person = { id: "ada", name: "Ada", level: 0, status: "active" };
  const credential = { ref: REF, person: "ada", status: "active" };
  const cases: [string, unknown, string][] = [
    ["person.put", { ...person, level: 128 }, "person.put: level must be an integer from -128 to 127"],
    ["person.put", { ...person, level: 0n }, "person.put: level must be an integer from -128 to 127"],
    ["person.put", { ...person, id: "é".repeat(33) }, "person.put: id must be text of 1 to 64 bytes"],
    ["person.put", { ...person, status: "Active" }, "person.put: status must be active or disabled"],
    ["person.put", { ...person, extra: 1 }, "person.put: there is no field extra"],
    ["person.put", [], "person.put: its body is no map"],
    [
      "credential.put",
      { ...credential, ref: REF.toUpperCase() },
      "credential.put: ref must be a reference of 32 hex digits",
    ],
    ["credential.put", { ...credential, status: "allowed" }, "credential.put: status must be active or denied"],
    ["credential.revoke", { ref: OTHER_REF }, `credential.revoke: there is no credential ${OTHER_REF}`],
    ["person.status", { id: "eve", status: "active" }, "person.status: there is no person eve"],
    ["__proto__", {}, "there is no act __proto__"],
    ["person.delete", { id: "ada" }, "there is no act person.delete"],
  ];
  for (const [type, body, reason] of cases) {
    const { outcomes } = await merge(membership, [entryOf([[type, body as never]])], empty());
    t.deepEqual(reasons(outcomes), [reason]);
  }
});

const seed = "5".repeat(64);

test("the test finds a credential of nobody and one that changed hands", async (t) => {
  const input = { height: 2, seed, entries: [entryOf([cardOf("ada")])], events: [] };
  const after = empty();
  after.set(`credential/${REF}`, { person: "ada", status: "active" });
  const before = empty();
  before.set(`credential/${REF}`, { person: "bob", status: "active" });
  const id = input.entries[0]?.id;
  t.deepEqual(await membership.test?.(input, before, after), {
    verdict: "FAIL",
    findings: [`entry ${id}: credential ${REF} is of nobody`, `entry ${id}: credential ${REF} passed from bob to ada`],
  });
});

test("queries: person, card, list in pages, count", async (t) => {
  const entries = [
    entryOf([ada, bob, cardOf("ada")]),
    entryOf([["credential.put", { ref: OTHER_REF, person: "ada", status: "denied", note: "lost" }]]),
  ];
  const { after } = await merge(membership, entries, empty());
  const idsOf = (people: unknown): string[] => (people as { id: string }[]).map(({ id }) => id);
  t.like(await ask(membership, "person", { id: "ada" }, after), {
    level: 0,
    credentials: [
      { ref: REF, status: "active" },
      { ref: OTHER_REF, status: "denied" },
    ],
  });
  t.is(await ask(membership, "person", { id: "eve" }, after), null);
  t.deepEqual(await ask(membership, "card", { ref: OTHER_REF }, after), {
    ref: OTHER_REF,
    status: "denied",
    note: "lost",
    person: { id: "ada", name: "Ada", level: 0, status: "active" },
  });
  t.deepEqual(idsOf(await ask(membership, "list", { limit: 1 }, after)), ["ada"]);
  t.deepEqual(idsOf(await ask(membership, "list", { after: "ada" }, after)), ["bob"]);
  t.deepEqual(await ask(membership, "count", null, after), { people: 2, credentials: { active: 1, denied: 1 } });
});

const paid = (person: string, untilMs: number, at = 1, app = "accounting") => ({
  app,
  entry: "e",
  at,
  event: { type: "dues", person, untilMs },
});
const standingOf = async (after: MemoryState, at: number, id = "ada"): Promise<unknown> =>
  ask(membership, "standing", { id, at }, after);

test("dues are what accounting says last, in the ledger's order; nobody else's word counts", async (t) => {
  const events = [paid("ada", 500, 7), paid("ada", 900, 3), paid("ada", 9999, 9, "door")];
  const { after, verdict } = await mergeInput(
    membership,
    { height: 1, seed, entries: [entryOf([ada])], events },
    empty(),
  );
  t.is(verdict.verdict, "PASS");
  t.deepEqual(await standingOf(after, 499), { standing: "active", untilMs: 500, waiver: null });
  t.like(await standingOf(after, 500), { standing: "lapsed" });
  const { after: undone } = await mergeInput(
    membership,
    { height: 2, seed, entries: [], events: [paid("ada", 0)] },
    after,
  );
  t.deepEqual(await standingOf(undone, 1), { standing: "never paid", untilMs: 0, waiver: null });
});

test("an event that is none of membership's business changes nothing", async (t) => {
  const odd = [
    { type: "dues", person: 7, untilMs: 5 },
    { type: "dues", person: "ada", untilMs: "x" },
    { type: "invoice" },
    {},
  ];
  const events = odd.map((event) => ({ app: "accounting", entry: "e", at: 1, event }));
  const { after } = await mergeInput(membership, { height: 1, seed, entries: [], events }, empty());
  for await (const [key] of after.scan("")) t.fail(key);
  t.pass();
});

test("the office may waive dues, for a time or for good, and take that back", async (t) => {
  const waive = (fields: object) => entryOf([["dues.waive", { id: "ada", reason: "cleans the shop", ...fields }]]);
  const end = entryOf([["dues.waive.end", { id: "ada" }]]);
  const { after } = await merge(membership, [entryOf([ada]), waive({ untilMs: 50 })], empty());
  t.like(await standingOf(after, 49), { standing: "active", untilMs: 50, waiver: { reason: "cleans the shop" } });
  t.like(await standingOf(after, 50), { standing: "lapsed" });
  const forGood = await merge(membership, [waive({})], after);
  t.like(await standingOf(forGood.after, 1e15), { standing: "active", untilMs: null });
  const over = await merge(
    membership,
    [end, end, entryOf([["dues.waive", { id: "eve", reason: "x" }]])],
    forGood.after,
  );
  t.deepEqual(reasons(over.outcomes), [
    undefined,
    "dues.waive.end: ada has no waiver",
    "dues.waive: there is no person eve",
  ]);
  t.like(await standingOf(over.after, 1), { standing: "never paid" });
});

test("a command is its act for whoever holds the right, refused at once for what a merge would refuse [D7]", async (t) => {
  const dapp = await Harness.open(plain, folder);
  const office = { by: "office", rights: ["append", "members"] };
  const person = { id: "ada", name: "Ada", level: 0, status: "active" };
  const credential = { ref: REF, person: "ada", status: "active" };
  const refused = (name: string, args: object, message: string, by = office) =>
    t.throwsAsync(dapp.command(name, args, by), { message: `membership ${name}: ${message}` }, name);

  await refused("credential.put", credential, "there is no person ada");
  await dapp.merge([{ ...office, acts: await dapp.command("person.put", person, office) }]);
  await refused("dues.waive.end", { id: "ada" }, "ada has no waiver");
  for (const [name, args] of [
    ["credential.put", credential],
    ["dues.waive", { id: "ada", untilMs: 5, reason: "cleans the shop" }],
    ["person.status", { id: "ada", status: "disabled" }],
    ["dues.waive.end", { id: "ada" }],
    ["credential.revoke", { ref: REF }],
  ] as const) {
    const acts = await dapp.command(name, args, office);
    t.deepEqual(acts, [[name, args]]);
    t.deepEqual((await dapp.merge([{ ...office, acts }])).voids, {}, name);
  }
  await refused("credential.revoke", { ref: REF }, `there is no credential ${REF}`);
  await refused("person.put", { ...person, level: 128 }, "level must be at most 127");
  await refused("person.put", person, "ada does not have the right members", { by: "ada", rights: ["append"] });
});
