import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { FakeClock, type Hash, SeededRng } from "../../lib/base/index.ts";
import {
  checkNamed,
  checkout,
  MemoryStore,
  type Note,
  PackStore,
  Refs,
  SnapshotCatalog,
  snapshotStats,
  type TakenSnapshot,
  takeSnapshot,
} from "../../lib/store/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const asRoot = process.getuid?.() === 0 ? test.serial : test.skip; // Serial: the user is the whole process's.

function sh(cwd: string, script: string): void {
  execFileSync("/bin/sh", ["-euc", script], { cwd });
}

type Options = Partial<Parameters<typeof takeSnapshot>[2]>;

class Fixture {
  readonly base: string;
  readonly store = new MemoryStore();
  readonly catalog: SnapshotCatalog;
  /** Far ahead: what was just written counts as long ago. */
  readonly clock = new FakeClock(Date.UTC(2100, 0, 1));
  notes: Note[] = [];

  constructor(base: string) {
    this.base = base;
    this.catalog = new SnapshotCatalog(new Refs(join(base, "refs")));
    mkdirSync(join(base, "in"));
  }

  static async make(t: ExecutionContext): Promise<Fixture> {
    return new Fixture(await temporaryFolder(t));
  }

  take(options: Options = {}): Promise<TakenSnapshot> {
    this.clock.advance(1000);
    this.notes = [];
    const { base, clock } = this;
    const onNote = (note: Note): void => void this.notes.push(note);
    const all = { source: join(base, "in"), name: "docs", host: "here", clock, onNote, ...options };
    return takeSnapshot(this.store, this.catalog, all);
  }

  told(): string[] {
    return this.notes.map(({ kind, path, why }) => `${kind} ${path.slice(this.base.length)}: ${why}`);
  }

  async restored(tree: Hash, name = "out"): Promise<string> {
    await checkout(this.store, tree, join(this.base, name));
    return join(this.base, name);
  }
}

test("[T5] a snapshot is kept under its name, found by its newest or by the beginning of its id", async (t) => {
  const f = await Fixture.make(t);
  writeFileSync(join(f.base, "in/file"), "one");
  const first = await f.take();
  writeFileSync(join(f.base, "in/file"), "two!");
  const second = await f.take();
  t.not(first.id, second.id);
  t.is(first.id, second.previous);
  t.deepEqual(
    (await f.catalog.list("docs")).map(({ id }) => id),
    [first.id, second.id],
  );
  t.is((await f.catalog.resolve("docs")).id, second.id as Hash);
  const old = await f.catalog.resolve(`docs@${first.id?.slice(0, 10)}`);
  t.is(readFileSync(join(await f.restored(old.tree), "file"), "utf8"), "one");
  t.is(old.host, "here");
  t.is(Buffer.from(old.source).toString(), join(f.base, "in"));
  t.deepEqual([old.files, old.sizeBytes, old.lacking], [1, 3, 0]);
  await t.throwsAsync(f.catalog.resolve("docs@"), { code: "INPUT_INVALID" });
  await t.throwsAsync(f.catalog.resolve("nothing"), { code: "NOT_FOUND" });
  await t.throwsAsync(f.catalog.resolve("docs@0000000000"), { code: "NOT_FOUND" });
  await t.throwsAsync(f.catalog.resolve("../docs"), { code: "INPUT_INVALID" });
});

test("[T5] a short id that begins several is told as such", async (t) => {
  const f = await Fixture.make(t);
  const ids = new Set<string>();
  while (new Set([...ids].map((id) => id[0])).size === ids.size) ids.add((await f.take()).id as string);
  const firsts = [...ids].map((id) => id.slice(0, 1));
  const twice = firsts.find((digit, index) => firsts.indexOf(digit) !== index);
  await t.throwsAsync(f.catalog.resolve(`docs@${twice}`), { code: "AMBIGUOUS" });
});

