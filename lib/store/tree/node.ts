/**
 * The node of a folder [T4]. Pure. It holds the folder's own attributes and its entries, sorted by
 * the bytes of their names. docs/design/store.md lists the fields.
 *
 * Canonical map: a attributes | e entries | v 1. Names are bytes: a file system's names need not be text.
 */
import { bytesOf, compareBytes, type Hash, hashOf32, toHex } from "../../base/index.ts";
import { type Canonical, type CanonicalMap, decodeCanonical, encodeCanonical } from "../../codec/index.ts";
import { asInteger, asMap, asNode, malformed } from "../blob/node-form.ts";
import { nameFault } from "./name.ts";

/** An extended attribute, ACLs and capabilities included, as the file system names it. */
export interface Xattr {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

export interface Attributes {
  /** Permission bits with set-user-id, set-group-id and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970; before is negative. */
  readonly mtimeNs: bigint;
  readonly xattrs?: readonly Xattr[];
}

interface Named {
  readonly name: Uint8Array;
}

interface Linkable extends Named {
  readonly attributes: Attributes;
  /** 16 hex digits: entries of one tree with the same group are one file with several names. */
  readonly linkGroup?: string;
}

/** Where a file was when a backup read it: if these and size and time are the same, so is its content. */
export interface Origin {
  readonly inode: bigint;
  readonly ctimeNs: bigint;
}

export interface FileEntry extends Linkable {
  readonly type: "file";
  /** A blob. */
  readonly id: Hash;
  readonly sizeBytes: number;
  readonly origin?: Origin;
}

export interface DirectoryEntry extends Named {
  readonly type: "directory";
  /** A tree. It holds the folder's attributes. */
  readonly id: Hash;
}

export interface SymlinkEntry extends Linkable {
  readonly type: "symlink";
  readonly target: Uint8Array;
}

export interface DeviceEntry extends Linkable {
  readonly type: "character" | "block";
  readonly major: number;
  readonly minor: number;
}

export interface FifoEntry extends Linkable {
  readonly type: "fifo";
}

export type TreeEntry = FileEntry | DirectoryEntry | SymlinkEntry | DeviceEntry | FifoEntry;

export interface TreeNode {
  readonly attributes: Attributes;
  /** Ascending by name, each name once. */
  readonly entries: readonly TreeEntry[];
}

const TREE_VERSION = 1;
const TARGET_BYTES_MAX = 4095;
const XATTR_NAME_BYTES_MAX = 255;
const UINT32_MAX = 2 ** 32 - 1;

const TYPE_LETTERS = { file: "f", symlink: "l", character: "c", block: "b", fifo: "p" } as const;

export function encodeTreeNode(node: TreeNode): Uint8Array {
  const entries = node.entries.map(encodeEntry);
  return encodeCanonical({ a: encodeAttributes(node.attributes), e: entries, v: TREE_VERSION });
}

/** The ids that a folder needs, once each. */
export function treeLinks(node: TreeNode): Hash[] {
  const ids = node.entries.flatMap((entry) => (entry.type === "file" || entry.type === "directory" ? [entry.id] : []));
  return [...new Set(ids)];
}

function encodeEntry(entry: TreeEntry): Canonical {
  if (entry.type === "directory") return { n: entry.name, y: "d", i: bytesOf(entry.id) };
  return encodeLinkable(entry);
}

function encodeLinkable(entry: Exclude<TreeEntry, DirectoryEntry>): Canonical {
  const head = { n: entry.name, y: TYPE_LETTERS[entry.type] };
  const group = entry.linkGroup === undefined ? {} : { k: new Uint8Array(Buffer.from(entry.linkGroup, "hex")) };
  const linkable = { ...head, a: encodeAttributes(entry.attributes), ...group };
  switch (entry.type) {
    case "file": {
      const origin = entry.origin === undefined ? {} : { o: [entry.origin.inode, entry.origin.ctimeNs] };
      return { ...linkable, i: bytesOf(entry.id), s: entry.sizeBytes, ...origin };
    }
    case "symlink":
      return { ...linkable, l: entry.target };
    case "character":
    case "block":
      return { ...linkable, r: [entry.major, entry.minor] };
    case "fifo":
      return linkable;
  }
}

function encodeAttributes({ mode, uid, gid, mtimeNs, xattrs = [] }: Attributes): Canonical {
  const list = xattrs.map(({ name, value }) => [name, value]);
  return { m: mode, u: uid, g: gid, t: mtimeNs, ...(list.length === 0 ? {} : { x: list }) };
}

/** Throws STORE_CORRUPT for anything that encodeTreeNode does not write, above all for names that lead elsewhere. */
export function decodeTreeNode(bytes: Uint8Array): TreeNode {
  const map = asNode("tree", () => decodeCanonical(bytes), ["a", "e", "v"]);
  if (map.v !== TREE_VERSION) throw malformed("tree", "its version is unknown");
  if (!Array.isArray(map.e)) throw malformed("tree", "it has no entries");
  const entries = map.e.map(decodeEntry);
  for (let index = 1; index < entries.length; index += 1) {
    const [before, entry] = [entries[index - 1], entries[index]];
    if (before && entry && compareBytes(before.name, entry.name) >= 0)
      throw malformed("tree", "its names are not in order");
  }
  return { attributes: decodeAttributes(map.a), entries };
}

/** Which fields an entry of each type has, beside n and y, and which it may have. */
const FIELDS: Readonly<Record<string, string>> = { d: "i", f: "ais", l: "al", c: "ar", b: "ar", p: "a" };
const OPTIONAL: Readonly<Record<string, string>> = { d: "", f: "ko", l: "k", c: "k", b: "k", p: "k" };

function decodeEntry(value: Canonical): TreeEntry {
  const map = asMap(value);
  const name = map?.n;
  if (map === undefined || !(name instanceof Uint8Array)) throw malformed("tree", "an entry has no name");
  const fault = nameFault(name);
  if (fault !== undefined) throw malformed("tree", `the name ${JSON.stringify(Buffer.from(name).toString())} ${fault}`);
  assertFields(map);
  if (map.y === "d") return { type: "directory", name, id: decodeId(map.i) };
  const linkable = { name, attributes: decodeAttributes(map.a), ...decodeGroup(map.k) };
  switch (map.y) {
    case "f":
      return { type: "file", ...linkable, id: decodeId(map.i), ...decodeFile(map) };
    case "l":
      return { type: "symlink", ...linkable, target: decodeTarget(map.l) };
    case "c":
      return { type: "character", ...linkable, ...decodeDevice(map.r) };
    case "b":
      return { type: "block", ...linkable, ...decodeDevice(map.r) };
    default:
      return { type: "fifo", ...linkable };
  }
}

function assertFields(map: CanonicalMap): void {
  const fields = typeof map.y === "string" ? FIELDS[map.y] : undefined;
  if (fields === undefined) throw malformed("tree", "an entry's type is unknown");
  const optional = [...(OPTIONAL[map.y as string] ?? "")].filter((field) => field in map);
  const expected = `ny${fields}${optional.join("")}`;
  const names = Object.keys(map);
  if (names.length !== expected.length || names.some((name) => !expected.includes(name))) {
    throw malformed("tree", "an entry's fields are wrong");
  }
}

function decodeId(value: Canonical | undefined): Hash {
  if (value instanceof Uint8Array && value.length === 32) return hashOf32(value);
  throw malformed("tree", "an entry's id is wrong");
}

function decodeGroup(value: Canonical | undefined): { linkGroup?: string } {
  if (value === undefined) return {};
  if (!(value instanceof Uint8Array) || value.length !== 8) throw malformed("tree", "a link group is wrong");
  return { linkGroup: toHex(value) };
}

function decodeFile(map: CanonicalMap): { sizeBytes: number; origin?: Origin } {
  const sizeBytes = asInteger(map.s, Number.MAX_SAFE_INTEGER);
  if (sizeBytes === undefined) throw malformed("tree", "a file's size is wrong");
  return map.o === undefined ? { sizeBytes } : { sizeBytes, origin: decodeOrigin(map.o) };
}

function decodeOrigin(value: Canonical): Origin {
  const [inode, ctimeNs] = Array.isArray(value) && value.length === 2 ? value.map(asBigint) : [];
  if (inode === undefined || ctimeNs === undefined || inode < 0n) throw malformed("tree", "a file's origin is wrong");
  return { inode, ctimeNs };
}

function asBigint(value: Canonical): bigint | undefined {
  return typeof value === "number" || typeof value === "bigint" ? BigInt(value) : undefined;
}

function decodeTarget(value: Canonical | undefined): Uint8Array {
  const isTarget =
    value instanceof Uint8Array && value.length > 0 && value.length <= TARGET_BYTES_MAX && !value.includes(0);
  if (!isTarget) throw malformed("tree", "a symbolic link's target is wrong");
  return value;
}

function decodeDevice(value: Canonical | undefined): { major: number; minor: number } {
  const numbers = Array.isArray(value) && value.length === 2 ? value.map((part) => asInteger(part, UINT32_MAX)) : [];
  const [major, minor] = numbers;
  if (major === undefined || minor === undefined) throw malformed("tree", "a device's numbers are wrong");
  return { major, minor };
}

const MTIME_MAX = 2n ** 63n - 1n;

function decodeAttributes(value: Canonical | undefined): Attributes {
  const map = asMap(value) ?? {};
  const mode = asInteger(map.m, 0o7777);
  const uid = asInteger(map.u, UINT32_MAX);
  const gid = asInteger(map.g, UINT32_MAX);
  const time = map.t === undefined ? undefined : asBigint(map.t);
  const count = Object.keys(map).length - ("x" in map ? 1 : 0);
  const isWhole = mode !== undefined && uid !== undefined && gid !== undefined && time !== undefined;
  if (!isWhole || time > MTIME_MAX || count !== 4) throw malformed("tree", "attributes are wrong");
  const attributes = { mode, uid, gid, mtimeNs: time };
  return map.x === undefined ? attributes : { ...attributes, xattrs: decodeXattrs(map.x) };
}

function decodeXattrs(value: Canonical): Xattr[] {
  const list = Array.isArray(value) ? value.map(decodeXattr) : [];
  const isOrdered = list.every(
    (xattr, index) => index === 0 || compareBytes((list[index - 1] as Xattr).name, xattr.name) < 0,
  );
  if (list.length === 0 || !isOrdered) throw malformed("tree", "extended attributes are wrong");
  return list;
}

function decodeXattr(pair: Canonical): Xattr {
  const [name, value] = Array.isArray(pair) && pair.length === 2 ? pair : [];
  const isName =
    name instanceof Uint8Array && name.length > 0 && name.length <= XATTR_NAME_BYTES_MAX && !name.includes(0);
  if (!isName || !(value instanceof Uint8Array)) throw malformed("tree", "an extended attribute is wrong");
  return { name, value };
}
