/**
 * The native addon, typed: the only file that loads it. Arguments are checked here, so that the C++
 * side gets what it expects; sizes are bounded here too. docs/design/native.md tells who owns which
 * bytes and on which thread they are touched.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { getSystemErrorMap } from "node:util";
import {
  type Cut,
  type FileTarget,
  type HostInfo,
  type NativeAddon,
  type NativeChunker,
  type NativeCuts,
  type NativePackItems,
  type NativePackStore,
  type NativeSigningKey,
  type NativeWiegandDecoder,
  PROFILE_NAMES,
  type ProfileName,
  type WiegandFrame,
  type ZstdStep,
} from "./addon-types.ts";
import { concatBytes, GdoError, HASH_BYTES, hashOf32, OBJECT_BYTES_MAX } from "./base/index.ts";

export type * from "./addon-types.ts";
export { PROFILE_NAMES } from "./addon-types.ts";

export const ZSTD_LEVEL_MIN = 1;
export const ZSTD_LEVEL_MAX = 19; // Above, memory use is for large machines only.

/** The nearest folder above this file that holds package.json: the same for lib/, dist/lib/ and dist/bundle/. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json")) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/** The folder in which gdo itself lies; ends with a slash. */
export const PROJECT: URL = pathToFileURL(`${packageRoot()}/`);

function loadAddon(): NativeAddon {
  const path = join(packageRoot(), "build", "Release", "gdo.node");
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "GDO_KERNEL") {
      throw new GdoError("CONFIG_INVALID", cause.message, { cause, hint: "unset GDO_KERNEL for the fastest" });
    }
    throw new GdoError("IO", `the native addon does not load: ${path}`, { cause, hint: "npm run build" });
  }
}

const native = loadAddon();

/** Where the guardian program is, built beside the addon. */
export const GUARDIAN_PATH = join(packageRoot(), "build", "Release", "gdo-guardian");

/** Where the program is that stands between the agent and a container tool, built beside the addon. */
export const STAGE_PATH = join(packageRoot(), "build", "Release", "gdo-stage");

/** A library for containers, built beside the addon: another wall clock. */
export const CLOCK_PATH = join(packageRoot(), "build", "Release", "gdo-clock.so");

/** BLAKE3-256 of `bytes`, 32 bytes. On the calling thread: for what is in memory anyway. */
export function blake3(bytes: Uint8Array): Uint8Array {
  return native.blake3(checkBytes(bytes));
}

/** BLAKE3 in derive-key mode: 32 bytes that no other context gives for the same `bytes`. */
export function blake3DeriveKey(context: string, bytes: Uint8Array): Uint8Array {
  return native.blake3DeriveKey(checkContext(context), checkBytes(bytes));
}

/** As blake3DeriveKey, in hex; of `bytes` and what comes after them. */
export function blake3DeriveKeyHex(context: string, bytes: Uint8Array, more?: Uint8Array): string {
  if (more === undefined) return native.blake3DeriveKeyHex(checkContext(context), checkBytes(bytes));
  return native.blake3DeriveKeyHex(checkContext(context), checkBytes(bytes), checkBytes(more));
}

/** As blake3DeriveKey of each piece of `bytes`, which are so long; one hash after another. */
export function blake3DeriveKeys(context: string, bytes: Uint8Array, lengths: Uint32Array): Uint8Array {
  const asBytes = new Uint8Array(lengths.buffer, lengths.byteOffset, lengths.byteLength);
  return native.blake3DeriveKeys(checkContext(context), checkBytes(bytes), checkBytes(asBytes));
}

function checkContext(context: string): string {
  if (typeof context !== "string" || context === "") throw new TypeError("the context must be a text");
  return context;
}

/** The Ed25519 key that RFC 8032 derives from 32 secret bytes, which it copies and wipes in the end. */
export class SigningKey {
  readonly #native: NativeSigningKey;

  constructor(seed: Uint8Array) {
    this.#native = new native.SigningKey(checkBytes(seed));
  }

  publicKey(): Uint8Array {
    return this.#native.publicKey();
  }

  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return this.#native.sign(checkBytes(message));
  }

  /** The hash of `bytes` as blake3DeriveKeyHex gives it, and the signature over `prefix` and the hash's 32 bytes. */
  signHash(context: string, bytes: Uint8Array, prefix: Uint8Array): readonly [hash: string, signature: Uint8Array] {
    return this.#native.signHash(checkContext(context), checkBytes(bytes), checkBytes(prefix));
  }

  /** Begins to sign on a thread of its own; what comes back waits for the signatures, one after another. */
  begin(messages: readonly Uint8Array[]): () => Uint8Array {
    const lengths = Uint32Array.from(messages, ({ length }) => length);
    const signing = this.#native.begin(concatBytes(messages), new Uint8Array(lengths.buffer));
    return () => native.ed25519Finish(signing);
  }
}

