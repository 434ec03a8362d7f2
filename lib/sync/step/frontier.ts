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

interface TaggedTip extends LogTip {
  readonly tag: string;
}

export interface FrontWindow {
  readonly window: { readonly from: string; readonly to: string };
  readonly tips: readonly TagTip[];
}

export class Holdings {
  readonly #tags = new Map<string, string>(); // author/l → tag, so that each is hashed once.
  readonly #past = new Set<Hash>();
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
    const tips = new Map(frontier.map((tip) => [this.#tagOf(tip), { ...tip, tag: this.#tagOf(tip) }]));
    const sorted = [...tips.keys()].sort();
    const digest = digestOf(sorted.map((tag) => tips.get(tag) as TaggedTip));
    this.#tips = tips;
    this.#sorted = sorted;
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
    return this.#tips.get(tag)?.n ?? -1;
  }

  /** What is held of a log. */
  tip(tag: string): LogTip | undefined {
    return this.#tips.get(tag);
  }

  printOf(tag: string): string {
    return this.#tips.get(tag)?.print ?? NO_PRINT;
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
        const { author, l, n } = this.#tips.get(tag) as LogTip;
        return { tip: [tag, n], range: [author, l, (theirs.get(tag) ?? -1) + 1, n] };
      });
  }

  /** The part of a wanted range that we hold. */
  range(tag: string, from: number, to: number): LogRange | undefined {
    const tip = this.#tips.get(tag);
    return tip === undefined || from > tip.n ? undefined : [tip.author, tip.l, from, Math.min(to, tip.n)];
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

/** Over tag, newest number (8 bytes, big-endian) and print of every log, in the order of tags. */
function digestOf(tips: readonly TaggedTip[]): Hash {
  const bytes = new Uint8Array(tips.length * 24);
  const view = new DataView(bytes.buffer);
  for (const [index, { tag, n, print = NO_PRINT }] of tips.entries()) {
    bytes.set(fromHex(tag) as Uint8Array, index * 24);
    view.setBigUint64(index * 24 + 8, BigInt(n));
    bytes.set((fromHex(print) as Uint8Array).subarray(0, 8), index * 24 + 16);
  }
  return deriveHash("gdo v1 frontier", bytes);
}
