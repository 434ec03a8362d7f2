/** What a pack holds, from its footer where there is one, else by reading it through [T9]. */
import { readPackItems } from "../../addon.ts";
import { concatBytes, equalBytes, GdoError } from "../../base/index.ts";
import type { PackFiles } from "./files.ts";
import {
  checkPackHeader,
  encodeEntry,
  encodePackHeader,
  footerOffset,
  footerRows,
  PACK_HEADER_BYTES,
  TRAILER_BYTES,
} from "./frame.ts";
import { withStoreErrors } from "./native-error.ts";
import { scanPack } from "./scan.ts";

export interface PackContents {
  /** Ends with a footer: nothing is ever added. */
  readonly isSealed: boolean;
  /** As in a footer, 40 bytes a record. */
  readonly rows: Uint8Array;
  /** End of the last whole item; a torn append after it is not counted. 0: not even a header. */
  readonly endBytes: number;
  /** End of the last commit mark: what lies between it and endBytes may not be durable. */
  readonly markedBytes: number;
  /** It ends with bytes that no interrupted append leaves, or its header is damaged: nothing may be added. */
  readonly isDamaged: boolean;
}

/** Reads what a pack holds, of an unsealed one only what lies at `from` or after. */
export async function readContents(files: PackFiles, pack: number, from = PACK_HEADER_BYTES): Promise<PackContents> {
  const sizeBytes = await files.sizeBytes(pack);
  if (sizeBytes < PACK_HEADER_BYTES) return nothing(!(await isHeaderBegun(files, pack, sizeBytes)));
  const header = checkPackHeader(await files.read(pack, 0, PACK_HEADER_BYTES), pack);
  if (header === "newer") throw new GdoError("STORE_CORRUPT", `${files.pathOf(pack)} is of a newer version`);
  const footer = await readFooter(files, pack, sizeBytes, footerRows);
  if (footer !== undefined) {
    return { isSealed: true, rows: footer, endBytes: sizeBytes, markedBytes: sizeBytes, isDamaged: false };
  }
  return scanContents(files, pack, from, header === "damaged");
}

function nothing(isDamaged: boolean): PackContents {
  return { isSealed: false, rows: new Uint8Array(0), endBytes: 0, markedBytes: 0, isDamaged };
}

/** A file too short for a header is a creation that was cut off, if its bytes are those of a header. */
async function isHeaderBegun(files: PackFiles, pack: number, sizeBytes: number): Promise<boolean> {
  const bytes = await files.read(pack, 0, sizeBytes);
  return equalBytes(bytes, encodePackHeader(pack).subarray(0, sizeBytes));
}

/** The footer, decoded; undefined when the pack does not end with a whole one. */
export async function readFooter<T>(
  files: PackFiles,
  pack: number,
  sizeBytes: number,
  decode: (footer: Uint8Array, offset: number) => T,
): Promise<T | undefined> {
  if (sizeBytes < PACK_HEADER_BYTES + TRAILER_BYTES) return undefined;
  const trailer = await files.read(pack, sizeBytes - TRAILER_BYTES, TRAILER_BYTES);
  const offset = footerOffset(trailer, sizeBytes);
  if (offset === undefined) return undefined;
  return decode(await files.read(pack, offset, sizeBytes - offset), offset);
}

async function scanContents(
  files: PackFiles,
  pack: number,
  from: number,
  isHeaderDamaged: boolean,
): Promise<PackContents> {
  // Nearly always all of it; what comes after the first fault is looked at more closely.
  const sound = await withStoreErrors(() => readPackItems(files.pathOf(pack), from));
  const rows: Uint8Array[] = [sound.rows];
  let { endBytes, markedBytes } = sound;
  let isDamaged = isHeaderDamaged;
  for await (const item of scanPack(await files.source(pack), endBytes)) {
    if (item.type === "torn") break;
    endBytes = item.end;
    isDamaged = isHeaderDamaged || item.type === "damage" || item.type === "footer";
    if (item.type === "mark") markedBytes = item.end;
    if (item.type === "record") {
      rows.push(encodeEntry({ id: item.header.id, offset: item.offset, recordBytes: item.end - item.offset }));
    }
  }
  return { isSealed: false, rows: concatBytes(rows), endBytes, markedBytes, isDamaged };
}
