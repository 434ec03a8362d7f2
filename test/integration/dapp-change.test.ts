/** A dapp's way through the charter: rehearsed, installed, upgraded, rolled back, removed. Needs runc and root. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Api, initHome, newDapp, openApi } from "../../lib/agent/index.ts";
import { containersMissing } from "../support/dapp-containers.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const test = (containersMissing() === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;

type Call = Api["call"];

async function start(t: ExecutionContext): Promise<{ call: Call; folder: string }> {
  const under = await temporaryFolder(t);
  const root = join(under, "home");
  await initHome({ root, organisation: "Test space", nodeName: "office", config: {} });
  const api = await openApi(root);
  t.teardown(() => api.close());
  return { call: (method, params) => api.call(method, params), folder: await newDapp("quota", "c", under) };
}

/** Another version of the folder's dapp. */
function revise(folder: string, version: string, file: string, [from, to]: readonly [RegExp, string]): void {
  const manifest = join(folder, "dapp.yaml");
  writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/version: .*/, `version: ${version}`));
  writeFileSync(join(folder, file), readFileSync(join(folder, file), "utf8").replace(from, to));
}

const append = (call: Call, amount: number): Promise<{ id: string }> =>
  call("append", { app: "quota", acts: [{ type: "use", body: { amount } }] });
const use = (call: Call, amount: number): Promise<unknown> =>
  call("call", { app: "quota", command: "use", args: { amount } });

