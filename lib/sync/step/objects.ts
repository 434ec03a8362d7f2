/** Fetching objects: whom to ask for which, until all are there. Pure. */
import { type Hash, OBJECT_BYTES_MAX, type PublicKey, type Rng } from "../../base/index.ts";
import type { ObjectKind, SyncObject } from "../types.ts";
import type { Piece, WantFrame } from "../wire/frames.ts";
import { Assembly } from "./assembly.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";

/** Objects asked of one peer at a time: enough to fill a link, few enough to be served within a credit. */
export const OBJECTS_ASKED_MAX = 16;
const OBJECT_CREDIT_BYTES = 2 * 1024 * 1024;
const ANSWER_MS_MAX = 4000;
/** One object of the largest size beside several usual ones. */
export const OBJECT_ASSEMBLY_BYTES_MAX = OBJECT_BYTES_MAX + 8 * 1024 * 1024;
const ROUND_MS_MIN = 500;
const ROUND_MS_MAX = 30_000;
/** Rounds of several objects start together, so that one question serves them. */
const ROUND_STEP_MS = 1000;

/** Whether the bytes are the object of that id. */
export type CheckObject = (id: Hash, kind: ObjectKind, bytes: Uint8Array) => boolean;

interface Wanted {
  readonly tried: Set<PublicKey>;
  near: string | undefined;
  /** Rounds through all peers without success. */
  rounds: number;
}

/** What one peer was asked for and has not answered. */
interface Question {
  readonly ids: Set<Hash>;
  /** As they were asked for, frame by frame: a peer answers one after the other. */
  readonly asked: Asked[];
  deadlineMs: number;
}

interface Asked {
  readonly ids: readonly Hash[];
  /** Something of it came. */
  isFruitful: boolean;
}

export interface FetcherOptions {
  readonly self: PublicKey;
  readonly neighbours: Neighbours;
  readonly rng: Rng;
  readonly checkObject: CheckObject;
  readonly send: (to: PublicKey, frame: WantFrame) => void;
}

export type PieceResult = { readonly object: SyncObject } | "unasked" | "object" | "more";

