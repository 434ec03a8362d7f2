/** A block as a row, and back. */
import { concatBytes, GdoError } from "../../base/index.ts";
import { type Block, blocksWritten, blockWritten, deriveHash, deriveHashesBytes } from "../../codec/index.ts";

export interface StoredBlock {
  readonly body: Uint8Array;
  readonly sig: Uint8Array;
}

const SUM_BYTES = 8;
const ROW = "gdo v1 stored row";

/** A checksum against bit rot, not against people: unlike the id it covers the signature. */
export function sumsOf(blocks: readonly StoredBlock[]): Uint8Array[] {
  const [only] = blocks;
  if (blocks.length === 1 && only) return [sumOf(only)];
  const rows = blocks.map(({ body, sig }) => concatBytes([body, sig]));
  return deriveHashesBytes(ROW, rows).map((hash) => hash.subarray(0, SUM_BYTES));
}

/** Of the one that a device appends: its bytes are not joined, and a text is cheaper to get than an array. */
function sumOf({ body, sig }: StoredBlock): Uint8Array {
  return Buffer.from(deriveHash(ROW, body, sig).slice(0, 2 * SUM_BYTES), "hex");
}

/** Throws LEDGER_CORRUPT when what is stored is no block any more. */
export function blockOfRow({ body, sig }: StoredBlock, name: string): Block {
  try {
    return blockWritten(plain(body), plain(sig));
  } catch (error) {
    if (error instanceof GdoError) throw corrupt(name, error);
    throw error;
  }
}

/** As blockOfRow of each. */
export function blocksOfRows(rows: readonly StoredBlock[], name: string): Block[] {
  try {
    return blocksWritten(rows.map(({ body, sig }) => ({ body: plain(body), sig: plain(sig) })));
  } catch (error) {
    if (error instanceof GdoError) throw corrupt(name, error);
    throw error;
  }
}

/** As a plain array, not the driver's Buffer: equal in every sense to what was put in. The memory is its own. */
function plain({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function corrupt(name: string, cause?: unknown): GdoError {
  return new GdoError("LEDGER_CORRUPT", `block ${name} is not as it was stored`, { cause, hint: "gdo verify" });
}
