/**
 * gdo's side of a measurement, in a process of its own; each verb prints one line of JSON.
 *   put STORE FILE ID-FILE [ID-FILE-OF-THE-VERSION-BEFORE]      restore STORE ID-FILE TO      cut FILE
 */
import { readFileSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { putBlobFile, restoreBlobFile } from "../../dist/lib/store/blob/blob-file.js";
import { PackStore } from "../../dist/lib/store/pack/store.js";

const PIECE_BYTES = 4 * 1024 * 1024; // Each call crosses to another thread and back.

async function timed(work) {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

async function put(dir, path, idFile, idFileBefore) {
  const previous = idFileBefore === undefined ? undefined : readFileSync(idFileBefore, "utf8");
  const seconds = await timed(async () => {
    const store = await PackStore.open(dir);
    const file = await open(path);
    const { id } = await putBlobFile(store, file, { previous });
    await file.close();
    await store.close(); // Commits, so that it is durable.
    writeFileSync(idFile, id);
  });
  return { seconds };
}

async function restore(dir, idFile, to) {
  const seconds = await timed(async () => {
    const store = await PackStore.open(dir, { readOnly: true });
    const file = await open(to, "wx");
    await restoreBlobFile(store, readFileSync(idFile, "utf8"), file);
    await file.close();
    await store.close();
  });
  return { seconds };
}

function* pieces(bytes) {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

/** Cut points and ids of a file in memory, beside Node's SHA-256 of the same pieces. */
async function cut(file) {
  const { createHash } = await import("node:crypto");
  const { Chunker } = await import("../../dist/lib/addon.js");
  const bytes = readFileSync(file);
  const chunker = new Chunker("min8-64k");
  const cutAndId = await timed(async () => {
    for (const piece of pieces(bytes)) await chunker.update(piece);
    await chunker.finish();
  });
  const sha256 = await timed(async () => {
    const hash = createHash("sha256");
    for (const piece of pieces(bytes)) hash.update(piece);
    hash.digest();
  });
  return { cutAndId: bytes.length / cutAndId, sha256: bytes.length / sha256 };
}

const [verb, ...args] = process.argv.slice(2);
const result = await { put, restore, cut }[verb](...args);
process.stdout.write(`${JSON.stringify(result)}\n`);
