/**
 * A snapshot: what a folder was at one time [T5]. Pure. Canonical map: b bytes | f files | h host |
 * l lacking | p previous, or null | r tree | s source | t time | v 1. Its id is BLAKE3 in derive-key mode,
 * context "gdo v1 snapshot", over these bytes.
 */
import { bytesOf, type Hash, hashOf32 } from "../../base/index.ts";
import { type Canonical, decodeCanonical, deriveHash, encodeCanonical } from "../../codec/index.ts";
import { asInteger, asNode, malformed } from "../blob/node-form.ts";

export interface Snapshot {
  readonly tree: Hash;
  /** Wall time when the reading began, milliseconds since 1970. */
  readonly timeMs: number;
  readonly host: string;
  /** The folder's path, as bytes. */
  readonly source: Uint8Array;
  /** The snapshot whose files were taken over where nothing had changed. */
  readonly previous?: Hash;
  /** Names of files in it. */
  readonly files: number;
  /** Their content; what has several names counts several times. */
  readonly sizeBytes: number;
  /** Things that could not be read: the snapshot does not hold their content. */
  readonly lacking: number;
}

const SNAPSHOT_VERSION = 1;
const SNAPSHOT_BYTES_MAX = 16 * 1024;
const HOST_CHARACTERS_MAX = 255;

export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  return encodeCanonical({
    b: snapshot.sizeBytes,
    f: snapshot.files,
    h: snapshot.host.normalize("NFC").slice(0, HOST_CHARACTERS_MAX),
    l: snapshot.lacking,
    p: snapshot.previous === undefined ? null : bytesOf(snapshot.previous),
    r: bytesOf(snapshot.tree),
    s: snapshot.source,
    t: snapshot.timeMs,
    v: SNAPSHOT_VERSION,
  });
}

export function snapshotId(bytes: Uint8Array): Hash {
  return deriveHash("gdo v1 snapshot", bytes);
}

/** Throws STORE_CORRUPT for anything that encodeSnapshot does not write. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const decode = (): Canonical => decodeCanonical(bytes, { bytesMax: SNAPSHOT_BYTES_MAX, depthMax: 2 });
  const map = asNode("snapshot", decode, ["b", "f", "h", "l", "p", "r", "s", "t", "v"]);
  if (map.v !== SNAPSHOT_VERSION) throw malformed("snapshot", "its version is unknown");
  if (typeof map.h !== "string" || !(map.s instanceof Uint8Array)) throw malformed("snapshot", "it has no origin");
  const previous = map.p === null ? {} : { previous: asId(map.p) };
  return {
    tree: asId(map.r),
    timeMs: asCount(map.t),
    host: map.h,
    source: map.s,
    ...previous,
    files: asCount(map.f),
    sizeBytes: asCount(map.b),
    lacking: asCount(map.l),
  };
}

function asId(value: Canonical | undefined): Hash {
  if (value instanceof Uint8Array && value.length === 32) return hashOf32(value);
  throw malformed("snapshot", "an id is wrong");
}

function asCount(value: Canonical | undefined): number {
  const count = asInteger(value, Number.MAX_SAFE_INTEGER);
  if (count === undefined) throw malformed("snapshot", "a number is wrong");
  return count;
}
