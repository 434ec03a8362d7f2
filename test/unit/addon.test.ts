import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";
import {
  blake3,
  blake3DeriveKey,
  Chunker,
  crc32c,
  hostInfo,
  type ProfileName,
  zstdCompress,
  zstdDecompress,
} from "../../lib/addon.ts";
import { OBJECT_BYTES_MAX, SeededRng, toHex, utf8 } from "../../lib/base/index.ts";

const dist = fileURLToPath(new URL("../../", import.meta.url));
const vectorsPath = new URL("../../../test/fixtures/blake3/vectors.txt", import.meta.url);
const vectorsContext = "BLAKE3 2019-12-27 16:29:52 test vectors context";
const counting = (length: number) => Uint8Array.from({ length }, (_, index) => index % 251);

interface Vector {
  readonly length: number;
  readonly mode: string;
  readonly digest: string;
}

async function vectors(): Promise<Vector[]> {
  const lines = (await readFile(vectorsPath, "utf8")).split("\n").filter((line) => /^\d/.test(line));
  return lines.map((line) => {
    const [length = "", mode = "", output = ""] = line.split(" ");
    return { length: Number(length), mode, digest: output.slice(0, 64) };
  });
}

test("[T1] addon: BLAKE3's official vectors hold, for hash and derive-key", async (t) => {
  const known = (await vectors()).filter(({ mode }) => mode !== "keyed");
  t.is(known.length, 70);
  for (const { length, mode, digest } of known) {
    const bytes = counting(length);
    const actual = mode === "hash" ? blake3(bytes) : blake3DeriveKey(vectorsContext, bytes);
    t.is(toHex(actual), digest, `${mode} of ${length} bytes`);
  }
});

test("[T1] addon: another context gives another id for the same bytes", (t) => {
  const node = utf8("same node");
  t.notDeepEqual(blake3DeriveKey("gdo v1 blob", node), blake3DeriveKey("gdo v1 tree", node));
});

test("[N3] addon: a view of a larger buffer is read where it is, and never written", (t) => {
  const memory = counting(4096);
  const before = toHex(memory);
  t.deepEqual(blake3(memory.subarray(100, 2100)), blake3(memory.slice(100, 2100)));
  t.is(crc32c(memory.subarray(7, 77)), crc32c(memory.slice(7, 77)));
  t.is(toHex(memory), before);
});

test("[N3] addon: shared and resizable memory, and what is no Uint8Array, are refused", async (t) => {
  const Resizable = ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer;
  const wrong = [
    new Uint8Array(new SharedArrayBuffer(8)),
    new Uint8Array(new Resizable(8, { maxByteLength: 16 })),
    new Uint16Array(4),
    new DataView(new ArrayBuffer(8)),
    [1, 2, 3],
    "text",
    undefined,
  ] as unknown as Uint8Array[];
  for (const bytes of wrong) {
    t.throws(() => blake3(bytes), { instanceOf: TypeError });
    t.throws(() => blake3DeriveKey("gdo v1 blob", bytes), { instanceOf: TypeError });
    t.throws(() => crc32c(bytes), { instanceOf: TypeError });
    t.throws(() => zstdCompress(bytes, 3), { instanceOf: TypeError });
    t.throws(() => zstdDecompress(bytes, 8), { instanceOf: TypeError });
    await t.throwsAsync(new Chunker("min8-64k").update(bytes), { instanceOf: TypeError });
  }
});

test("addon: a derive-key context must be a text", (t) => {
  t.throws(() => blake3DeriveKey("", utf8("x")), { instanceOf: TypeError });
  t.throws(() => blake3DeriveKey(7 as unknown as string, utf8("x")), { instanceOf: TypeError });
});

test("[T7] addon: crc32c gives the catalogued check value, unsigned", (t) => {
  t.is(crc32c(utf8("123456789")), 0xe3069283);
  t.is(crc32c(new Uint8Array()), 0);
});

test("[T10] addon: zstd gives back what it took, of any size", (t) => {
  for (const length of [0, 1, 100, 70_000, 1_000_000]) {
    const bytes = counting(length);
    t.deepEqual(zstdDecompress(zstdCompress(bytes, 3), length), bytes);
  }
});

test("[T10] addon: a zstd frame that is not exactly of the stated size is STORE_CORRUPT", (t) => {
  const frame = zstdCompress(counting(5000), 3);
  const longer = new Uint8Array([...frame, 0]);
  const corrupt = { code: "STORE_CORRUPT" };
  for (const size of [4999, 5001, 0, -1, 1.5, Number.NaN, OBJECT_BYTES_MAX + 1, 2 ** 32 + 5000]) {
    t.throws(() => zstdDecompress(frame, size), corrupt);
  }
  t.throws(() => zstdDecompress(frame.subarray(0, -1), 5000), corrupt);
  t.throws(() => zstdDecompress(longer, 5000), corrupt);
  t.throws(() => zstdDecompress(new Uint8Array(), 0), corrupt);
  t.throws(() => zstdDecompress(counting(64), 64), corrupt);
});

