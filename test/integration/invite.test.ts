/** Invitations, with real processes: an agent that serves the broker, the commands, and devices that join. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { openApi } from "../../lib/agent/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const GDO = fileURLToPath(new URL("../../../bin/gdo", import.meta.url));
const run = promisify(execFile);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function gdo(home: string, ...words: string[]): Promise<Ran> {
  try {
    const { stdout, stderr } = await run(GDO, ["--home", home, ...words]);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

/** Starts `gdo agent` and waits until it is ready; ended with the test. */
async function agent(t: ExecutionContext, home: string): Promise<ChildProcess> {
  const child = spawn(GDO, ["--home", home, "--json", "agent"], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  t.teardown(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if ((JSON.parse(line) as { type: string }).type === "ready") break;
  }
  return child;
}

interface Office {
  readonly folder: string;
  readonly home: string;
}

async function office(t: ExecutionContext, name = "office"): Promise<Office> {
  const folder = await temporaryFolder(t);
  const home = join(folder, name);
  await gdo(home, "init", "Dockside Makers", "--node", name);
  appendFileSync(join(home, "config.yaml"), "embeddedBroker: {host: 127.0.0.1, port: 0}\nmerge: {everyMs: 100}\n");
  await agent(t, home);
  return { folder, home };
}

async function invited(home: string, ...words: string[]): Promise<string> {
  const { code, out, err } = await gdo(home, "--json", "invite", ...words);
  if (code !== 0) throw new Error(err);
  return (JSON.parse(out) as { token: string }).token;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(50);
  }
}

test("ledger: an invited device joins as a new principal, comes into step and records; its person invites another", async (t) => {
  const { folder, home } = await office(t);
  const token = await invited(home, "ada", "--role", "device");
  const laptop = join(folder, "laptop");
  const joined = await gdo(laptop, "join", token, "--node", "laptop");
  t.is(joined.code, 0, joined.err);
  t.regex(joined.out, /organisation {2}Dockside Makers [0-9a-f]{64}\nnode {10}laptop of ada, key/);
  await agent(t, laptop);
  await until(async () => ((await gdo(laptop, "charter")).out.includes("laptop of ada") ? true : undefined));
  t.is((await gdo(laptop, "append", "notes", "note", "{}")).code, 0);
  const tablet = join(folder, "tablet");
  const second = await gdo(tablet, "join", await invited(laptop, "ada"), "--node", "tablet");
  t.is(second.code, 0, second.err);
  await until(async () => ((await gdo(home, "charter")).out.includes("tablet of ada") ? true : undefined));
});

test("ledger: a token is refused that was used, has expired, was changed, or is of another organisation", async (t) => {
  const { folder, home } = await office(t);
  const token = await invited(home, "ada", "--role", "device");
  t.is((await gdo(join(folder, "a"), "join", token, "--node", "a")).code, 0);
  const twice = await gdo(join(folder, "b"), "join", token, "--node", "b");
  t.deepEqual(twice, {
    code: 1,
    out: "",
    err: "gdo: the token is used already\nhint: ask for a new one: gdo invite\n",
  });
  const short = await invited(home, "ben", "--role", "device", "--expires", "1s");
  await sleep(1_100);
  const late = await gdo(join(folder, "c"), "join", short, "--node", "c");
  t.deepEqual(late, { code: 1, out: "", err: "gdo: the token has expired\nhint: ask for a new one: gdo invite\n" });
  const good = await invited(home, "ben", "--role", "device");
  const place = good.length >> 1;
  const bent = `${good.slice(0, place)}${good[place] === "A" ? "B" : "A"}${good.slice(place + 1)}`;
  const changed = await gdo(join(folder, "d"), "join", bent, "--node", "d");
  t.is(changed.code, 12);
  t.regex(changed.err, /the token was changed or cut on its way\nhint: copy it again/);
  const cut = await gdo(join(folder, "d"), "join", good.slice(0, -9), "--node", "d");
  t.regex(cut.err, /the token was changed or cut/);
  const other = await office(t, "other");
  const foreign = await gdo(other.home, "join", good, "--node", "x");
  t.is(foreign.code, 5);
  t.regex(foreign.err, /is a home of another organisation\nhint: join with another --home/);
  t.is(
    (await gdo(join(folder, "d"), "join", good, "--node", "d")).code,
    0,
    "what was refused on the way is still good",
  );
});

