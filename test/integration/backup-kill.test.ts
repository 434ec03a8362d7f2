/** Backups as processes: killed at any moment, two at once, and through a running agent. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate, setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import test from "ava";
import { homePaths } from "../../lib/agent/home/home.ts";
import { initHome, openApi } from "../../lib/agent/index.ts";
import { type Hash, SeededRng } from "../../lib/base/index.ts";
import { checkNamed, PackStore, Refs, SnapshotCatalog } from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const GDO = fileURLToPath(new URL("../../../bin/gdo", import.meta.url));
const KILLS = 5;
const ROUNDS_MAX = 20;

async function homeIn(base: string): Promise<string> {
  const root = join(base, "home");
  await initHome({ root, organisation: "Test", nodeName: "here" });
  return root;
}

function gdo(
  root: string,
  ...words: string[]
): { status: number | null; lines: Record<string, unknown>[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [GDO, "--home", root, "--json", ...words], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = stdout.split("\n").filter(Boolean);
  return { status, lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>), stderr };
}

function start(root: string, ...words: string[]): ChildProcess {
  return spawn(process.execPath, [GDO, "--home", root, ...words], { stdio: "ignore" });
}

function writeRandom(folder: string, rng: SeededRng, files: number): void {
  mkdirSync(folder, { recursive: true });
  for (let count = 0; count < files; count += 1) writeFileSync(join(folder, `${count}`), rng.bytes(30_000));
}

/** Kills a backup some time after it has taken the home's lock; whether that was before its end. */
async function killedBackup(root: string, folder: string, delayMs: number): Promise<boolean> {
  const child = start(root, "backup", folder, "--to", "all");
  const closed = once(child, "close");
  const lock = homePaths(root).lock;
  const isRunning = (): boolean => child.exitCode === null;
  while (isRunning() && !(existsSync(lock) && readFileSync(lock, "utf8").startsWith(`${child.pid} `)))
    await setImmediate();
  await setTimeout(delayMs);
  child.kill("SIGKILL");
  await closed;
  return child.signalCode === "SIGKILL";
}

/** Ids of the snapshots that are kept, and everything that is wrong with the store. */
async function lookAt(root: string): Promise<{ ids: Hash[]; faults: string[] }> {
  const { packs, refs } = homePaths(root);
  const store = await PackStore.open(packs, { readOnly: true });
  const catalog = new SnapshotCatalog(new Refs(refs));
  const faults: string[] = [];
  await store.verify(({ what, pack, offset }) => faults.push(`${pack} ${offset} ${what}`));
  await checkNamed(store, catalog, {
    onDamaged: ({ path, why }) => faults.push(`${path} ${why}`),
    onLack: ({ by, what }) => faults.push(`${by} ${what}`),
  });
  const ids = (await catalog.all()).map(({ id }) => id);
  await store.close();
  return { ids, faults };
}

test("[T10] kill -9 of a backup at any moment leaves earlier snapshots whole, and the next backup works", async (t) => {
  const base = await temporaryFolder(t);
  const root = await homeIn(base);
  const rng = new SeededRng(7);
  writeRandom(join(base, "in/0"), rng, 100);
  t.is(gdo(root, "backup", join(base, "in"), "--to", "all").status, 0);
  let spanMs = 600; // Narrowed to what a backup takes here and now.
  let kept = (await lookAt(root)).ids;
  for (let round = 1, killed = 0; killed < KILLS && round < ROUNDS_MAX; round += 1) {
    writeRandom(join(base, `in/${round % 10}`), rng, 100);
    const delayMs = spanMs * rng.next();
    if (await killedBackup(root, join(base, "in"), delayMs)) killed += 1;
    else spanMs = Math.max(delayMs, 10);
    const { ids, faults } = await lookAt(root);
    t.deepEqual(faults, [], `round ${round}, ${delayMs} ms`);
    t.deepEqual(ids.slice(0, kept.length), kept);
    kept = ids;
  }
  t.is(gdo(root, "backup", join(base, "in"), "--to", "all").status, 0);
  t.is(gdo(root, "restore", "all", join(base, "out")).status, 0);
  execFileSync("diff", ["-r", join(base, "in"), join(base, "out")]);
});

test("two backups at once on one home: the second is told who has it", async (t) => {
  const base = await temporaryFolder(t);
  const root = await homeIn(base);
  mkdirSync(join(base, "in"));
  const api = await openApi(root);
  const { status, stderr } = gdo(root, "backup", join(base, "in"), "--to", "all");
  t.is(status, 4);
  t.regex(stderr, new RegExp(`"HOME_LOCKED".*process ${process.pid}`));
  await api.close();
  t.is(gdo(root, "backup", join(base, "in"), "--to", "all").status, 0);
});

test("a backup through a running agent is the same, beside other work and a restore", async (t) => {
  const base = await temporaryFolder(t);
  const root = await homeIn(base);
  writeRandom(join(base, "in"), new SeededRng(3), 20);
  const agent = spawn(process.execPath, [GDO, "--home", root, "--json", "agent", "--with-parent"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(agent, "close");
  t.teardown(() => agent.kill("SIGKILL")); // Left behind by a failure, it would keep ava waiting for this file's end.
  await once(agent.stdout!, "data");
  const children = ["a", "b"].map((name) => start(root, "backup", join(base, "in"), "--to", name));
  t.deepEqual(await Promise.all(children.map(async (child) => (await once(child, "close"))[0])), [0, 0]);
  const trees = new Set(gdo(root, "snapshots").lines.map(({ tree }) => tree));
  t.is(gdo(root, "restore", "a", join(base, "out")).status, 0);
  execFileSync("diff", ["-r", join(base, "in"), join(base, "out")]);
  t.true(trees.size >= 1);
  t.is(gdo(root, "forget", "a", "--keep-last", "1").lines.at(-1)?.["kept"], 1);
  agent.stdin!.end();
  await closed;
});

test("what could not be read gives status 14, and what could not be restored too", async (t) => {
  if (process.getuid?.() !== 0) return void t.pass();
  const base = await temporaryFolder(t);
  execFileSync(
    "/bin/sh",
    [
      "-euc",
      "mkdir in user; echo x >in/secret; chmod 600 in/secret; echo y >in/open; chmod 755 . in; chown 65534:65534 user",
    ],
    {
      cwd: base,
    },
  );
  const script = `exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"`;
  const plain = (...words: string[]): { status: number | null; out: string } => {
    const args = ["-c", script, "sh", process.execPath, GDO, "--home", join(base, "user/home"), ...words];
    const { status, stdout, stderr } = spawnSync("/bin/sh", args, { encoding: "utf8", cwd: base });
    return { status, out: stdout + stderr };
  };
  t.is(plain("init", "Plain").status, 0);
  const taken = plain("backup", join(base, "in"), "--to", "in");
  t.is(taken.status, 14);
  t.regex(taken.out, /^unreadable {2}\S+\/in\/secret: EACCES: permission denied$/m);
  const back = plain("restore", "in", join(base, "user/out"));
  t.is(back.status, 14);
  t.regex(back.out, /out\/open: owner 0:0 needs root$/m);
  const [row] = gdo(join(base, "user/home"), "snapshots").lines;
  t.is(row?.["lacking"], 1);
});