test("addon: zstd refuses a level it does not offer and more than one object's bytes", (t) => {
  for (const level of [0, 20, -3, 2.5, Number.NaN]) {
    t.throws(() => zstdCompress(utf8("x"), level), { instanceOf: RangeError });
  }
  t.throws(() => zstdCompress(new Uint8Array(OBJECT_BYTES_MAX + 1), 1), { instanceOf: RangeError });
});

test("[T2] addon: a profile that is not in the table is refused", (t) => {
  t.throws(() => new Chunker("min8-32k" as ProfileName), { instanceOf: RangeError });
  t.throws(() => new Chunker(undefined as unknown as ProfileName), { instanceOf: RangeError });
});

test("[T1] addon: a cut's id is the BLAKE3 of its bytes, its offset counts from the start", async (t) => {
  const bytes = new SeededRng(1).bytes(400_000);
  const chunker = new Chunker("min8-64k");
  const cuts = [...(await chunker.update(bytes)), ...(await chunker.finish())];
  let offset = 0;
  for (const cut of cuts) {
    t.is(cut.offset, offset);
    t.is(cut.id, toHex(blake3(bytes.subarray(offset, offset + cut.length))) as typeof cut.id);
    offset += cut.length;
  }
  t.is(offset, bytes.length);
  t.deepEqual(await chunker.finish(), []);
});

test("[N4] addon: a second call on a chunker before the first has settled is refused, the first goes on", async (t) => {
  const bytes = new SeededRng(2).bytes(2_000_000);
  const chunker = new Chunker("fixed-64k");
  const first = chunker.update(bytes);
  await t.throwsAsync(chunker.update(bytes), { message: /one call at a time/ });
  await t.throwsAsync(chunker.finish(), { message: /one call at a time/ });
  t.is((await first).length, Math.floor(bytes.length / 65_536));
  t.is((await chunker.finish()).length, 1);
});

test("[N4] addon: hashing and cutting leave the event loop free", async (t) => {
  const bytes = new Uint8Array(32 * 1024 * 1024);
  let isSettled = false;
  const cutting = new Chunker("min8-64k").update(bytes).then((cuts) => {
    isSettled = true;
    return cuts;
  });
  await new Promise(setImmediate);
  t.false(isSettled);
  t.true((await cutting).length > 0);
});

test("addon: hostInfo names what this processor runs", (t) => {
  const { kernels, versions } = hostInfo();
  for (const name of [kernels.blake3, kernels.chunker, kernels.crc32c]) t.regex(name, /^[a-z0-9.]+$/);
  t.true(kernels.present.includes(kernels.blake3) && kernels.present.includes("scalar"));
  t.is(versions.nodeApi, 9);
  t.regex(versions.zstd, /^\d+\.\d+\.\d+$/);
});

/** What a process with GDO_KERNEL=`kernel` prints for the last of `expressions` over the addon's module. */
async function withKernel(kernel: string, expression: string): Promise<string> {
  const script = `import(${JSON.stringify(join(dist, "lib", "addon.js"))})
    .then((addon) => console.log(${expression}))
    .catch((error) => console.log(error.name, error.code, error.message))`;
  const env = { ...process.env, GDO_KERNEL: kernel };
  return (await promisify(execFile)(process.execPath, ["-e", script], { env })).stdout.trim();
}

test("[N2] GDO_KERNEL forces each kernel that is present, and all give the same id", async (t) => {
  const bytes = "new Uint8Array(100_000).map((_, at) => at * 7)";
  const expression = `addon.hostInfo().kernels.blake3, Buffer.from(addon.blake3(${bytes})).toString("hex")`;
  const ids = new Set<string>();
  for (const kernel of hostInfo().kernels.present) {
    const [name, id] = (await withKernel(kernel, expression)).split(" ");
    t.is(name, kernel);
    ids.add(String(id));
  }
  t.is(ids.size, 1);
  t.regex([...ids].join(), /^[0-9a-f]{64}$/);
});

test("[N2] GDO_KERNEL with a name that is not present is an error that lists those that are", async (t) => {
  const said = await withKernel("abacus", "'loaded'");
  t.true(said.startsWith("GdoError CONFIG_INVALID GDO_KERNEL=abacus: no such kernel on this processor"), said);
  t.true(said.endsWith(`it has ${hostInfo().kernels.present.join(", ")}`), said);
});

test("addon: where it is not built, the error says how to build it", async (t) => {
  const home = await mkdtemp(join(tmpdir(), "gdo-addon-"));
  t.teardown(() => rm(home, { recursive: true }));
  await mkdir(join(home, "dist", "lib"), { recursive: true });
  await cp(join(dist, "lib", "base"), join(home, "dist", "lib", "base"), { recursive: true });
  for (const name of ["addon.js", "addon-types.js"]) await cp(join(dist, "lib", name), join(home, "dist", "lib", name));
  await writeFile(join(home, "package.json"), '{ "type": "module" }');
  const script = `import(${JSON.stringify(join(home, "dist/lib/addon.js"))})
    .catch((error) => console.log(error.name, error.code, error.hint))`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", script]);
  t.is(stdout, "GdoError IO npm run build\n");
});
