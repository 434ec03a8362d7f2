/**
 * Reads a pack from front to back, item by item, past whatever is damaged [T10]. It needs neither
 * footer nor index: they can be rebuilt from what it finds [T9]. Every item it gives is whole: its
 * checksum was right.
 */
import type { Hash } from "../../base/index.ts";
import { endsLikeFooter, FOOTER_MAGIC, footerLength, footerRows, TRAILER_BYTES } from "./frame.ts";
import { decodeRecordHeader, isRecordIntact, RECORD_HEADER_BYTES, RECORD_MAGIC, type RecordHeader } from "./record.ts";

/** Random access to a file that does not change below `sizeBytes`. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Exactly these bytes; the caller keeps within sizeBytes. Valid until it is written to by nobody. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
}

export interface RecordItem {
  readonly type: "record";
  readonly offset: number;
  readonly end: number;
  readonly header: RecordHeader;
  readonly bytes: Uint8Array;
}

export interface FooterItem {
  readonly type: "footer";
  readonly offset: number;
  readonly end: number;
}

/** Bytes that are no whole item although one follows, or although they cannot be the start of one. */
export interface DamageItem {
  readonly type: "damage";
  readonly offset: number;
  readonly end: number;
  readonly what: string;
  /** As the damaged header has it; it may be what is damaged. */
  readonly id?: Hash;
}

export type PackItem =
  | RecordItem
  | FooterItem
  | DamageItem
  | { readonly type: "mark"; readonly offset: number; readonly end: number }
  /** The start of an item that the file's end cuts off: an append that was not finished. */
  | { readonly type: "torn"; readonly offset: number; readonly end: number };

interface Broken {
  readonly type: "broken";
  readonly what: string;
  readonly id?: Hash;
  /** Where the item would end, if its header can be believed. */
  readonly claimedEnd?: number;
  /** Nothing is wrong with it but that it is not all there. */
  readonly isCutOff: boolean;
}

/** All items from `start`, which must be where an item starts, to the end. */
export async function* scanPack(source: ByteSource, start: number): AsyncGenerator<PackItem> {
  let offset = start;
  while (offset < source.sizeBytes) {
    const item = await itemAt(source, offset);
    if (item.type !== "broken") {
      yield item;
      offset = item.end;
      continue;
    }
    const next = await resume(source, offset, item);
    const isTorn = item.isCutOff && next === undefined;
    const end = next ?? source.sizeBytes;
    const id = item.id === undefined ? {} : { id: item.id };
    yield isTorn ? { type: "torn", offset, end } : { type: "damage", offset, end, what: item.what, ...id };
    offset = end;
  }
}

async function itemAt(source: ByteSource, offset: number): Promise<Exclude<PackItem, DamageItem> | Broken> {
  const left = source.sizeBytes - offset;
  const head = await source.read(offset, Math.min(left, RECORD_HEADER_BYTES));
  if (startsLike(head, FOOTER_MAGIC)) return footerAt(source, offset, head);
  if (!startsLike(head, RECORD_MAGIC)) return { type: "broken", what: "no record begins here", isCutOff: false };
  if (left < RECORD_HEADER_BYTES) return { type: "broken", what: "an unfinished record", isCutOff: true };
  const header = decodeRecordHeader(head);
  if (header === undefined) return { type: "broken", what: "the record's header is damaged", isCutOff: false };
  return recordAt(source, offset, header);
}

async function recordAt(source: ByteSource, offset: number, header: RecordHeader): Promise<PackItemOrBroken> {
  const end = offset + header.recordBytes;
  const claim = { type: "broken", id: header.id, claimedEnd: end } as const;
  if (end > source.sizeBytes) return { ...claim, what: "the record is cut off", isCutOff: true };
  const bytes = await source.read(offset, header.recordBytes);
  if (!isRecordIntact(bytes)) return { ...claim, what: "the record's checksum is wrong", isCutOff: false };
  return header.kind === undefined ? { type: "mark", offset, end } : { type: "record", offset, end, header, bytes };
}

type PackItemOrBroken = Exclude<PackItem, DamageItem> | Broken;

async function footerAt(source: ByteSource, offset: number, head: Uint8Array): Promise<PackItemOrBroken> {
  const length = footerLength(head);
  const end = length === undefined ? undefined : offset + length;
  if (end === undefined || end > source.sizeBytes) {
    const tailBytes = Math.min(TRAILER_BYTES, source.sizeBytes - offset);
    const isWhole = endsLikeFooter(await source.read(source.sizeBytes - tailBytes, tailBytes)); // Its count is wrong, then.
    return { type: "broken", what: isWhole ? "the footer is damaged" : "the footer is cut off", isCutOff: !isWhole };
  }
  const rows = footerRows(await source.read(offset, end - offset), offset);
  if (rows !== undefined) return { type: "footer", offset, end };
  return { type: "broken", what: "the footer is damaged", claimedEnd: end, isCutOff: false };
}

/** Whether the bytes begin with the magic, or are a beginning of it. */
function startsLike(bytes: Uint8Array, magic: Uint8Array): boolean {
  return bytes.subarray(0, magic.length).every((byte, index) => byte === magic[index]);
}

/**
 * Where reading can go on after a broken item; undefined when nothing whole follows. The end that the
 * item claims is tried first: a payload may hold anything, even records of another pack.
 */
async function resume(source: ByteSource, offset: number, broken: Broken): Promise<number | undefined> {
  const { claimedEnd } = broken;
  if (claimedEnd !== undefined && claimedEnd <= source.sizeBytes) {
    if (claimedEnd === source.sizeBytes) return claimedEnd;
    const next = await itemAt(source, claimedEnd);
    if (next.type !== "broken" || next.claimedEnd !== undefined || next.isCutOff) return claimedEnd;
  }
  return searchItem(source, offset + 1);
}

const SEARCH_BYTES = 1024 * 1024;

/** The next whole item at or after `start`, found by its magic. */
async function searchItem(source: ByteSource, start: number): Promise<number | undefined> {
  const magics = [RECORD_MAGIC, FOOTER_MAGIC];
  for (let base = start; base < source.sizeBytes; base += SEARCH_BYTES) {
    // Three more bytes, so that a magic across two windows is seen.
    const window = await source.read(base, Math.min(SEARCH_BYTES + 3, source.sizeBytes - base));
    for (const offset of magicOffsets(Buffer.from(window), magics)) {
      if ((await itemAt(source, base + offset)).type !== "broken") return base + offset;
    }
  }
  return undefined;
}

function magicOffsets(window: Buffer, magics: readonly Uint8Array[]): number[] {
  const offsets: number[] = [];
  for (const magic of magics) {
    for (let at = window.indexOf(magic); at >= 0; at = window.indexOf(magic, at + 1)) offsets.push(at);
  }
  return offsets.sort((a, b) => a - b);
}
