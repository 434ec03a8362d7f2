/**
 * Dues, training and a door, each in its own container, speaking only through the ledger: from a bank
 * statement and a trainer's word to what the door's snapshot says, and out again as journal and badge.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { type Api, exportJournal, importBank, importJournal, initHome, openApi } from "../../lib/agent/index.ts";
import { containersMissing } from "../support/dapp-containers.ts";

const missing = containersMissing();
const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const folder = mkdtempSync(join(tmpdir(), "gdo-dues-"));
const DAY_MS = 86_400_000;
const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const REF = "a".repeat(32);

anyTest.after.always(() => rmSync(folder, { recursive: true, force: true }));

const act = (type: string, body: object) => ({ type, body });
const query = async (api: Api, app: string, name: string, args: object): Promise<unknown> =>
  ((await api.call("query", { app, query: name, args })) as { value: unknown }).value;

/** Merges until nothing waits: a merge may publish a snapshot, which is one more entry. Gives the void entries. */
async function settle(api: Api): Promise<unknown[]> {
  const voids: unknown[] = [];
  for (let round = 0; round < 5; round += 1) {
    const { merges } = (await api.call("merge", {})) as { merges: { included: number; void: unknown[] }[] };
    voids.push(...merges.flatMap((merge) => merge.void));
    if (merges.every(({ included }) => included === 0)) return voids;
  }
  throw new Error("there is always something to merge");
}

async function found(): Promise<Api> {
  const root = join(folder, "office");
  await initHome({ root, organisation: "Dockside", nodeName: "office", config: {} });
  const api = await openApi(root);
  for (const name of ["accounting", "membership", "certification", "door"])
    await api.call("installDapp", { path: join(process.cwd(), "dist/dapps", name) });
  await settle(api);
  const course = { course: "lathe", name: "The lathe", description: "d", criteria: "c", trainers: ["rosa"] };
  const entries = {
    accounting: [
      act("currency.put", { currency: "EUR", digits: 2 }),
      act("account.open", { account: "income:dues" }),
      act("plan.put", {
        plan: "monthly",
        amount: 2500,
        currency: "EUR",
        account: "income:dues",
        months: 1,
        membership: true,
      }),
    ],
    membership: [
      act("person.put", { id: "kim", name: "Kim", level: 0, status: "active" }),
      act("credential.put", { ref: REF, person: "kim", status: "active" }),
    ],
    certification: [act("course.put", { ...course, prerequisites: [], validDays: 30 })],
    door: [act("grant.set", { door: "lathe", minLevel: 0, membership: true, certificates: ["lathe"] })],
  };
  for (const [app, acts] of Object.entries(entries)) await api.call("append", { app, acts });
  return api;
}

const RULES = `account: assets:bank
currency: EUR
columns: {date: Date, amount: Amount, text: Text}
rules:
  - {text: "dues ([a-z]+)", account: "income:dues", dues: monthly, person: $1}
`;

test("dues from a bank statement and a trainer's word open the lathe, until they end; journal and badge come out", async (t) => {
  const api = await found();
  t.teardown(() => api.close());
  t.deepEqual(await settle(api), []);
  const lathe = async (at: number): Promise<unknown> =>
    ((await query(api, "door", "access", { person: "kim", at })) as { lathe: { reasons: unknown } }).lathe.reasons;
  t.deepEqual(await lathe(today), [
    ["membership_missing", "membership"],
    ["certificate_missing", "certificate:lathe"],
  ]);

  const path = join(folder, "bank.csv");
  const rules = join(folder, "rules.yaml");
  writeFileSync(rules, RULES);
  writeFileSync(
    path,
    `Date,Amount,Text\n${dateOf(today)},25.00,Dues Kim\n${dateOf(today)},25.00,dues kmi\n${dateOf(today)},-3,?\n`,
  );
  const report = await importBank(api, { path, rules });
  t.like(report, { rows: 3, booked: 2, duplicates: 0, dues: 1 });
  t.deepEqual(
    report.problems.map(({ line, effect }) => [line, effect]),
    [
      [3, "booked, but pays nobody's dues"],
      [4, "left out"],
    ],
  );
  const award = { app: "certification", command: "award", args: { person: "kim", course: "lathe" } };
  const acts = [{ type: "certificate.sign-off", body: { person: "kim", course: "lathe", on: dateOf(today) } }];
  t.like(await api.call("call", award), { acts });
  t.deepEqual(await settle(api), []);
  t.deepEqual(await lathe(today), []);
  t.deepEqual(await lathe(today + 32 * DAY_MS), [
    ["membership_expired", "membership"],
    ["certificate_expired", "certificate:lathe"],
  ]);
  t.like(await importBank(api, { path, rules }), { booked: 0, duplicates: 2, entries: [] });

  const pieces: string[] = [];
  for await (const piece of await exportJournal(api)) pieces.push(piece);
  const balance = execFileSync("ledger", ["-f", "-", "balance", "assets:bank"], {
    input: pieces.join(""),
    encoding: "utf8",
  });
  t.regex(balance, /50\.00 EUR {2}assets:bank/);
  const journal = join(folder, "books.journal");
  writeFileSync(journal, pieces.join(""));
  t.like(await importJournal(api, journal), { rows: 2, booked: 0, duplicates: 2, entries: [] });

  const { badge } = (await api.call("badge", { person: "kim", course: "lathe" })) as { badge: Record<string, object> };
  t.like(badge, { type: ["VerifiableCredential", "OpenBadgeCredential"], issuer: { name: "Dockside" } });
  t.like(badge["proof"], { cryptosuite: "eddsa-jcs-2022", proofPurpose: "assertionMethod" });
  const statusList = "https://dockside.example/revoked.json";
  const listed = (await api.call("badge", { person: "kim", course: "lathe", statusList })) as object;
  t.like(listed, { badge: { credentialStatus: { statusListIndex: "0", statusListCredential: statusList } } });
  const { list } = (await api.call("statusList", { url: statusList })) as { list: object };
  t.like(list, { id: statusList, issuer: { name: "Dockside" }, proof: { proofPurpose: "assertionMethod" } });
  await t.throwsAsync(api.call("badge", { person: "kim", course: "laser" }), {
    code: "REFUSED",
    message: /has no certificate of laser/,
  });
});