test("ledger: who may not admit may not invite, and an unanswered request says what to look at", async (t) => {
  const { folder, home } = await office(t);
  const laptop = join(folder, "laptop");
  await gdo(laptop, "join", await invited(home, "ada", "--role", "device"), "--node", "laptop");
  await agent(t, laptop);
  await until(async () => ((await gdo(laptop, "charter")).out.includes("laptop of ada") ? true : undefined));
  const refused = await gdo(laptop, "invite", "eve", "--role", "device");
  t.is(refused.code, 1);
  t.regex(refused.err, /principal.add: ada has not the right govern\nhint: ask one who has it: office/);
  const unknown = await gdo(home, "invite", "nobody");
  t.regex(unknown.err, /there is no person nobody\nhint: gdo invite nobody --role/);
  const elsewhere = await invited(home, "ben", "--role", "device", "--broker", "mqtt://127.0.0.1:9");
  const alone = await gdo(join(folder, "c"), "join", elsewhere, "--node", "c", "--timeout", "1");
  t.is(alone.code, 51);
  t.regex(alone.err, /the inviter does not answer by mqtt:\/\/127.0.0.1:9\nhint: see that its agent runs/);
});

interface CharterShown {
  readonly devices: readonly { readonly name: string; readonly principal: string; readonly revoked?: boolean }[];
  readonly guardians: readonly { readonly principal: string; readonly guardians: readonly string[] }[];
  readonly open: readonly { readonly operation: string }[];
}

async function api<T>(home: string, method: string, params: unknown = {}): Promise<T> {
  const opened = await openApi(home);
  try {
    return (await opened.call(method, params)) as T;
  } finally {
    await opened.close();
  }
}

const devicesOf = async (home: string, principal: string): Promise<string[]> => {
  const { devices } = await api<CharterShown>(home, "charter");
  return devices.filter((each) => each.principal === principal && each.revoked !== true).map(({ name }) => name);
};

test("[L10] ledger: who has lost their device gets a new one by guardians; it works, and the lost one is refused", async (t) => {
  const { folder, home } = await office(t);
  const [laptop, bens, phone] = [join(folder, "laptop"), join(folder, "ben"), join(folder, "phone")];
  await gdo(laptop, "join", await invited(home, "ada", "--role", "device"), "--node", "laptop");
  await gdo(bens, "join", await invited(home, "ben", "--role", "device"), "--node", "ben");
  await Promise.all([agent(t, laptop), agent(t, bens)]);
  await until(async () => ((await devicesOf(laptop, "ada")).length === 1 ? true : undefined));
  t.is((await gdo(laptop, "person", "guardians", "ada", "--guardian", "ben,office", "--threshold", "2")).code, 0);
  await until(async () => (await api<CharterShown>(bens, "charter")).guardians[0]);
  // On the new device; then each guardian says so.
  const key = (await gdo(phone, "device", "key")).out.trim();
  const said = await gdo(bens, "person", "recover", "ada", "--device", `phone=${key}`, "--confirm", "ada");
  t.is(said.code, 0, said.err);
  const [open] = await until(async () => {
    const { open: waiting } = await api<CharterShown>(home, "charter");
    return waiting.length > 0 ? waiting : undefined;
  });
  t.deepEqual(await devicesOf(home, "ada"), ["laptop"], "one of two is not enough");
  const backed = await gdo(home, "person", "back", (open?.operation ?? "").slice(0, 12));
  t.is(backed.code, 0, backed.err);
  await until(async () => ((await devicesOf(home, "ada")).join() === "phone" ? true : undefined));
  const joined = await gdo(phone, "join", await invited(home, "ada"), "--node", "phone");
  t.is(joined.code, 0, joined.err);
  t.true(joined.out.includes(`phone of ada, key ${key}`), "it keeps the key that the guardians have named");
  await agent(t, phone);
  await until(async () => ((await devicesOf(phone, "ada")).join() === "phone" ? true : undefined));
  // It acts for ada; the lost one, which runs still, has heard of it.
  const changed = await gdo(phone, "person", "guardians", "ada", "--guardian", "office", "--threshold", "1");
  t.is(changed.code, 0, changed.err);
  await until(async () => {
    const { guardians } = await api<CharterShown>(home, "charter");
    return guardians[0]?.guardians.join() === "office" ? true : undefined;
  });
  const gone =
    /this device was revoked by office on [0-9-]{10} \((not final yet|charter height \d+)\): what it says counts/;
  await until(async () => (gone.test((await gdo(laptop, "status")).out) ? true : undefined));
  for (const words of ["append notes note {}", "person guardians ada --guardian none", "invite ada"]) {
    const { code, err } = await gdo(laptop, ...words.split(" "));
    t.is(code, 31, words);
    t.regex(err, gone);
    t.regex(err, /\nhint: ask office for a new invitation \(gdo invite ada\), then here: gdo --home NEW join TOKEN\n$/);
  }
});