/**
 * Whether libsodium takes the signature: a stricter judge than RFC 8032, since it refuses an R of small order. So
 * true is a verdict under any key that may be used, and false is none yet.
 */
export function ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return native.ed25519Verify(checkBytes(key), checkBytes(message), checkBytes(signature));
}

/** What ed25519VerifyAll reads: key, signature, the message's length in a byte, the message. */
export const VERIFY_ROW_BYTES = 160;
export const VERIFY_MESSAGE_AT = 97;

/** As ed25519Verify of each row, off the main thread: 1 or 0 for each. The rows are borrowed until it settles. */
export function ed25519VerifyAll(rows: Uint8Array): Promise<Uint8Array> {
  if (rows.length % VERIFY_ROW_BYTES !== 0) throw new RangeError(`${rows.length} bytes are no whole rows`);
  return native.ed25519VerifyAll(checkBytes(rows));
}

/** CRC-32C (Castagnoli), unsigned. */
export function crc32c(bytes: Uint8Array): number {
  return native.crc32c(checkBytes(bytes));
}

/** Records and marks of a pack from `from` on, where one begins, up to the first that is not whole. */
export function readPackItems(path: string, from: number): Promise<NativePackItems> {
  return native.readPackItems(path, from);
}

/** One zstd frame, on the calling thread. `level` is 1 to 19; at most OBJECT_BYTES_MAX bytes. */
export function zstdCompress(bytes: Uint8Array, level: number): Uint8Array {
  checkBytes(bytes);
  if (!Number.isInteger(level) || level < ZSTD_LEVEL_MIN || level > ZSTD_LEVEL_MAX) {
    throw new RangeError(`zstd level out of range: ${level}`);
  }
  if (bytes.byteLength > OBJECT_BYTES_MAX) throw new RangeError(`too much for one zstd frame: ${bytes.byteLength}`);
  const frame = native.zstdCompress(bytes, level);
  if (frame === undefined) throw new GdoError("IO", `zstd could not compress ${bytes.byteLength} bytes`);
  return frame;
}

/**
 * The content of one zstd frame that must hold exactly `sizeBytes`.
 * Throws STORE_CORRUPT when it does not, or is no frame, or anything follows it.
 */
export function zstdDecompress(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  checkBytes(bytes);
  const isSize = Number.isInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= OBJECT_BYTES_MAX;
  const content = isSize ? native.zstdDecompress(bytes, sizeBytes) : undefined;
  if (content === undefined) {
    throw new GdoError("STORE_CORRUPT", `not a zstd frame of ${sizeBytes} bytes (${bytes.byteLength} bytes stored)`);
  }
  return content;
}

/** What this processor runs, for reports and measurements. */
export function hostInfo(): HostInfo {
  return native.hostInfo();
}

/** Takes the exclusive lock of an open file if nobody has it; closing the file or dying gives it back. */
export function tryLockFile(fd: number): boolean {
  return native.tryLockFile(fd);
}

/** Sets when a file, or a symbolic link itself, was last modified, to the nanosecond. Throws as node:fs does. */
export function setModifiedTime(file: FileTarget, mtimeNs: bigint): void {
  if (BigInt.asIntN(64, mtimeNs) !== mtimeNs) throw new RangeError(`time out of range: ${mtimeNs}`);
  throwErrno("utimensat", file, native.setModifiedTime(checkTarget(file), mtimeNs));
}

/** Names of a file's extended attributes, each ending with a NUL. Throws as node:fs does. */
export function listXattrs(file: FileTarget): Uint8Array {
  const names = native.listXattrs(checkTarget(file));
  if (typeof names === "number") throwErrno("listxattr", file, names);
  return names as Uint8Array;
}

/** The value of one extended attribute. Throws as node:fs does; ENODATA when there is none. */
export function getXattr(file: FileTarget, name: Uint8Array): Uint8Array {
  const value = native.getXattr(checkTarget(file), checkPath(name));
  if (typeof value === "number") throwErrno("getxattr", file, value);
  return value as Uint8Array;
}

/** Sets one extended attribute. Throws as node:fs does. */
export function setXattr(file: FileTarget, name: Uint8Array, value: Uint8Array): void {
  throwErrno("setxattr", file, native.setXattr(checkTarget(file), checkPath(name), checkBytes(value)));
}

/** Removes one extended attribute. Throws as node:fs does. */
export function removeXattr(file: FileTarget, name: Uint8Array): void {
  throwErrno("removexattr", file, native.removeXattr(checkTarget(file), checkPath(name)));
}