test("[T5] what has not changed by size, times and inode is not read again", async (t) => {
  const f = await Fixture.make(t);
  sh(f.base, "echo same >in/same; echo old >in/edited; echo gone >in/gone; mkdir in/sub; echo s >in/sub/same");
  t.deepEqual((await f.take()).changes, { new: 4, changed: 0, unchanged: 0 });
  sh(f.base, "echo new >in/edited; rm in/gone; echo more >in/added");
  // Content that changes behind the file system's back shows whether it was read.
  const blobs: string[] = [];
  const put = f.store.put.bind(f.store);
  f.store.put = (kind, bytes) => {
    if (kind === "chunk") blobs.push(Buffer.from(bytes).toString());
    return put(kind, bytes);
  };
  const second = await f.take();
  t.deepEqual(second.changes, { new: 1, changed: 1, unchanged: 2 });
  t.deepEqual(blobs.sort(), ["more\n", "new\n"]);
  blobs.length = 0;
  t.deepEqual((await f.take({ rereadAll: true })).changes, { new: 0, changed: 0, unchanged: 4 });
  t.is(blobs.length, 4);
});

test("[T5] an edit that keeps size and modification time is found by the change time", async (t) => {
  const f = await Fixture.make(t);
  sh(f.base, "echo one >in/file; touch -d @1000000000 in/file");
  await f.take();
  sh(f.base, "echo two >in/file; touch -d @1000000000 in/file");
  const { tree } = await f.take();
  t.is(readFileSync(join(await f.restored(tree), "file"), "utf8"), "two\n");
});

test("[T5] what was written in the very tick of the clock in which it was read is read again", async (t) => {
  const f = await Fixture.make(t);
  writeFileSync(join(f.base, "in/file"), "one");
  const clock = new FakeClock(Number(statSync(join(f.base, "in/file"), { bigint: true }).ctimeNs / 1_000_000n) + 1);
  await f.take({ clock });
  const entry = (await f.take({ clock })).changes;
  t.deepEqual(entry, { new: 0, changed: 0, unchanged: 1 });
  let chunks = 0;
  const put = f.store.put.bind(f.store);
  f.store.put = (kind, bytes) => {
    if (kind === "chunk") chunks += 1;
    return put(kind, bytes);
  };
  await f.take({ clock });
  t.is(chunks, 1);
});

test("[T5] patterns, a file of patterns and .gdoignore files leave out what they say, the stronger last", async (t) => {
  const f = await Fixture.make(t);
  sh(
    f.base,
    `cd in; mkdir -p a/cache b/deep; touch a/x.tmp a/keep.tmp a/cache/1 b/x.tmp b/deep/note b/big.iso c.log
    printf '*.tmp\\n!keep.tmp\\n' >.gdoignore; printf '/deep/\\n!x.tmp\\n' >b/.gdoignore`,
  );
  const exclusion = { patterns: ["*.iso"], files: [Buffer.from("cache/\n*.log\n")] };
  const { tree } = await f.take({ exclusion });
  const out = await f.restored(tree);
  t.deepEqual(readdirSync(out).sort(), [".gdoignore", "a", "b"]);
  t.deepEqual(readdirSync(join(out, "a")), ["keep.tmp"]);
  t.deepEqual(readdirSync(join(out, "b")).sort(), [".gdoignore", "x.tmp"]);
});

