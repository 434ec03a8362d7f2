/** What the native addon has, as types: lib/addon.ts alone calls it. */
import type { Hash } from "./base/index.ts";

/** [T2] `min8-64k` is the default. Those after `fixed-64k` are others', to read and write their stores. */
export const PROFILE_NAMES = [
  "min8-64k",
  "min8-16k",
  "fixed-64k",
  "fastcdc2016-16k",
  "fastcdc2016-64k",
  "fastcdc2020-16k",
  "fastcdc2020-64k",
  "buzhash-casync",
] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** One chunk of a stream: where it is and its name [T1]. Offsets are from the stream's start. */
export interface Cut {
  readonly offset: number;
  readonly length: number;
  readonly id: Hash;
}

/** Bits as they came, "0" and "1"; what is wrong with the frame, if anything. */
export interface WiegandFrame {
  readonly bits: string;
  readonly lastEdgeNs: bigint;
  readonly fault: "none" | "short_interval" | "overrun";
}

export interface HostInfo {
  /** The code path each algorithm takes on this processor, and all that GDO_KERNEL may name here. */
  readonly kernels: {
    readonly blake3: string;
    readonly chunker: string;
    readonly crc32c: string;
    readonly present: readonly string[];
  };
  readonly versions: { readonly nodeApi: number; readonly zstd: string };
}

/** A path, whose last name is not followed if it is a symbolic link, or a file descriptor. */
export type FileTarget = Uint8Array | number;

export interface NativeCuts {
  readonly bounds: Float64Array;
  readonly ids: Uint8Array;
}

export interface NativeChunker {
  update(bytes: Uint8Array): Promise<NativeCuts>;
  finish(): Promise<NativeCuts>;
}

/** What a native call of the store rejects with. lib/store/pack/native-error.ts makes GdoErrors of it. */
export interface StoreFault extends Error {
  readonly fault: "system" | "corrupt" | "missing" | "invalid" | "aborted" | "closed";
  /** Of "system": as node:fs has it, like "ENOSPC". */
  readonly code: string;
}

/** A file as it went into the store. */
export interface NativeIngest {
  readonly id: Uint8Array;
  readonly sizeBytes: number;
  /** Chunks that the store did not have, their bytes, and those of their records. */
  readonly newChunks: number;
  readonly newBytes: number;
  readonly storedBytes: number;
}

/** Work on other threads; `number` aborts it. */
export interface NativeJob<T> {
  readonly number: number;
  readonly promise: Promise<T>;
}

export type Progress = ((doneBytes: number) => void) | undefined;

/** What a pack without a footer holds, as far as nothing is wrong with it. */
export interface NativePackItems {
  /** As in a footer, in the order of the pack. */
  readonly rows: Uint8Array;
  /** End of the last whole item, and of the last mark among them. */
  readonly endBytes: number;
  readonly markedBytes: number;
}

interface NativeIndexFault {
  readonly file: string;
  readonly offset: number;
  readonly what: string;
}

/**
 * The objects of one store, natively: native/pack_store.cc tells what each does. For
 * lib/store/pack/store.ts only, which checks arguments. Ids are 32 bytes; rows are a footer's, 40 each.
 */
export interface NativePackStore {
  /** Takes in the index on disk; gives the packs that need not be added, ascending. */
  loadIndex(isWriter: boolean): Promise<Uint32Array>;
  /** All of a sealed pack has been added: the index on disk may take it over. */
  sealPack(pack: number, bytes: number): Promise<void>;
  /** What is damaged in the index on disk. */
  verifyIndex(): Promise<readonly NativeIndexFault[]>;
  addEntries(pack: number, rows: Uint8Array): void;
  /** Without more than the number, the pack is not gone on with. */
  setLastPack(pack: number, endBytes?: number, markedBytes?: number, rows?: Uint8Array): void;
  /** What lies in these packs, and in no later one, is no longer held. */
  dropPacks(packs: readonly number[]): void;
  has(id: Uint8Array): boolean;
  /** Whether that is the record that counts: not one that a later one has replaced. */
  isAt(id: Uint8Array, pack: number, offset: number): boolean;
  count(): number;
  /** Some ids, ascending, from the first that is not below `from`; none at the end. */
  ids(from: Uint8Array): Uint8Array;
  put(kind: number, id: Uint8Array, bytes: Uint8Array): Promise<void>;
  get(id: Uint8Array): Promise<{ readonly kind: number; readonly bytes: Uint8Array }>;
  /** Rejects unless the record holds the object. */
  openRecord(record: Uint8Array, id: Uint8Array): Promise<void>;
  commit(): Promise<void>;
  finish(): Promise<void>;
  putFile(
    fd: number,
    bytesMax: number,
    profile: ProfileName,
    progress: Progress,
    previous?: Uint8Array,
  ): NativeJob<NativeIngest>;
  restoreFile(id: Uint8Array, fd: number, progress: Progress): NativeJob<number>;
  /** A step of cleaning; native/collection_calls.h has them. */
  collect(step: CollectionStep, ...args: readonly unknown[]): unknown;
  /** A step of looking after the store; native/checkup_calls.h has them. */
  check(step: CheckupStep, ...args: readonly unknown[]): unknown;
  abort(number: number): void;
  close(): void;
}