/** Makes a device node or a named pipe; `mode` holds type and permissions. Throws as node:fs does. */
export function makeNode(path: Uint8Array, mode: number, major: number, minor: number): void {
  throwErrno("mknod", path, native.makeNode(checkPath(path), mode, major, minor));
}

/**
 * Cuts a stream into named chunks, off the main thread. Same bytes, same cuts, for any split into
 * pieces [T2]. One call at a time: a second one before the first has settled throws. The bytes
 * passed to `update` are borrowed until it settles and must not change meanwhile.
 */
export class Chunker {
  readonly #native: NativeChunker;

  constructor(profile: ProfileName) {
    if (!PROFILE_NAMES.includes(profile)) throw new RangeError(`no such chunking profile: ${profile}`);
    this.#native = new native.Chunker(profile);
  }

  /** The cuts that `bytes` settle; often none. */
  async update(bytes: Uint8Array): Promise<Cut[]> {
    return toCuts(await this.#native.update(checkBytes(bytes)));
  }

  /** The cuts of what is left. A later `update` starts at the offset reached. */
  async finish(): Promise<Cut[]> {
    return toCuts(await this.#native.finish());
  }
}

/** The native part of a pack store. Making it neither opens nor makes a file. */
export function nativePackStore(folder: string, packBytesMax: number): NativePackStore {
  return new native.PackStore(folder, packBytesMax);
}

/**
 * Makes frames of the edges of one Wiegand reader. A frame ends by silence: 4 × the longest
 * interval seen in it, 3 to 25 ms. All times come from one monotonic clock.
 */
export class WiegandDecoder {
  readonly #native: NativeWiegandDecoder;

  constructor() {
    this.#native = new native.WiegandDecoder();
  }

  /** A falling edge: on line 0 a 0, on line 1 a 1. Gives the frame before, if this edge comes after its gap. */
  edge(line: 0 | 1, timestampNs: bigint): WiegandFrame | undefined {
    if (line !== 0 && line !== 1) throw new RangeError(`no such line: ${line}`);
    return this.#native.edge(line, checkTime(timestampNs));
  }

  /** When the open frame ends if no more edges come; undefined when none is open. */
  deadlineNs(): bigint | undefined {
    return this.#native.deadlineNs();
  }

  /** The open frame, if its time has come. */
  poll(nowNs: bigint): WiegandFrame | undefined {
    return this.#native.poll(checkTime(nowNs));
  }
}

function toCuts({ bounds, ids }: NativeCuts): Cut[] {
  return Array.from({ length: bounds.length / 2 }, (_, index) => ({
    offset: bounds[2 * index] as number,
    length: bounds[2 * index + 1] as number,
    id: hashOf32(ids.subarray(HASH_BYTES * index, HASH_BYTES * (index + 1))),
  }));
}

/** The content of zstd frames, one after the other, in steps of bounded size. One thread. */
export class ZstdStream {
  readonly #native = new native.ZstdStream();

  /** INPUT_INVALID for what is no zstd, or asks for more than 128 MiB of memory. */
  step(bytes: Uint8Array): ZstdStep {
    const step = this.#native.step(checkBytes(bytes));
    if (step === undefined) throw new GdoError("INPUT_INVALID", "not a sound zstd stream");
    return step;
  }
}

/** `errno` 0 is success. */
function throwErrno(call: string, file: FileTarget, errno: number): void {
  if (errno === 0) return;
  const [code, meaning] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, "unknown error"];
  const what = typeof file === "number" ? "" : ` '${Buffer.from(file).toString()}'`;
  throw Object.assign(new Error(`${code}: ${meaning}, ${call}${what}`), { code, errno: -errno, syscall: call });
}

function checkTarget(file: FileTarget): FileTarget {
  if (typeof file !== "number") return checkPath(file);
  if (!Number.isInteger(file) || file < 0) throw new TypeError(`not a file descriptor: ${file}`);
  return file;
}

function checkPath(path: Uint8Array): Uint8Array {
  if (checkBytes(path).includes(0)) throw new TypeError("a path has no NUL");
  return path;
}

/** Memory that can shrink or change under a reading thread is refused, not copied in silence. */
export function checkBytes(bytes: Uint8Array): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("expected a Uint8Array");
  const memory = bytes.buffer as ArrayBuffer & { readonly resizable?: boolean };
  if (!(memory instanceof ArrayBuffer) || memory.resizable === true) {
    throw new TypeError("expected bytes whose memory is neither shared nor resizable");
  }
  return bytes;
}

function checkTime(timeNs: bigint): bigint {
  if (typeof timeNs !== "bigint" || timeNs < 0n || timeNs >= 1n << 63n) {
    throw new RangeError(`not a monotonic time in nanoseconds: ${timeNs}`);
  }
  return timeNs;
}