test("[T4] what cannot be kept or read is told and counted, and the rest is kept", async (t) => {
  const f = await Fixture.make(t);
  sh(f.base, "echo ok >in/ok; echo grows >in/log; mkdir in/sub; echo gone >in/sub/gone; echo z >in/zzz");
  const server = createServer().listen(join(f.base, "in/socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  t.teardown(() => server.close());
  const path = join(f.base, "in/log");
  let isTold = false;
  const onProgress = ({ bytes }: { bytes: number }): void => {
    if (bytes === 0 || isTold) return;
    isTold = true; // Content of the first file, the log, has been read.
    appendFileSync(path, "more");
    execFileSync("rm", ["-r", join(f.base, "in/sub")]);
  };
  const taken = await f.take({ onProgress });
  t.deepEqual(f.told(), [
    "changed /in/log: it changed while it was read",
    "skipped /in/socket: a socket is not kept",
    "vanished /in/sub: it vanished while the folder was read",
  ]);
  t.deepEqual(taken.notes, { unreadable: 0, vanished: 1, changed: 1, skipped: 1 });
  t.is(readFileSync(join(await f.restored(taken.tree), "log"), "utf8"), "grows\n");
  t.is((await f.take()).changes.changed, 1);
});

asRoot("[T4] a plain user's snapshot keeps what he may read and names the rest", async (t) => {
  const f = await Fixture.make(t);
  sh(f.base, "chmod 755 .; echo secret >in/secret; chmod 600 in/secret; mkdir -m 700 in/closed; echo ok >in/ok");
  process.seteuid?.(65_534);
  t.teardown(() => process.seteuid?.(0));
  const taken = await f.take({ dryRun: true });
  process.seteuid?.(0);
  t.deepEqual(f.told(), [
    "unreadable /in/closed: EACCES: permission denied",
    "unreadable /in/secret: EACCES: permission denied",
  ]);
  t.is(taken.files, 1);
});

test("[T5] a dry run keeps nothing and tells what would be new", async (t) => {
  const f = await Fixture.make(t);
  writeFileSync(join(f.base, "in/file"), "x".repeat(1000));
  const dry = await f.take({ dryRun: true });
  t.is(dry.id, undefined);
  t.true((dry.newBytes ?? 0) > 1000);
  t.deepEqual([...f.store.ids()], []);
  t.deepEqual(await f.catalog.names(), []);
  const real = await f.take();
  t.is(real.tree, dry.tree);
  t.true(((await f.take({ dryRun: true })).newBytes ?? 1e9) < 500); // Folders only: files remember where they are.
});

test("[T5] one file system, and the store itself, are kept empty where asked for", async (t) => {
  const f = await Fixture.make(t);
  sh(f.base, "mkdir -p in/home/packs in/other; echo x >in/home/packs/1; echo y >in/other/y");
  const taken = await f.take({ closed: [join(f.base, "in/home/packs")] });
  t.deepEqual(f.told(), ["skipped /in/home/packs: the store itself"]);
  t.deepEqual(readdirSync(join(await f.restored(taken.tree), "home/packs")), []);
  if (process.getuid?.() !== 0) return;
  try {
    execFileSync("mount", ["-t", "tmpfs", "none", join(f.base, "in/other")], { stdio: "ignore" });
  } catch {
    return void t.log("this machine does not allow mounts");
  }
  t.teardown(() => void execFileSync("umount", ["-l", join(f.base, "in/other")]));
  writeFileSync(join(f.base, "in/other/z"), "z");
  await f.take({ oneFileSystem: true, closed: [] });
  t.deepEqual(f.told(), ["skipped /in/other: another file system"]);
  await f.take();
  t.deepEqual(f.told(), []);
});

test("[T8] the ref comes last: what cannot be made durable is not kept", async (t) => {
  const f = await Fixture.make(t);
  writeFileSync(join(f.base, "in/file"), "x");
  f.store.commit = async () => {
    t.deepEqual(await f.catalog.names(), []);
    throw new Error("no space");
  };
  await t.throwsAsync(f.take(), { message: "no space" });
  t.deepEqual(await f.catalog.names(), []);
});

test("[T10] a flipped bit anywhere in a ref is found, named, and harms no other snapshot", async (t) => {
  const f = await Fixture.make(t);
  writeFileSync(join(f.base, "in/file"), "x");
  const first = await f.take();
  const second = await f.take();
  const folder = join(f.base, "refs/snapshots/docs");
  const ref = join(folder, readdirSync(folder).find((name) => name.endsWith(first.id as string))!);
  const bytes = readFileSync(ref);
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 1 << (at % 8);
    writeFileSync(ref, flipped);
    const damaged: string[] = [];
    const kept = await f.catalog.list("docs", ({ path }) => damaged.push(path));
    t.deepEqual([kept.map(({ id }) => id), damaged], [[second.id], [ref]], `byte ${at}`);
  }
  await t.throwsAsync(f.catalog.resolve(`docs@${first.id}`), { code: "STORE_CORRUPT" });
  const lacks: unknown[] = [];
  const damaged: string[] = [];
  const store = await packsWithout(f);
  await checkNamed(store, f.catalog, {
    onDamaged: ({ path }) => damaged.push(path),
    onLack: (lack) => lacks.push(lack),
  });
  await store.close();
  t.deepEqual([damaged, lacks], [[ref], []]);
});

test("[T10] what a snapshot lacks is named with the snapshot", async (t) => {
  const f = await Fixture.make(t);
  writeFileSync(join(f.base, "in/file"), Buffer.alloc(300_000, "ab"));
  const taken = await f.take();
  const lost = [...f.store.ids()];
  for (const id of lost) {
    const store = await packsWithout(f, id);
    const lacks: unknown[] = [];
    await checkNamed(store, f.catalog, {
      onDamaged: () => {},
      onLack: ({ by, id: lacking, isDamaged }) => lacks.push([by, lacking, isDamaged]),
    });
    await store.close();
    t.deepEqual(lacks, [[`snapshot docs@${taken.id}`, id, false]]);
  }
});

/** A pack store with what the fixture has, but for one object. */
async function packsWithout(f: Fixture, lost?: Hash): Promise<PackStore> {
  const store = await PackStore.open(join(f.base, `packs-without-${lost}`));
  for (const id of f.store.ids()) {
    const { kind, bytes } = await f.store.get(id);
    if (id !== lost) await store.put(kind, bytes);
  }
  return store;
}

test("[T5] statistics add up: logical, unique, stored, and chunks by size", async (t) => {
  const f = await Fixture.make(t);
  const packs = join(f.base, "packs");
  const store = await PackStore.open(packs);
  const content = execFileSync("head", ["-c", "400000", "/dev/urandom"]);
  writeFileSync(join(f.base, "in/one"), content);
  writeFileSync(join(f.base, "in/copy"), content);
  writeFileSync(join(f.base, "in/text"), "word ".repeat(20_000));
  sh(f.base, "truncate -s 1000000 in/hole");
  const take = { source: join(f.base, "in"), name: "docs", host: "h", clock: f.clock };
  await takeSnapshot(store, f.catalog, take);
  await takeSnapshot(store, f.catalog, take);
  const stats = await snapshotStats(store, await f.catalog.all());
  t.is(stats.snapshots, 2);
  t.is(stats.logicalBytes, 2 * (800_000 + 100_000 + 1_000_000));
  t.true(stats.uniqueBytes >= 400_000 && stats.uniqueBytes <= 500_000, `${stats.uniqueBytes}`);
  const { raw, zstd, delta } = stats.steps;
  t.is(raw.rawBytes + zstd.rawBytes + delta.rawBytes, stats.uniqueBytes);
  t.is(raw.objects + zstd.objects + delta.objects, stats.chunks);
  t.is(raw.storedBytes + zstd.storedBytes + delta.storedBytes + stats.nodes.storedBytes, stats.storedBytes);
  t.true(zstd.storedBytes < zstd.rawBytes / 10);
  t.is(
    stats.histogram.reduce((sum, { chunks }) => sum + chunks, 0),
    stats.chunks,
  );
  t.true(stats.storedBytes <= (await store.sizeBytes()));
  await store.close();
});

test("[T6] of a file that changed a little everywhere, the next snapshot stores little", async (t) => {
  const f = await Fixture.make(t);
  const store = await PackStore.open(join(f.base, "packs"));
  t.teardown(() => store.close());
  const bytes = Buffer.from(new SeededRng(3).bytes(2_000_000));
  const at = { source: join(f.base, "in"), name: "docs", host: "here", clock: f.clock, onNote: () => {} };
  writeFileSync(join(f.base, "in/disk.img"), bytes);
  await takeSnapshot(store, f.catalog, at);
  const full = await store.sizeBytes();
  for (let place = 10_000; place < bytes.length; place += 20_000) bytes[place] = (bytes[place] ?? 0) ^ 0xff;
  writeFileSync(join(f.base, "in/disk.img"), bytes);
  f.clock.advance(1000);
  const { tree } = await takeSnapshot(store, f.catalog, at);
  const added = (await store.sizeBytes()) - full;
  t.true(added < full / 10, `${added} bytes more than ${full}`);
  await checkout(store, tree, join(f.base, "back"));
  t.true(readFileSync(join(f.base, "back/disk.img")).equals(bytes));
});
