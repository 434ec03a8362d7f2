/** Reads packs whole and says what is damaged, to the offset [T10]. */
import type { Hash } from "../../base/index.ts";
import { readFooter } from "./catalog.ts";
import type { PackFiles } from "./files.ts";
import { checkPackHeader, decodeFooter, type FooterEntry, PACK_HEADER_BYTES } from "./frame.ts";
import { type PackItem, scanPack } from "./scan.ts";

/** Something damaged: where, and which object it was when that is known. */
export interface BadPlace {
  readonly pack: string;
  readonly offset: number;
  readonly id?: Hash;
  readonly what: string;
}

/** What is wrong with the content of a whole record; undefined when it is the object it says. */
export type ContentCheck = (
  record: Uint8Array,
  id: Hash,
  place: { readonly pack: number; readonly offset: number },
) => Promise<string | undefined>;

/** The records of a pack that are right; tells each place that is not. */
export async function verifyPack(
  files: PackFiles,
  pack: number,
  contentFault: ContentCheck,
  onBad: (place: BadPlace) => void,
): Promise<number> {
  const name = files.nameOf(pack);
  const bad = (offset: number, what: string, id?: Hash): void =>
    onBad({ pack: name, offset, what, ...(id === undefined ? {} : { id }) });
  const source = await files.source(pack);
  const header = source.sizeBytes < PACK_HEADER_BYTES ? undefined : await source.read(0, PACK_HEADER_BYTES);
  if (header === undefined) {
    if (source.sizeBytes > 0) bad(0, "the pack ends within its header");
    return 0;
  }
  if (checkPackHeader(header, pack) !== "ok") bad(0, "the pack's header is damaged");
  const footer = new FooterCheck(await readFooter(files, pack, source.sizeBytes, decodeFooter));
  let records = 0;
  for await (const item of scanPack(source, PACK_HEADER_BYTES)) {
    const id = footer.idAt(item) ?? idOf(item);
    const fault = footer.faultOf(item, source.sizeBytes) ?? (await faultOf(item, pack, contentFault));
    if (fault !== undefined) bad(item.offset, fault, id);
    else if (item.type === "record") records += 1;
  }
  for (const entry of footer.unseen()) bad(entry.offset, "the record is not where the footer says", entry.id);
  return records;
}

function idOf(item: PackItem): Hash | undefined {
  if (item.type === "record") return item.header.id;
  return item.type === "damage" ? item.id : undefined;
}

async function faultOf(item: PackItem, pack: number, contentFault: ContentCheck): Promise<string | undefined> {
  if (item.type === "damage") return item.what;
  return item.type === "record" ? contentFault(item.bytes, item.header.id, { pack, offset: item.offset }) : undefined;
}

/** Compares a sealed pack's footer with the records met on the way. */
class FooterCheck {
  readonly #isSealed: boolean;
  readonly #byOffset: Map<number, FooterEntry>;

  constructor(entries: readonly FooterEntry[] | undefined) {
    this.#isSealed = entries !== undefined;
    this.#byOffset = new Map((entries ?? []).map((entry) => [entry.offset, entry]));
  }

  /** What the footer says lay there: right even where the record's own header is damaged. */
  idAt(item: PackItem): Hash | undefined {
    return this.#byOffset.get(item.offset)?.id;
  }

  faultOf(item: PackItem, sizeBytes: number): string | undefined {
    if (item.type === "footer") {
      return item.end === sizeBytes ? undefined : "the footer is not the end of the pack";
    }
    if (!this.#isSealed || (item.type !== "record" && item.type !== "damage")) return undefined;
    const entry = this.#byOffset.get(item.offset);
    this.#byOffset.delete(item.offset);
    if (item.type === "damage") return undefined;
    const isListed = entry?.id === item.header.id && entry.recordBytes === item.end - item.offset;
    return isListed ? undefined : "the footer does not list this record";
  }

  /** What the footer lists and nothing began at. */
  unseen(): Iterable<FooterEntry> {
    return this.#byOffset.values();
  }
}
