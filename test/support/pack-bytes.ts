/** Records of packs as docs/design/pack-format.md has them, written here on their own to check what reads them. */
import { blake3, crc32c } from "../../lib/addon.ts";
import { bytesOf, concatBytes, type Hash, hashOf32 } from "../../lib/base/index.ts";

export interface TestRecord {
  readonly kind: number;
  readonly id: Hash;
  readonly codec: number;
  readonly rawBytes: number;
  readonly bases?: readonly Hash[];
  readonly payload: Uint8Array;
}

const ZERO_ID = "0".repeat(64) as Hash;

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function withCrc(bytes: Uint8Array): Uint8Array {
  return concatBytes([bytes, word(crc32c(bytes))]);
}

export function recordBytes({ kind, id, codec, rawBytes, bases = [], payload }: TestRecord): Uint8Array {
  const head = Uint8Array.of(0xb7, 0x47, 0x44, 0x52, kind, codec, bases.length, 0);
  const lengths = [word(rawBytes), word(payload.length)];
  return withCrc(concatBytes([head, ...lengths, bytesOf(id), ...bases.map(bytesOf), payload]));
}

/** A chunk stored as it is. */
export function rawChunk(bytes: Uint8Array): Uint8Array {
  return recordBytes({ kind: 1, id: hashOf32(blake3(bytes)), codec: 0, rawBytes: bytes.length, payload: bytes });
}

export function markBytes(): Uint8Array {
  return recordBytes({ kind: 0, id: ZERO_ID, codec: 0, rawBytes: 0, payload: new Uint8Array(0) });
}
