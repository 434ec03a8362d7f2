/** What the ledger's figures stand beside: SQLite alone, hypercore, git. Each gives entries a second. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import Hypercore from "hypercore";

const rate = (count, startMs) => (count / (performance.now() - startMs)) * 1000;

/** One row a commit, with the ledger's pragmas. */
export class SqliteAlone {
  #db;
  #insert;

  constructor(folder) {
    this.#db = new Database(join(folder, "alone.db"));
    this.#db.pragma("journal_mode = WAL");
    this.#db.pragma("synchronous = FULL");
    this.#db.exec("CREATE TABLE t (id BLOB PRIMARY KEY, body BLOB)");
    this.#insert = this.#db.prepare("INSERT INTO t VALUES (?, ?)");
  }

  add(n, body) {
    this.#insert.run(Buffer.from(`${n}`.padStart(32)), body);
  }

  close() {
    this.#db.close();
  }
}

/** Signed blocks of one log; it does not wait for the disk. */
export async function hypercore(folder, { single, batched, body }) {
  const core = new Hypercore(join(folder, "hypercore"));
  await core.ready();
  let startMs = performance.now();
  for (let n = 0; n < single; n += 1) await core.append(body);
  const one = rate(single, startMs);
  startMs = performance.now();
  await core.append(Array.from({ length: batched }, () => body));
  const batch = rate(batched, startMs);
  const replica = new Hypercore(join(folder, "hypercore-replica"), core.key);
  await replica.ready();
  startMs = performance.now();
  const [there, back] = [core.replicate(true), replica.replicate(false)];
  there.pipe(back).pipe(there);
  await replica.download({ start: 0, end: core.length }).done();
  const replicate = rate(core.length, startMs);
  if (replica.contiguousLength !== core.length) throw new Error("hypercore: not all was replicated");
  for (const stream of [there, back]) stream.destroy();
  await replica.close();
  await core.close();
  return { one, batch, replicate };
}

/** As many commits with as long messages; unsigned. */
export async function gitFastImport(folder, count, bytes) {
  const repository = join(folder, "git");
  mkdirSync(repository);
  await run(spawn("git", ["init", "-q", "--bare", repository]));
  const git = spawn("git", ["-C", repository, "fast-import", "--quiet"], { stdio: ["pipe", "inherit", "inherit"] });
  const startMs = performance.now();
  for (let n = 0; n < count; n += 1) {
    const message = `${n}`.padEnd(bytes, "x");
    const commit = `commit refs/heads/main\ncommitter a <a@b> ${n} +0000\ndata ${bytes}\n${message}\n`;
    if (!git.stdin.write(commit)) await once(git.stdin, "drain");
  }
  git.stdin.end();
  await run(git);
  return rate(count, startMs);
}

async function run(child) {
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${child.spawnfile}: status ${code}`);
}
