/** Folders as plain data, written and read with node:fs alone: the other opinion on what a restore gave. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fc from "fast-check";
import { setModifiedTime, setXattr } from "../../lib/addon.ts";
import { SeededRng } from "../../lib/base/index.ts";

type Xattrs = readonly (readonly [name: string, value: Uint8Array])[];

export type Model =
  | {
      readonly type: "file";
      readonly content: Uint8Array;
      readonly mode: number;
      readonly mtimeNs: bigint;
      readonly xattrs: Xattrs;
    }
  | { readonly type: "link"; readonly target: string }
  | {
      readonly type: "folder";
      readonly mode: number;
      readonly mtimeNs: bigint;
      readonly xattrs: Xattrs;
      readonly names: ReadonlyMap<string, Model>;
    };

const HEX_NAME = fc
  .uint8Array({ minLength: 1, maxLength: 12 })
  .filter(
    (name) => !name.includes(0) && !name.includes(0x2f) && !(name.length < 3 && name.every((byte) => byte === 0x2e)),
  )
  .map((name) => Buffer.from(name).toString("hex"));

const mtimeNs = fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n });
const content = fc
  .tuple(fc.nat(70_000), fc.nat(3))
  .map(([size, seed]) =>
    seed === 0 ? new Uint8Array(size) : new SeededRng(seed).bytes(size).fill(0, size >> 2, size >> 1),
  );
const xattrs = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc.uniqueArray(fc.tuple(fc.constantFrom("user.a", "user.b", "user.\u00fc"), fc.uint8Array({ maxLength: 40 })), {
    maxLength: 2,
    selector: ([name]) => name,
  }),
);
const file = fc.record({ type: fc.constant("file" as const), content, mode: fc.nat(0o7777), mtimeNs, xattrs });
const link = fc.record({
  type: fc.constant("link" as const),
  target: fc.constantFrom("a", "../../etc/passwd", "/", "x/y"),
});

/** Names are hex, since a name need not be text. Owners may always write, so that a plain user can run this. */
export const folderModel: fc.Arbitrary<Model & { type: "folder" }> = fc.letrec<{ folder: Model & { type: "folder" } }>(
  (tie) => ({
    folder: fc.record({
      type: fc.constant("folder" as const),
      mode: fc.nat(0o7777).map((mode) => mode | 0o700),
      mtimeNs,
      xattrs,
      names: fc
        .array(fc.tuple(HEX_NAME, fc.oneof({ maxDepth: 3 }, file, link, tie("folder"))), { maxLength: 6 })
        .map((names) => new Map<string, Model>(names as [string, Model][])),
    }),
  }),
).folder;

function child(path: Buffer, hexName: string): Buffer {
  return Buffer.concat([path, Buffer.from("/"), Buffer.from(hexName, "hex")]);
}

/** Makes the folder; `path` must not exist. */
export function writeModel(path: Buffer, model: Model): void {
  if (model.type === "link") return symlinkSync(model.target, path);
  if (model.type === "file") writeFileSync(path, model.content);
  else {
    mkdirSync(path);
    for (const [name, entry] of model.names) writeModel(child(path, name), entry);
  }
  for (const [name, value] of model.xattrs) setXattr(path, Buffer.from(name), value);
  chmodSync(path, model.mode);
  setModifiedTime(path, model.mtimeNs);
}

/** Everything about a folder that a tree keeps, as lines of text. Hard links show as the first name of their file. */
export function describeFolder(path: Buffer, name = "", inodes = new Map<bigint, string>()): string[] {
  const stats = lstatSync(path, { bigint: true });
  const head = `${name} ${stats.mode.toString(8)} ${stats.uid}:${stats.gid} ${stats.mtimeNs}`;
  if (stats.isSymbolicLink()) return [`${head} -> ${readlinkSync(path)}`];
  if (stats.isFile()) {
    const first = inodes.get(stats.ino) ?? name;
    inodes.set(stats.ino, first);
    return [`${head} = ${first} ${Buffer.from(readFileSync(path)).toString("base64")}`];
  }
  if (!stats.isDirectory()) return [`${head} device ${stats.rdev}`];
  const names = readdirSync(path, { encoding: "buffer" }).map((entry) => entry.toString("hex"));
  return [head, ...names.sort().flatMap((entry) => describeFolder(child(path, entry), `${name}/${entry}`, inodes))];
}

/** Every extended attribute of everything in a folder, as Debian's getfattr sees them. */
export function describeXattrs(folder: string): string {
  const lines = execFileSync("getfattr", ["-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "."], { cwd: folder });
  const blocks = lines.toString("latin1").split("\n\n");
  return blocks.sort().join("\n\n");
}

/** Every file in a folder and below that is no link. */
export function filesOf(path: Buffer): Buffer[] {
  return readdirSync(path, { encoding: "buffer" }).flatMap((name) => {
    const inner = child(path, name.toString("hex"));
    const stats = lstatSync(inner);
    if (stats.isDirectory()) return filesOf(inner);
    return stats.isFile() ? [inner] : [];
  });
}

/** Gives a file of the folder a second name. */
export function addHardLink(path: Buffer, hexName: string, target: Buffer): void {
  linkSync(target, child(path, hexName));
}
