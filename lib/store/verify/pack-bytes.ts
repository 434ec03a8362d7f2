/** Reads a pack whole and says what is damaged, to the offset [T10]. */
import type { Hash } from "../../base/index.ts";
import { readFooter } from "../pack/catalog.ts";
import type { PackFiles } from "../pack/files.ts";
import { checkPackHeader, ENTRY_BYTES, type FooterEntry, footerRows, PACK_HEADER_BYTES, rowAt } from "../pack/frame.ts";
import { type PackItem, scanPack } from "../pack/scan.ts";

/** Something damaged: where, and which object it was when that is known. */
export interface BadPlace {
  readonly pack: string;
  readonly offset: number;
  readonly id?: Hash;
  readonly what: string;
}

export interface PackReading {
  /** What is wrong with the content of a whole record; undefined when it is the object it says. */
  readonly contentFault: (record: Uint8Array, id: Hash, offset: number) => Promise<string | undefined>;
  readonly onBad: (place: BadPlace) => void;
  /** Told of bytes as they are read; may make the reading wait, or end it. */
  readonly onRead: (bytes: number) => Promise<void> | void;
}

/** The records of a pack that are right; tells each place that is not. */
export async function verifyPack(files: PackFiles, pack: number, reading: PackReading): Promise<number> {
  const name = files.nameOf(pack);
  const bad = (offset: number, what: string, id?: Hash): void =>
    reading.onBad({ pack: name, offset, what, ...(id === undefined ? {} : { id }) });
  const source = await files.source(pack);
  const header = source.sizeBytes < PACK_HEADER_BYTES ? undefined : await source.read(0, PACK_HEADER_BYTES);
  if (header === undefined) {
    if (source.sizeBytes > 0) bad(0, "the pack ends within its header");
    return 0;
  }
  if (checkPackHeader(header, pack) !== "ok") bad(0, "the pack's header is damaged");
  const footer = new FooterCheck(await readFooter(files, pack, source.sizeBytes, footerRows));
  let records = 0;
  for await (const item of scanPack(source, PACK_HEADER_BYTES)) {
    for (const entry of footer.before(item.offset)) bad(entry.offset, UNSEEN, entry.id);
    const listed = footer.at(item.offset);
    const fault = footer.faultOf(item, listed, source.sizeBytes) ?? (await faultOf(item, reading));
    if (fault !== undefined) bad(item.offset, fault, listed?.id ?? idOf(item));
    else if (item.type === "record") records += 1;
    await reading.onRead(item.end - item.offset);
  }
  for (const entry of footer.before(Number.POSITIVE_INFINITY)) bad(entry.offset, UNSEEN, entry.id);
  return records;
}

const UNSEEN = "the record is not where the footer says";

function idOf(item: PackItem): Hash | undefined {
  if (item.type === "record") return item.header.id;
  return item.type === "damage" ? item.id : undefined;
}

async function faultOf(item: PackItem, { contentFault }: PackReading): Promise<string | undefined> {
  if (item.type === "damage") return item.what;
  return item.type === "record" ? contentFault(item.bytes, item.header.id, item.offset) : undefined;
}

/** Offsets have 32 bits, and a pack has fewer records than this. */
const ROWS_MAX = 2 ** 21;

/** Goes along a sealed pack's footer, by offset, as its records are met. */
class FooterCheck {
  readonly #rows: Uint8Array | undefined;
  /** Offset and number of each row, as one number: memory is 8 bytes a record. */
  readonly #order: Float64Array;
  #next = 0;

  constructor(rows: Uint8Array | undefined) {
    this.#rows = rows;
    const count = rows === undefined ? 0 : rows.length / ENTRY_BYTES;
    const keyOf = (_: unknown, row: number): number => rowAt(rows as Uint8Array, row).offset * ROWS_MAX + row;
    this.#order = Float64Array.from({ length: count }, keyOf).sort();
  }

  /** What the footer lists before an offset and nothing began at. */
  *before(offset: number): Generator<FooterEntry> {
    for (let entry = this.#peek(); entry !== undefined && entry.offset < offset; entry = this.#peek()) {
      this.#next += 1;
      yield entry;
    }
  }

  /** What the footer says lies there: right even where the record's own header is damaged. */
  at(offset: number): FooterEntry | undefined {
    const entry = this.#peek();
    if (entry?.offset !== offset) return undefined;
    this.#next += 1;
    return entry;
  }

  faultOf(item: PackItem, listed: FooterEntry | undefined, sizeBytes: number): string | undefined {
    if (item.type === "footer") return item.end === sizeBytes ? undefined : "the footer is not the end of the pack";
    if (this.#rows === undefined || item.type !== "record") return undefined;
    const isListed = listed?.id === item.header.id && listed.recordBytes === item.end - item.offset;
    return isListed ? undefined : "the footer does not list this record";
  }

  #peek(): FooterEntry | undefined {
    const key = this.#order[this.#next];
    return key === undefined ? undefined : rowAt(this.#rows as Uint8Array, key % ROWS_MAX);
  }
}
