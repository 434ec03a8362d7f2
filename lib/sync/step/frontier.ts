/**
 * What this node holds, in the form in which peers compare it: each log by an 8-byte tag. Pure.
 *
 * A tag may collide: an author who works for it (2^32 hashes) can give two of their own logs one tag, and
 * loses the sync of one of them; to hit another author's tag takes 2^64.
 */
import { bytesOf, concatBytes, fromHex, type Hash, toHex } from "../../base/index.ts";
import { deriveHash, deriveHashBytes } from "../../codec/index.ts";
import type { Frontier, LogRange, LogTip } from "../types.ts";
import { TAG_FIRST, type TagTip } from "../wire/frames.ts";

const TAG_BYTES = 8;
/** Own digests remembered; only to spare needless questions. */
const PAST_MAX = 256;

const NO_PRINT = "0".repeat(16);

interface TaggedTip {
  readonly tip: LogTip;
  readonly tag: string;
  /** What the digest has of it: tag, newest number (8 bytes, big-endian) and print. */
  readonly slot: Uint8Array;
}

const SLOT_BYTES = 24;

export interface FrontWindow {
  readonly window: { readonly from: string; readonly to: string };
  readonly tips: readonly TagTip[];
}

export class Holdings {
  readonly #tags = new Map<string, string>(); // author/l → tag, so that each is hashed once.
  readonly #past = new Set<Hash>();
  /** As they came last: most of a frontier is as it was before. */
  #tagged: readonly TaggedTip[] = [];
  #tips: ReadonlyMap<string, TaggedTip> = new Map();
  #sorted: readonly string[] = [];
  #digest: Hash = digestOf([]);

  constructor() {
    this.#past.add(this.#digest);
  }

  get digest(): Hash {
    return this.#digest;
  }

  /** Whether anything changed. */
  update(frontier: Frontier): boolean {
    const before = this.#tagged;
    const tagged = frontier.map((tip, index) => this.#taggedOf(tip, before[index]));
    if (tagged.length === before.length && tagged.every((each, index) => each === before[index])) return false;
    const areLogsSame = tagged.length === before.length && tagged.every(({ tag }, index) => tag === before[index]?.tag);
    this.#tagged = tagged;
    this.#tips = new Map(tagged.map((each) => [each.tag, each]));
    if (!areLogsSame) this.#sorted = [...this.#tips.keys()].sort();
    const digest = digestOf(this.#sorted.map((tag) => this.#tips.get(tag) as TaggedTip));
    if (digest === this.#digest) return false;
    this.#digest = digest;
    this.#past.add(digest);
    for (const oldest of this.#past) {
      if (this.#past.size <= PAST_MAX) break;
      this.#past.delete(oldest);
    }
    return true;
  }

  /** Logs only grow: who shows a digest that was once ours has nothing that we lack. */
  covers(digest: Hash): boolean {
    return this.#past.has(digest);
  }

  /** Newest number held of a log, -1 for none. */
  newest(tag: string): number {
    return this.#tips.get(tag)?.tip.n ?? -1;
  }

  /** What is held of a log. */
  tip(tag: string): LogTip | undefined {
    return this.#tips.get(tag)?.tip;
  }

  printOf(tag: string): string {
    return this.#tips.get(tag)?.tip.print ?? NO_PRINT;
  }

  tagsIn({ from, to }: FrontWindow["window"]): string[] {
    return this.#sorted.filter((tag) => tag >= from && (to === "" || tag < to));
  }

  /** What is held of all logs in a window, as one value of 16 hex digits. */
  windowPrint(window: FrontWindow["window"]): string {
    return digestOf(this.tagsIn(window).map((tag) => this.#tips.get(tag) as TaggedTip)).slice(0, NO_PRINT.length);
  }

  /** The whole frontier in windows of at most `tipsMax` logs, so that one frame holds each. */
  windows(tipsMax: number): FrontWindow[] {
    const windows: FrontWindow[] = [];
    for (let start = 0; start === 0 || start < this.#sorted.length; start += tipsMax) {
      const tags = this.#sorted.slice(start, start + tipsMax);
      const from = start === 0 ? TAG_FIRST : (tags[0] ?? TAG_FIRST);
      const to = this.#sorted[start + tipsMax] ?? "";
      windows.push({ window: { from, to }, tips: tags.map((tag) => [tag, this.newest(tag)]) });
    }
    return windows;
  }

  /** Logs of which we hold more than a peer who holds exactly `tips` in the window. */
  beyond({ window, tips }: FrontWindow): { readonly tip: TagTip; readonly range: LogRange }[] {
    const theirs = new Map(tips);
    return this.#sorted
      .filter((tag) => tag >= window.from && (window.to === "" || tag < window.to))
      .filter((tag) => this.newest(tag) > (theirs.get(tag) ?? -1))
      .map((tag) => {
        const { author, l, n } = this.tip(tag) as LogTip;
        return { tip: [tag, n], range: [author, l, (theirs.get(tag) ?? -1) + 1, n] };
      });
  }

  /** The part of a wanted range that we hold. */
  range(tag: string, from: number, to: number): LogRange | undefined {
    const tip = this.tip(tag);
    return tip === undefined || from > tip.n ? undefined : [tip.author, tip.l, from, Math.min(to, tip.n)];
  }

  /** `before`: what stood at the same place. */
  #taggedOf(tip: LogTip, before: TaggedTip | undefined): TaggedTip {
    const isSameLog = before !== undefined && before.tip.author === tip.author && before.tip.l === tip.l;
    if (isSameLog && before.tip.n === tip.n && before.tip.print === tip.print) return before;
    const tag = isSameLog ? before.tag : this.#tagOf(tip);
    return { tip, tag, slot: slotOf(tag, tip) };
  }

  #tagOf({ author, l }: LogTip): string {
    const name = `${author}/${l}`;
    const known = this.#tags.get(name);
    if (known !== undefined) return known;
    const incarnation = fromHex(l);
    if (incarnation === undefined) throw new RangeError(`not an incarnation: ${l}`);
    const tag = toHex(
      deriveHashBytes("gdo v1 log tag", concatBytes([bytesOf(author), incarnation])).subarray(0, TAG_BYTES),
    );
    this.#tags.set(name, tag);
    return tag;
  }
}

function slotOf(tag: string, { n, print = NO_PRINT }: LogTip): Uint8Array {
  const slot = new Uint8Array(SLOT_BYTES);
  slot.set(fromHex(tag) as Uint8Array);
  new DataView(slot.buffer).setBigUint64(TAG_BYTES, BigInt(n));
  slot.set((fromHex(print) as Uint8Array).subarray(0, TAG_BYTES), 2 * TAG_BYTES);
  return slot;
}

/** Over the slots of all logs, in the order of tags. */
function digestOf(tips: readonly TaggedTip[]): Hash {
  const bytes = new Uint8Array(tips.length * SLOT_BYTES);
  for (const [index, { slot }] of tips.entries()) bytes.set(slot, index * SLOT_BYTES);
  return deriveHash("gdo v1 frontier", bytes);
}