/** Every wanted object is in exactly one of: open (to be asked for), waiting (until a time), one question. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #wanted = new Map<Hash, Wanted>();
  readonly #open = new Set<Hash>();
  readonly #waiting = new Map<Hash, number>();
  readonly #questions = new Map<PublicKey, Question>();
  readonly #assembly = new Assembly(OBJECT_ASSEMBLY_BYTES_MAX);

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  get wantedCount(): number {
    return this.#wanted.size;
  }

  get unfinishedBytes(): number {
    return this.#assembly.heldBytes;
  }

  want(ids: readonly Hash[], near: string | undefined): void {
    for (const id of ids) {
      const known = this.#wanted.get(id);
      if (known !== undefined) known.near = near ?? known.near;
      else {
        this.#wanted.set(id, { tried: new Set(), near, rounds: 0 });
        this.#open.add(id);
      }
    }
  }

  have(ids: readonly Hash[]): void {
    for (const id of ids) this.#remove(id);
  }

  /** Answers are lost with the connection; pieces that came are kept. */
  forget(): void {
    this.#questions.clear();
    this.#waiting.clear();
    for (const [id, wanted] of this.#wanted) {
      wanted.tried.clear();
      wanted.rounds = 0;
      this.#open.add(id);
    }
  }

  /** Asks for what is not asked, and elsewhere for what does not come [S6]. */
  advance(nowMs: number): void {
    this.#reopen(nowMs);
    if (this.#open.size === 0) return;
    const present = this.#options.neighbours.present();
    const asks = new Map<Neighbour, Hash[]>(present.map((peer) => [peer, []]));
    let slots = present.map((peer) => this.#free(peer)).reduce((sum, free) => sum + free, 0);
    for (const id of this.#open) {
      if (slots === 0) break;
      const peer = this.#choose(id, asks, nowMs);
      if (peer === undefined) continue;
      asks.get(peer)?.push(id);
      slots -= 1;
    }
    for (const [peer, ids] of asks) if (ids.length > 0) this.#ask(peer.key, ids, nowMs);
  }

  /** When `advance` has something to do without any message; Infinity for never. */
  dueMs(): number {
    if (this.#options.neighbours.present().length === 0) return Infinity;
    const deadlines = [...this.#questions.values()].map(({ deadlineMs }) => deadlineMs);
    return Math.min(Infinity, ...deadlines, earliest(this.#waiting.values()));
  }

  onPiece(from: PublicKey, piece: Piece, nowMs: number): PieceResult {
    const { id, kind } = piece;
    if (kind === "block" || kind === "farewell" || this.#wanted.get(id)?.tried.has(from) !== true) return "unasked";
    const question = this.#questions.get(from);
    if (question !== undefined) question.deadlineMs = nowMs + ANSWER_MS_MAX;
    const bytes = this.#assembly.add(nameOf(from, id), piece);
    if (bytes === undefined) return "more";
    if (!this.#options.checkObject(id, kind, bytes)) {
      this.#release(from, id);
      return "object";
    }
    const asked = question?.asked.find(({ ids }) => ids.includes(id));
    if (asked !== undefined) asked.isFruitful = true;
    this.#remove(id);
    return { object: { id, kind, bytes } };
  }

  onLacks(from: PublicKey, ids: readonly Hash[]): void {
    for (const id of ids) this.#release(from, id);
  }

  /** Whether objects from this peer are what we asked for. */
  isAsking(from: PublicKey): boolean {
    return this.#questions.has(from);
  }

  /**
   * The peer has answered one frame, the first that it had not. What it left out for want of credit may be asked of it
   * again; what was asked for later is still to come.
   */
  onEnd(from: PublicKey): void {
    const question = this.#questions.get(from);
    if (question === undefined) return;
    const { ids, isFruitful } = question.asked.shift() ?? { ids: [], isFruitful: false };
    for (const id of ids) {
      if (!question.ids.delete(id)) continue;
      if (isFruitful) this.#wanted.get(id)?.tried.delete(from);
      this.#open.add(id);
    }
    if (question.asked.length === 0) this.#questions.delete(from);
  }

  #remove(id: Hash): void {
    for (const from of this.#wanted.get(id)?.tried ?? []) {
      this.#assembly.drop(nameOf(from, id));
      this.#questions.get(from)?.ids.delete(id);
    }
    this.#wanted.delete(id);
    this.#open.delete(id);
    this.#waiting.delete(id);
  }

  /** This peer will not give it: ask elsewhere. */
  #release(from: PublicKey, id: Hash): void {
    if (this.#questions.get(from)?.ids.delete(id) === true) this.#open.add(id);
  }

  #reopen(nowMs: number): void {
    for (const [key, { ids, asked, deadlineMs }] of this.#questions) {
      const isLost = deadlineMs <= nowMs || this.#options.neighbours.find(key)?.isPresent !== true;
      if (!isLost && (ids.size > 0 || asked.length > 0)) continue;
      for (const id of ids) this.#open.add(id);
      this.#questions.delete(key);
    }
    for (const [id, dueMs] of this.#waiting) {
      if (dueMs > nowMs) continue;
      this.#waiting.delete(id);
      this.#open.add(id);
    }
  }

  #free({ key }: Neighbour): number {
    return OBJECTS_ASKED_MAX - (this.#questions.get(key)?.ids.size ?? 0);
  }

  #ask(to: PublicKey, ids: readonly Hash[], nowMs: number): void {
    const question = this.#questions.get(to) ?? { ids: new Set(), asked: [], deadlineMs: 0 };
    this.#questions.set(to, question);
    question.deadlineMs = nowMs + ANSWER_MS_MAX;
    question.asked.push({ ids, isFruitful: false });
    for (const id of ids) {
      question.ids.add(id);
      this.#wanted.get(id)?.tried.add(to);
      this.#open.delete(id);
    }
    const { self, send } = this.#options;
    send(to, { type: "want", key: self, ranges: [], ids, creditBytes: OBJECT_CREDIT_BYTES });
  }

  /** The near one, else the least busy one that was not tried. After a round without success: later. */
  #choose(id: Hash, asks: ReadonlyMap<Neighbour, readonly Hash[]>, nowMs: number): Neighbour | undefined {
    const wanted = this.#wanted.get(id) as Wanted;
    const untried = [...asks.keys()].filter(({ key }) => !wanted.tried.has(key));
    if (untried.length === 0) {
      const backoffMs = Math.min(ROUND_MS_MAX, ROUND_MS_MIN * 2 ** wanted.rounds);
      wanted.rounds += 1;
      wanted.tried.clear();
      this.#open.delete(id);
      const dueMs = nowMs + backoffMs * (0.5 + this.#options.rng.next());
      this.#waiting.set(id, Math.ceil(dueMs / ROUND_STEP_MS) * ROUND_STEP_MS);
      return undefined;
    }
    const near = untried.filter(({ key }) => key === wanted.near);
    const freeOf = (peer: Neighbour): number => this.#free(peer) - (asks.get(peer)?.length ?? 0);
    const [best] = (near.length > 0 ? near : untried).sort((a, b) => freeOf(b) - freeOf(a));
    return best !== undefined && freeOf(best) > 0 ? best : undefined;
  }
}

function earliest(times: Iterable<number>): number {
  let first = Infinity;
  for (const time of times) first = Math.min(first, time);
  return first;
}

function nameOf(from: PublicKey, id: Hash): string {
  return `${from}/${id}`;
}