export type CheckupStep = "begin" | "pack" | "roots" | "rootsIn" | "walk" | "count" | "rows" | "end";

/** Something that is needed and cannot be had. */
export interface NativeLack {
  readonly id: Uint8Array;
  readonly root: Uint8Array;
  readonly isDamaged: boolean;
  readonly what: string;
}

export interface NativeWalkPart {
  readonly isDone: boolean;
  readonly readBytes: number;
  readonly lacks: readonly NativeLack[];
}

export interface NativeRowsChecked {
  /** Rows of the records that count. */
  readonly counting: number;
  readonly faults: readonly { readonly id: Uint8Array; readonly offset: number; readonly what: string }[];
}

export type CollectionStep =
  | "begin"
  | "pack"
  | "name"
  | "nameAllIn"
  | "nameYoung"
  | "condemn"
  | "findLeaning"
  | "uses"
  | "repack"
  | "beginPack"
  | "abort"
  | "end";

/** What came of one step of a stream. */
export interface ZstdStep {
  /** At most 128 KiB, however much the input holds. */
  readonly output: Uint8Array;
  /** Of the input, from its start. */
  readonly usedBytes: number;
  /** Whether more may come without more input. */
  readonly hasMore: boolean;
  /** Whether every frame so far is whole and given out. */
  readonly isWhole: boolean;
}

export interface NativeWiegandDecoder {
  edge(line: 0 | 1, timestampNs: bigint): WiegandFrame | undefined;
  deadlineNs(): bigint | undefined;
  poll(nowNs: bigint): WiegandFrame | undefined;
}

/** Signatures that are being made; only ed25519Finish knows what it is. */
export type NativeSigning = { readonly opaque: unique symbol };

export interface NativeSigningKey {
  publicKey(): Uint8Array;
  sign(message: Uint8Array): Uint8Array;
  signHash(context: string, bytes: Uint8Array, prefix: Uint8Array): readonly [hash: string, signature: Uint8Array];
  begin(messages: Uint8Array, lengths: Uint8Array): NativeSigning;
}

export interface NativeAddon {
  readonly SigningKey: new (seed: Uint8Array) => NativeSigningKey;
  ed25519Finish(signing: NativeSigning): Uint8Array;
  ed25519Verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  ed25519VerifyAll(rows: Uint8Array): Promise<Uint8Array>;
  blake3(bytes: Uint8Array): Uint8Array;
  blake3DeriveKey(context: string, bytes: Uint8Array): Uint8Array;
  blake3DeriveKeyHex(context: string, bytes: Uint8Array, more?: Uint8Array): string;
  blake3DeriveKeys(context: string, bytes: Uint8Array, lengths: Uint8Array): Uint8Array;
  crc32c(bytes: Uint8Array): number;
  readPackItems(path: string, from: number): Promise<NativePackItems>;
  zstdCompress(bytes: Uint8Array, level: number): Uint8Array | undefined;
  zstdDecompress(frame: Uint8Array, sizeBytes: number): Uint8Array | undefined;
  hostInfo(): HostInfo;
  tryLockFile(fd: number): boolean;
  setModifiedTime(file: FileTarget, mtimeNs: bigint): number;
  makeNode(path: Uint8Array, mode: number, major: number, minor: number): number;
  listXattrs(file: FileTarget): Uint8Array | number;
  getXattr(file: FileTarget, name: Uint8Array): Uint8Array | number;
  setXattr(file: FileTarget, name: Uint8Array, value: Uint8Array): number;
  removeXattr(file: FileTarget, name: Uint8Array): number;
  readonly Chunker: new (profile: ProfileName) => NativeChunker;
  readonly PackStore: new (folder: string, packBytesMax: number) => NativePackStore;
  readonly ZstdStream: new () => { step(bytes: Uint8Array): ZstdStep | undefined };
  readonly WiegandDecoder: new () => NativeWiegandDecoder;
}
