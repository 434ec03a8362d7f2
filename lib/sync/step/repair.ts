/**
 * Where two nodes hold different blocks of one log although their numbers agree [L6]: range-based set reconciliation.
 * Windows of logs are compared by one value each and cut into smaller ones where it differs; then, of a log, the
 * numbers, by what its versions come to up to each; then the blocks of the first number that differs, and what is on
 * top of them, are given to whoever lacks them. Each frame is answered by itself [S1]. Pure.
 */
import type { PublicKey, Rng } from "../../base/index.ts";
import type { VersionReader } from "../types.ts";
import {
  type LogPoint,
  REPAIR_POINTS_MAX,
  REPAIR_WINDOWS_MAX,
  type RepairFrame,
  TAG_FIRST,
  type TagWindow,
} from "../wire/frames.ts";
import type { Holdings } from "./frontier.ts";

/** So few logs are named one by one. */
const LOGS_NAMED_MAX = 8;
/** A window, or the numbers between two, are cut into so many. */
const PARTS = 8;

/** What is to be said back; nothing where all of it is empty. */
export type RepairAnswer = Pick<RepairFrame, "windows" | "claims" | "versions" | "wants" | "isAnswer">;

/** The first thing to say: what all logs come to. */
export function openingOf(holdings: Holdings): RepairAnswer {
  const answer = emptyAnswer();
  cutWindow({ from: TAG_FIRST, to: "" }, holdings, answer);
  return answer;
}

/** What a frame of another node is answered by. Its lists are bounded, and so is what is read for each item. */
export function answersTo(frame: RepairFrame, holdings: Holdings, reader: VersionReader): RepairAnswer[] {
  const answer = emptyAnswer();
  const back = { ...emptyAnswer(), isAnswer: true };
  for (const window of frame.windows)
    if (holdings.windowPrint(window) !== window.print) cutWindow(window, holdings, answer);
  for (const [tag, claims] of byTag(frame.claims)) compareClaims(tag, claims, { holdings, reader, answer });
  for (const [tag, versions] of byTag(frame.versions))
    compareVersions(tag, versions, frame.isAnswer, { holdings, reader, answer: back });
  return [answer, back].filter((each) => !isEmpty(each)).map(bounded);
}

function isEmpty({ windows, claims, versions, wants }: RepairAnswer): boolean {
  return windows.length + claims.length + versions.length + wants.length === 0;
}

/** What does not fit comes the next time: the digests still differ then. */
function bounded({ windows, claims, versions, wants, isAnswer }: RepairAnswer): RepairAnswer {
  return {
    windows: windows.slice(0, REPAIR_WINDOWS_MAX),
    claims: claims.slice(0, REPAIR_POINTS_MAX),
    versions: versions.slice(0, REPAIR_POINTS_MAX),
    wants: wants.slice(0, REPAIR_POINTS_MAX),
    isAnswer,
  };
}

/** The blocks that a frame asks for, within one credit. */
export function wantedBy(
  { wants }: RepairFrame,
  holdings: Holdings,
  reader: VersionReader,
  creditBytes: number,
): Uint8Array[] {
  const share = Math.floor(creditBytes / Math.max(1, wants.length));
  let left = creditBytes;
  return wants.flatMap(([tag, n, id]) => {
    const tip = holdings.tip(tag);
    const envelopes = tip === undefined || left <= 0 ? [] : reader.from(tip, n, id, share);
    for (const { length } of envelopes) left -= length;
    return envelopes;
  });
}

interface Making {
  readonly windows: TagWindow[];
  readonly claims: LogPoint[];
  readonly versions: LogPoint[];
  readonly wants: LogPoint[];
  readonly isAnswer: boolean;
}

interface Comparing {
  readonly holdings: Holdings;
  readonly reader: VersionReader;
  readonly answer: Making;
}

function emptyAnswer(): Making {
  return { windows: [], claims: [], versions: [], wants: [], isAnswer: false };
}

function byTag(points: readonly LogPoint[]): Map<string, LogPoint[]> {
  const found = new Map<string, LogPoint[]>();
  for (const point of points) found.set(point[0], [...(found.get(point[0]) ?? []), point]);
  return found;
}

/** Few logs are named, many cut into parts of equal number. */
function cutWindow(window: Pick<TagWindow, "from" | "to">, holdings: Holdings, answer: Making): void {
  const tags = holdings.tagsIn(window);
  if (tags.length <= LOGS_NAMED_MAX) {
    for (const tag of tags) answer.claims.push([tag, holdings.newest(tag), holdings.printOf(tag)]);
    return;
  }
  const step = Math.ceil(tags.length / PARTS);
  for (let start = 0; start < tags.length; start += step) {
    const part = { from: start === 0 ? window.from : (tags[start] as string), to: tags[start + step] ?? window.to };
    answer.windows.push({ ...part, print: holdings.windowPrint(part) });
  }
}

