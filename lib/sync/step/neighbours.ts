/** What a node remembers of the other nodes: nothing that a restart would miss [S1]. Pure. */
import { FRAME_BYTES_DEFAULT, type Hash, type PublicKey } from "../../base/index.ts";
import type { HelloFrame } from "../wire/frames.ts";

/** Frames that a node may send at once, and each second after that, beyond what it was asked for [S5]. */
export const BUCKET_FRAMES_MAX = 1000;
export const BUCKET_FRAMES_PER_S = 200;
/** Failures in a row after which a peer counts as stalled. */
const STALLED_FAILURES = 3;
const BACKOFF_MS_MIN = 1000;
const BACKOFF_MS_MAX = 60_000;

export type Failure = "does not answer" | "sends nothing that we could take in";

/** For status. Times are monotonic. */
export interface PeerStatus {
  readonly key: PublicKey;
  readonly isPresent: boolean;
  /** Holds the same as we do. */
  readonly isEqual: boolean;
  /** Since the last `meet` it was asked, and we held all that it held then. A HELLO alone proves less: it may be old. */
  readonly isMet: boolean;
  readonly heardMs: number;
  readonly finals: HelloFrame["finals"];
  readonly stalled?: { readonly sinceMs: number; readonly why: Failure };
}

export class Neighbour {
  readonly key: PublicKey;
  isPresent = false;
  digest: Hash | undefined;
  /** Its digest when we last knew that we hold all it holds. */
  caughtUpWith: Hash | undefined;
  isMet = false;
  finals: HelloFrame["finals"] = [];
  frameBytesMax = FRAME_BYTES_DEFAULT;
  heardMs = 0;
  /** No question goes to it before that. */
  notBeforeMs = 0;
  failures = 0;
  failure: { readonly sinceMs: number; readonly why: Failure } | undefined;
  #frames = BUCKET_FRAMES_MAX;
  #filledMs = 0;

  constructor(key: PublicKey) {
    this.key = key;
  }

  /** Takes one frame from its bucket, or several for one that costs more; false when that is empty. */
  admits(nowMs: number, frames = 1): boolean {
    const gained = ((nowMs - this.#filledMs) * BUCKET_FRAMES_PER_S) / 1000;
    this.#frames = Math.min(BUCKET_FRAMES_MAX, this.#frames + gained);
    this.#filledMs = nowMs;
    if (this.#frames < frames) return false;
    this.#frames -= frames;
    return true;
  }

  /** `unit` in [0, 1) spreads the next try, so that many nodes do not ask in step. */
  fail(nowMs: number, why: Failure, unit: number): void {
    this.failure = { sinceMs: this.failure?.sinceMs ?? nowMs, why };
    const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** this.failures);
    this.failures += 1;
    this.notBeforeMs = nowMs + backoffMs * (0.5 + unit);
  }

  succeed(): void {
    this.failures = 0;
    this.failure = undefined;
  }

  get isStalled(): boolean {
    return this.failures >= STALLED_FAILURES;
  }
}

export class Neighbours {
  readonly #all = new Map<PublicKey, Neighbour>();

  /** Only for keys that the caller knows as nodes: there is no other bound. */
  of(key: PublicKey): Neighbour {
    const known = this.#all.get(key);
    if (known !== undefined) return known;
    const neighbour = new Neighbour(key);
    this.#all.set(key, neighbour);
    return neighbour;
  }

  find(key: PublicKey): Neighbour | undefined {
    return this.#all.get(key);
  }

  present(): Neighbour[] {
    return [...this.#all.values()].filter((neighbour) => neighbour.isPresent);
  }

  /** Presence is only known while connected. */
  clearPresence(): void {
    for (const neighbour of this.#all.values()) neighbour.isPresent = false;
  }

  forgetMet(): void {
    for (const neighbour of this.#all.values()) neighbour.isMet = false;
  }

  status(ownDigest: Hash): PeerStatus[] {
    return [...this.#all.values()].map((neighbour) => {
      const { key, isPresent, digest, isMet, heardMs, finals, failure, isStalled } = neighbour;
      const status = { key, isPresent, isEqual: digest === ownDigest, isMet, heardMs, finals };
      return isStalled && failure !== undefined ? { ...status, stalled: failure } : status;
    });
  }
}
