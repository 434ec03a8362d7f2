import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "ava";
import { temporaryFolder } from "../support/temporary-folder.ts";

const addonUrl = new URL("../../lib/addon.js", import.meta.url).href;
const cwd = fileURLToPath(new URL("../../../", import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly output: string;
}

/** Runs a script in its own process: a crash of it is a result, not the end of the tests. */
function runScript(script: string): Promise<Ended> {
  const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", script], { cwd });
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  child.stderr.on("data", (text) => (output += text));
  return new Promise((resolve) => child.on("close", (status, signal) => resolve({ status, signal, output })));
}

test("[N4] a worker that ends while its chunks are being cut harms nobody", async (t) => {
  const worker = `
    import { parentPort } from "node:worker_threads";
    import("${addonUrl}").then(async ({ Chunker, blake3, zstdCompress }) => {
      const bytes = new Uint8Array(4 * 1024 * 1024).fill(7);
      const cutAlways = async () => { for (;;) { const c = new Chunker("min8-64k"); await c.update(bytes); await c.finish(); } };
      cutAlways(); cutAlways();
      parentPort.postMessage("cutting");
      for (let round = 0; ; round += 1) {
        blake3(bytes.subarray(0, 1000 * (round % 50))); zstdCompress(bytes.subarray(0, 5000), 3);
        await new Promise(setImmediate);
      }
    });`;
  const result = await runScript(`
    import { Worker } from "node:worker_threads";
    import { Chunker } from "${addonUrl}";
    const script = ${JSON.stringify(worker)};
    for (let round = 0; round < 24; round += 1) {
      const worker = new Worker(script, { eval: true });
      // From "not yet loaded" to "in the middle of a cut".
      if (round % 4 !== 0) await new Promise((cutting) => worker.once("message", cutting));
      for (let turn = 0; turn < round; turn += 1) await new Promise(setImmediate);
      await worker.terminate();
    }
    const chunker = new Chunker("fixed-64k");
    console.log((await chunker.update(new Uint8Array(1024 * 1024))).length);
  `);
  t.deepEqual(result, { status: 0, signal: null, output: "16\n" });
});

test("[N4] threads that use the addon at once get what one alone gets", async (t) => {
  const result = await runScript(`
    import { Worker } from "node:worker_threads";
    import { Chunker } from "${addonUrl}";
    const bytes = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * index) >> 7);
    const script = 'import { parentPort, workerData } from "node:worker_threads"; import("${addonUrl}").then(async ({ Chunker, zstdCompress, zstdDecompress }) => {' +
      'const cuts = [];' +
      'for (let round = 0; round < 5; round += 1) {' +
      '  const c = new Chunker("min8-16k"); cuts.push([...await c.update(workerData), ...await c.finish()]);' +
      '  zstdDecompress(zstdCompress(workerData, 3), workerData.length); }' +
      'parentPort.postMessage(cuts); });';
    const chunker = new Chunker("min8-16k");
    const alone = JSON.stringify([...(await chunker.update(bytes)), ...(await chunker.finish())]);
    const ask = () => new Promise((done, failed) => {
      const worker = new Worker(script, { eval: true, workerData: bytes });
      worker.once("message", done); worker.once("error", failed);
    });
    const results = (await Promise.all([ask(), ask(), ask()])).flat();
    console.log(results.length, results.every((cuts) => JSON.stringify(cuts) === alone));
  `);
  t.deepEqual(result, { status: 0, signal: null, output: "15 true\n" });
});

test("[N3] bytes and chunkers that nobody else holds survive the collector until their cuts are there", async (t) => {
  const result = await runScript(`
    import { Chunker } from "${addonUrl}";
    const start = () => new Chunker("fixed-64k").update(new Uint8Array(256 * 1024).fill(9));
    const ids = new Set();
    for (let round = 0; round < 200; round += 1) {
      const calls = Array.from({ length: 8 }, start);
      globalThis.gc();
      for (const cuts of await Promise.all(calls)) for (const { id } of cuts) ids.add(id);
    }
    console.log(ids.size);
  `);
  t.deepEqual(result, { status: 0, signal: null, output: "1\n" });
});

test("[N3] ten thousand calls leave nothing behind", async (t) => {
  const result = await runScript(`
    import { Chunker, zstdCompress, zstdDecompress, WiegandDecoder, blake3 } from "${addonUrl}";
    const bytes = Uint8Array.from({ length: 16_384 }, (_, index) => (index * 7919) >> 5);
    const use = async (rounds) => {
      for (let round = 0; round < rounds; round += 1) {
        const chunker = new Chunker("min8-16k");
        await chunker.update(bytes); await chunker.finish();
        zstdDecompress(zstdCompress(bytes, 1), bytes.length); blake3(bytes);
        const decoder = new WiegandDecoder();
        decoder.edge(1, 1n); decoder.poll(10n ** 9n);
        if (round % 100 === 0) { globalThis.gc(); await new Promise(setImmediate); }
      }
      globalThis.gc(); await new Promise(setImmediate); globalThis.gc();
      return process.memoryUsage.rss();
    };
    await use(2_000);
    const grownMiB = (-(await use(2_000)) + (await use(10_000))) / 2 ** 20;
    console.log(grownMiB < 16 ? "bounded" : "grew by " + grownMiB + " MiB");
  `);
  t.deepEqual(result, { status: 0, signal: null, output: "bounded\n" });
});

const storeUrl = new URL("../../lib/store/index.js", import.meta.url).href;
const fileUrl = new URL("../../lib/store/blob/blob-file.js", import.meta.url).href;

/** What the worker has just begun, and how many turns of the loop later it ends: files take some. */
const STAGES = [
  ...[0, 1, 4, 16, 64].map((turns) => ["read", turns] as const),
  ...[0, 4, 16].map((turns) => ["restore", turns] as const),
  ...["open", "commit", "gc", "verify", "close"].map((stage) => [stage, 0] as const),
];

test("[N4] a worker that ends at any stage of its store's work harms nobody", async (t) => {
  const dir = await temporaryFolder(t);
  const worker = `
    import { parentPort, workerData } from "node:worker_threads";
    import { open, writeFile } from "node:fs/promises";
    Promise.all([import("${storeUrl}"), import("${fileUrl}")]).then(async ([{ PackStore }, { putBlobFile, restoreBlobFile }]) => {
      const at = (stage) => parentPort.postMessage(stage);
      const opening = PackStore.open(workerData, { packBytesMax: 1_000_000 });
      at("open");
      let store = await opening;
      const bytes = Buffer.alloc(2_000_000, "text and more of it, " + Math.random());
      for (let at = 0; at < bytes.length; at += 5000) bytes.writeDoubleLE(Math.random(), at);
      await writeFile(workerData + "/in", bytes);
      const source = await open(workerData + "/in"), copy = await open(workerData + "/out", "w");
      for (;;) {
        const put = putBlobFile(store, source);
        at("read");
        const { id } = await put;
        const committed = [store.commit(), store.put("chunk", bytes.subarray(0, 70_000))];
        at("commit");
        await Promise.all(committed);
        const restored = restoreBlobFile(store, id, copy);
        at("restore");
        await restored;
        const cleaned = store.collect({ roots: { whole: async () => [id], naming: () => [] } });
        at("gc");
        await cleaned;
        const verified = store.verify();
        at("verify");
        await verified;
        const closed = store.close();
        at("close");
        await closed;
        store = await PackStore.open(workerData, { packBytesMax: 1_000_000 });
      }
    });`;
  const result = await runScript(`
    import { Worker } from "node:worker_threads";
    import { PackStore } from "${storeUrl}";
    const script = ${JSON.stringify(worker)};
    const dir = ${JSON.stringify(dir)};
    for (const [wanted, turns] of ${JSON.stringify(STAGES)}) {
      const worker = new Worker(script, { eval: true, workerData: dir });
      await new Promise((reached, failed) => {
        worker.on("message", (stage) => { if (stage === wanted) reached(); });
        worker.on("error", failed);
      });
      for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      await worker.terminate();
    }
    const store = await PackStore.open(dir, { readOnly: true });
    console.log((await store.verify()).bad);
    await store.close();
  `);
  t.deepEqual(result, { status: 0, signal: null, output: "0\n" });
});

test("[N3] [N4] ten thousand calls of each verb of a store leave nothing behind", async (t) => {
  const dir = await temporaryFolder(t);
  const result = await runScript(`
    import { open } from "node:fs/promises";
    import { join } from "node:path";
    import { PackStore } from "${storeUrl}";
    import { putBlobFile, restoreBlobFile } from "${fileUrl}";
    import * as addon from "${addonUrl}";
    const dir = ${JSON.stringify(dir)};
    const path = join(dir, "file"), name = Buffer.from("user.x");
    const file = await open(path, "w+"), copy = await open(join(dir, "copy"), "w+");
    await file.write(Buffer.alloc(3000, "a door opens "));
    const packs = join(dir, "packs");
    const store = await PackStore.open(packs);
    const { id } = await putBlobFile(store, file);
    const bytes = new Uint8Array(500).fill(7);
    const chunk = await store.put("chunk", bytes);
    await store.commit();
    const reader = await PackStore.open(packs, { readOnly: true });
    const stopped = AbortSignal.abort(new Error("stopped"));
    const one = async (round) => {
      await putBlobFile(store, file, { previous: id, onProgress() {} });
      await restoreBlobFile(store, id, copy);
      await store.put("chunk", bytes);
      await store.get(chunk);
      await store.get("0".repeat(64)).catch(() => {});
      await store.commit();
      store.has(id); store.resolvePrefix(id.slice(0, 8)); [...store.ids()];
      await addon.readPackItems(join(packs, "00000001.pack"), 32);
      addon.crc32c(bytes); addon.blake3DeriveKey("leak", bytes); addon.hostInfo();
      addon.setModifiedTime(copy.fd, 10n ** 18n); addon.listXattrs(copy.fd); addon.tryLockFile(file.fd);
      if (round % 10 === 0) {
        await putBlobFile(store, file, { signal: stopped }).catch(() => {});
        await store.tally([id]); // Each has some ten calls of the addon.
        await store.verify();
        await reader.refresh();
        await store.collect({ dryRun: true, roots: { whole: async () => [id], naming: () => [bytes] } });
      }
      if (round % 100 === 0) { globalThis.gc(); await new Promise(setImmediate); }
      if (round % 100 === 50) { const more = await PackStore.open(packs, { readOnly: true }); await restoreBlobFile(more, id, copy); await more.close(); }
    };
    const use = async (rounds) => {
      for (let round = 0; round < rounds; round += 1) await one(round);
      globalThis.gc(); await new Promise(setImmediate); globalThis.gc();
      return process.memoryUsage.rss();
    };
    await use(1_000);
    const grownMiB = (-(await use(500)) + (await use(10_000))) / 2 ** 20;
    console.log(grownMiB < 16 ? "bounded" : "grew by " + grownMiB + " MiB");
    await reader.close(); await store.close();
  `);
  t.deepEqual(result, { status: 0, signal: null, output: "bounded\n" });
});