/** The other one says what its log comes to at some numbers: where do we differ first? */
function compareClaims(tag: string, claims: readonly LogPoint[], { holdings, reader, answer }: Comparing): void {
  const tip = holdings.tip(tag);
  if (tip === undefined) return;
  const within = claims.filter(([, n]) => n <= tip.n).sort(([, x], [, y]) => x - y);
  const wrong = within.find(([, n, print]) => reader.print(tip, n) !== print);
  if (wrong === undefined) {
    // All that can be compared agrees; what is beyond ours, the other one compares at our end.
    if (within.length < claims.length && within.at(-1)?.[1] !== tip.n)
      answer.claims.push([tag, tip.n, holdings.printOf(tag)]);
    return;
  }
  const high = wrong[1];
  const low = within.findLast(([, n]) => n < high)?.[1] ?? -1;
  if (high === low + 1) {
    for (const id of reader.ids(tip, high)) answer.versions.push([tag, high, id]);
    return;
  }
  for (const n of pointsBetween(low, high)) {
    const print = reader.print(tip, n);
    if (print !== undefined) answer.claims.push([tag, n, print]);
  }
}

/** Both ends, and what tells most between them: forks are mostly young, so at first ever further back from the end. */
function pointsBetween(low: number, high: number): number[] {
  const points = new Set(low < 0 ? [0, high] : [low, high]);
  if (high - low <= PARTS) for (let n = low + 1; n < high; n += 1) points.add(n);
  else if (low < 0) for (let back = 1; back < high; back *= 2) points.add(high - back);
  else for (let part = 1; part < PARTS; part += 1) points.add(low + Math.floor(((high - low) * part) / PARTS));
  return [...points].sort((x, y) => x - y);
}

/** The other one's blocks of the first number that differs: ask for those that are lacking, name those that it lacks. */
function compareVersions(
  tag: string,
  versions: readonly LogPoint[],
  isAnswer: boolean,
  { holdings, reader, answer }: Comparing,
): void {
  const tip = holdings.tip(tag);
  const n = versions[0]?.[1];
  if (tip === undefined || n === undefined) return;
  const own = new Set(reader.ids(tip, n));
  const theirs = new Set(versions.filter((point) => point[1] === n).map(([, , id]) => id));
  for (const id of theirs) if (!own.has(id)) answer.wants.push([tag, n, id]);
  if (!isAnswer) for (const id of own) if (!theirs.has(id)) answer.versions.push([tag, n, id]);
}

interface Open {
  readonly key: PublicKey;
  /** Digests that differ, as of when that was noticed. */
  readonly theirs: string;
  readonly own: string;
  dueMs: number;
  tries: number;
}

const FIRST_MS = 300;
const AGAIN_MS_MIN = 2_000;
const AGAIN_MS_MAX = 60_000;

/** Whom to begin with, and again where nothing came of it [S6]. */
export class Repairs {
  readonly #rng: Rng;
  readonly #open = new Map<PublicKey, Open>();

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** A peer and we differ in a way that asking for numbers does not mend. */
  notice(key: PublicKey, theirs: string, own: string, nowMs: number): void {
    const known = this.#open.get(key);
    if (known?.theirs === theirs && known.own === own) return;
    this.#open.set(key, { key, theirs, own, dueMs: nowMs + FIRST_MS * (0.5 + this.#rng.next()), tries: 0 });
  }

  forget(): void {
    this.#open.clear();
  }

  dueMs(): number {
    return Math.min(Infinity, ...[...this.#open.values()].map(({ dueMs }) => dueMs));
  }

  /** Those that are due; `theirsNow`: the digest that a present peer has shown last. Where one changed it is over. */
  due(nowMs: number, own: string, theirsNow: (key: PublicKey) => string | undefined): PublicKey[] {
    const due: PublicKey[] = [];
    for (const open of this.#open.values()) {
      if (open.dueMs > nowMs) continue;
      const isOver = open.own !== own || theirsNow(open.key) !== open.theirs || open.theirs === own;
      if (isOver) this.#open.delete(open.key);
      if (isOver) continue;
      const afterMs = Math.min(AGAIN_MS_MAX, AGAIN_MS_MIN * 2 ** open.tries);
      open.tries += 1;
      open.dueMs = nowMs + afterMs * (0.5 + this.#rng.next());
      due.push(open.key);
    }
    return due;
  }
}