test("[D8] an upgrade says which verdicts it would change; one that fails leaves the old one; back, and away", async (t) => {
  const { call, folder } = await start(t);
  const first = await call("installDapp", { path: folder });
  t.is(first.rehearsal.entries, 0);
  await call("merge", {});
  const counted = await append(call, 60);
  const voided = await append(call, 60);
  const { merges } = await call("merge", {});
  t.deepEqual(
    merges[0].void.map(({ reason }: { reason: string }) => reason),
    ["use: office has used 60 of 100"],
  );

  revise(folder, "1.1.0", "src/quota.h", [/LIMIT 100/, "LIMIT 50"]);
  const seen = await call("installDapp", { path: folder, isOnlyRehearsed: true });
  t.is(seen.entry, undefined);
  const now = "use: office has used 0 of 50";
  t.deepEqual(
    new Set(seen.rehearsal.changed.map((each: object) => JSON.stringify(each))),
    new Set([
      JSON.stringify({ id: counted.id, h: 1, was: null, now }),
      JSON.stringify({ id: voided.id, h: 1, was: "use: office has used 60 of 100", now }),
    ]),
  );
  t.is(seen.rehearsal.keys, 1);
  t.deepEqual((await call("installDapp", { path: folder })).rehearsal, seen.rehearsal);
  await call("merge", {});
  await t.throwsAsync(use(call, 1), { message: "quota use: you have used 60 of 50" });

  revise(folder, "1.2.0", "src/main.c", [/(int main\(void\) \{)/, "$1\n  return 3;"]);
  await t.throwsAsync(call("installDapp", { path: folder }), {
    code: "REFUSED",
    message: /^quota 1\.2\.0 does not get through the history: at height 1: quota ended with status 3/,
  });
  await call("merge", {});
  await t.throwsAsync(use(call, 1), { message: "quota use: you have used 60 of 50" });

  t.is((await call("rollBackDapp", { name: "quota" })).version, "1.0.0");
  await call("merge", {});
  await use(call, 40);
  t.is((await call("merge", {})).merges[0].void.length, 0);

  await call("removeDapp", { name: "quota" });
  await call("merge", {});
  await t.throwsAsync(use(call, 1), { code: "NOT_FOUND", message: "no dapp is called quota" });
  await t.throwsAsync(call("rollBackDapp", { name: "quota" }), { code: "NOT_FOUND" });
});

test("[D8] the charter names the rehearsal, and what it says is in the store", async (t) => {
  const { call, folder } = await start(t);
  const { entry, rehearsal } = await call("installDapp", { path: folder });
  const [act] = (await call("show", { id: entry })).payload.acts;
  t.regex(act[1].rehearsal, /^[0-9a-f]{64}$/);
  t.is(rehearsal.failure, undefined);
  await call("merge", {});
  t.is((await call("status")).dapps.length, 1);
});

test("a dapp that is only advisory keeps nothing out", async (t) => {
  const { call, folder } = await start(t);
  revise(folder, "1.0.0", "dapp.yaml", [/class: gate/, "class: advisory"]);
  await call("installDapp", { path: folder });
  await call("govern", { acts: [{ type: "role.set", body: { role: "quartermaster", rights: ["quota"] } }] });
  await call("govern", { acts: [{ type: "role.grant", body: { principal: "office", role: "quartermaster" } }] });
  await call("merge", {});
  await append(call, 60);
  await call("append", { app: "quota", acts: [{ type: "limit", body: { member: "office", max: 10 } }] });
  const { merges } = await call("merge", {});
  t.deepEqual(merges[0].void, []);
  t.deepEqual((await call("query", { app: "quota", query: "used", args: "office" })).value, { used: 60, limit: 10 });
});

/** The second form has `spent/` for `used/`, and knows the way there and back. */
const MIGRATE = `static void migrate(const struct json *params) {
  int is_up = json_field(params, "to")->integer == 2;
  long long used = ask(is_up ? "used/office" : "spent/office").number;
  fprintf(out, "{\\"changes\\":[[\\"%s/office\\",%lld],[\\"%s/office\\",null]]}", is_up ? "spent" : "used", used, is_up ? "used" : "spent");
}

static void answer(`;

test("[D8] [D9] a broken first version is refused; an upgrade moves the state, on each branch, and a roll-back moves it back", async (t) => {
  const { call, folder } = await start(t);
  const broken = [/(int main\(void\) \{)/, "$1\n  return 3;"] as const;
  revise(folder, "0.9.0", "src/main.c", broken);
  await t.throwsAsync(call("installDapp", { path: folder }), {
    code: "REFUSED",
    message: /^quota 0\.9\.0 does not get through the history: at height 1: quota ended with status 3/,
  });
  revise(folder, "1.0.0", "src/main.c", [/\n {2}return 3;/, ""]);
  await call("installDapp", { path: folder });
  await call("merge", {});
  await append(call, 60);
  await call("merge", {});
  const [main] = (await call("branches", { name: "main" })).branches;
  const { h, head } = main.lines[0];
  const fork = { name: "trial", policy: main.policy, from: ["main", h, head] };
  await call("govern", { acts: [{ type: "branch.set", body: fork }] });
  await call("merge", {});
  await call("append", { app: "quota", branch: "trial", acts: [{ type: "use", body: { amount: 30 } }] });
  await call("merge", {});

  revise(folder, "2.0.0", "src/main.c", [/"used\/", member/g, '"spent/", member']);
  revise(folder, "2.0.0", "src/main.c", [/static void answer\(/, MIGRATE]);
  revise(folder, "2.0.0", "src/main.c", [
    /if \(strcmp\(method, "reduce"\)/,
    'if (strcmp(method, "migrate") == 0) migrate(params);\n  else $&',
  ]);
  revise(folder, "2.0.0\nform: 2", "src/quota.h", [/LIMIT 100/, "LIMIT 100"]);
  const { rehearsal } = await call("installDapp", { path: folder });
  t.like(rehearsal, { branch: "main", entries: 1, changed: [], moved: 3 });
  t.like(rehearsal.others, [{ branch: "trial", entries: 1, changed: [], moved: 3 }]);
  await call("merge", {});
  const used = async (): Promise<unknown> =>
    (await call("query", { app: "quota", query: "used", args: "office" })).value.used;
  t.is(await used(), 60, "before the merge that moves it");
  await append(call, 10);
  t.deepEqual((await call("merge", {})).merges[0].void, []);
  t.is(await used(), 70);

  t.like((await call("rollBackDapp", { name: "quota" })).rehearsal, { changed: [], moved: 3 });
  await call("merge", {});
  await append(call, 30);
  t.deepEqual((await call("merge", {})).merges[0].void, []);
  t.is(await used(), 100);
});
