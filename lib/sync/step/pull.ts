/**
 * Catching up with blocks: one question at a time, to one peer, until nothing is lacking. Pure.
 *
 * A question is a FRONT with credit (what I hold; send what I lack) or, when a peer's FRONT has shown what
 * is lacking, a WANT. Its answer is an answering FRONT, which says where the peer has more, and DATA. All
 * that is remembered is what to wait for; when it does not come, the question is asked again, elsewhere [S6].
 */
import type { Hash, PublicKey, Rng } from "../../base/index.ts";
import { type FrontFrame, TAG_FIRST, type TagTip, type WantFrame } from "../wire/frames.ts";
import type { Holdings } from "./frontier.ts";
import type { Neighbour, Neighbours } from "./neighbours.ts";

/** Silence after which a question counts as lost. */
export const ANSWER_MS_MAX = 4000;
/** Without word from the store of how much it has dealt with: the pause that says "all". */
const SETTLE_MS = 250;
/** An own change may be what a failing peer's blocks were waiting for. */
const RETRY_AFTER_CHANGE_MS = 1000;

interface Pull {
  readonly peer: Neighbour;
  /** Windows whose answer is still to come: from → to. */
  readonly openWindows: Map<string, string>;
  /** What the peer has that we lack: tag → newest number, there and here when we asked. */
  readonly targets: Map<string, { n: number; readonly before: number }>;
  /** Digests that the peer stated in its answers; more than one when it changed meanwhile. */
  readonly digests: Set<Hash>;
  /** Answers with DATA that were promised or asked for, and how many have ended: either may come first. */
  promised: number;
  ended: number;
  /** Whether what was asked covers all that the peer holds. */
  isWhole: boolean;
  deadlineMs: number;
  settleMs: number | undefined;
}

/** Sends to a peer's inbox. */
export type SendTo = (to: PublicKey, frame: FrontFrame | WantFrame) => void;

export interface PullerOptions {
  readonly self: PublicKey;
  readonly holdings: Holdings;
  readonly neighbours: Neighbours;
  readonly rng: Rng;
  readonly creditBytes: number;
  readonly tipsMax: number;
  readonly rangesMax: number;
  readonly send: SendTo;
  /** A peer sends nothing that we could take in: its blocks may build on what we lack beside our logs. */
  readonly stuck: (peer: Neighbour) => void;
}

export class Puller {
  readonly #options: PullerOptions;
  #pull: Pull | undefined;
  #unstored = 0; // Ingest outputs that no `local` has answered.
  #isReporting = false; // The store says how many it has dealt with.
  #isMeeting = false; // Until one peer has answered a question, all are asked, whatever their HELLOs say.

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  /** Asks, asks again, or gives up, as far as it is time to. */
  advance(nowMs: number): void {
    if (this.#pull !== undefined) this.#review(this.#pull, nowMs);
    if (this.#pull === undefined) this.#askNext(nowMs);
  }

  /** When `advance` has something to do without any message; Infinity for never. */
  dueMs(): number {
    if (this.#pull !== undefined) return Math.min(this.#pull.deadlineMs, this.#pull.settleMs ?? Infinity);
    return Math.min(Infinity, ...this.#behindAnybody().map((neighbour) => neighbour.notBeforeMs));
  }

  forget(): void {
    this.#pull = undefined;
  }

  /** What was asked before counts for nothing. */
  meet(): void {
    this.#pull = undefined;
    this.#isMeeting = true;
    this.#options.neighbours.forgetMet();
  }

  /** The peer's own question shows that it holds nothing that we lack. */
  onCovered(peer: Neighbour, digest: Hash): void {
    peer.caughtUpWith = digest;
    this.#met(peer);
  }

  /** The peer left: what it was asked is asked elsewhere. */
  onGone(key: PublicKey): void {
    if (this.#pull?.peer.key === key) this.#pull = undefined;
  }

  /** Whether DATA from this peer is what we asked for. */
  isAsking(key: PublicKey): boolean {
    return this.#pull?.peer.key === key;
  }

  /** The peer says where it has more than we said we hold. */
  onAnswer(frame: FrontFrame, nowMs: number): void {
    const pull = this.#pull;
    const { from, to } = frame.window;
    if (pull?.peer.key !== frame.key || !pull.openWindows.has(from)) return;
    if (pull.openWindows.get(from) !== to) pull.isWhole = false; // The rest did not fit into the answer.
    pull.openWindows.delete(from);
    pull.digests.add(frame.digest);
    for (const tip of frame.tips) this.#aim(pull, tip);
    if (frame.tips.length > 0) pull.promised += 1;
    this.#hear(pull, nowMs);
    this.#review(pull, nowMs);
  }

  /** A peer's question shows that it has more than we: ask for that, unless something is asked already. */
  onQuestion(peer: Neighbour, frame: FrontFrame, nowMs: number): void {
    const { holdings, self, creditBytes, rangesMax, send } = this.#options;
    const isOwnWant = this.#pull?.peer === peer && !this.#pull.isWhole && this.#pull.openWindows.size === 0;
    if (this.#pull !== undefined && !isOwnWant) return;
    const lacking = frame.tips
      .filter(([tag, n]) => n > Math.max(holdings.newest(tag), this.#pull?.targets.get(tag)?.n ?? -1))
      .slice(0, rangesMax);
    if (lacking.length === 0) return;
    const pull = this.#pull ?? this.#start(peer, nowMs);
    pull.digests.add(frame.digest);
    pull.isWhole = frame.window.from === TAG_FIRST && frame.window.to === "" && lacking.length < rangesMax;
    for (const tip of lacking) this.#aim(pull, tip);
    pull.promised += 1;
    const ranges = lacking.map(([tag, n]) => [tag, holdings.newest(tag) + 1, n] as const);
    send(peer.key, { type: "want", key: self, ranges, ids: [], creditBytes });
  }

  /** Something came from a peer; `isEnd`: it has said all that it will. */
  onData(from: PublicKey, isEnd: boolean, nowMs: number): void {
    const pull = this.#pull;
    if (pull?.peer.key !== from) return;
    if (isEnd) pull.ended += 1;
    this.#hear(pull, nowMs);
  }

  onIngest(): void {
    this.#unstored += 1;
  }

  /** The store has dealt with what came. `ingested` undefined: it does not say how much. */
  onLocal(ingested: number | undefined, isChanged: boolean, nowMs: number): void {
    this.#isReporting ||= ingested !== undefined;
    this.#unstored = Math.max(0, this.#unstored - (ingested ?? 0));
    if (this.#pull !== undefined && (isChanged || this.#isReporting)) this.#hear(this.#pull, nowMs);
    if (isChanged) this.#retrySoon(nowMs);
  }

  #aim(pull: Pull, [tag, n]: TagTip): void {
    const known = pull.targets.get(tag);
    if (known !== undefined) known.n = Math.max(known.n, n);
    else pull.targets.set(tag, { n, before: this.#options.holdings.newest(tag) });
  }

  /** A sign of life: wait on, and once all is said, only until the store has dealt with it. */
  #hear(pull: Pull, nowMs: number): void {
    pull.deadlineMs = nowMs + ANSWER_MS_MAX;
    if (!isAnswered(pull)) return;
    if (!this.#isReporting) pull.settleMs = nowMs + SETTLE_MS;
    else pull.settleMs = this.#unstored === 0 ? nowMs : undefined;
  }

  #retrySoon(nowMs: number): void {
    for (const neighbour of this.#behindAnybody()) {
      if (neighbour.failures === 0) continue;
      const soonMs = nowMs + RETRY_AFTER_CHANGE_MS * (0.5 + this.#options.rng.next());
      neighbour.notBeforeMs = Math.min(neighbour.notBeforeMs, soonMs);
    }
  }

  /** Present peers that may hold what we lack. */
  #behindAnybody(): Neighbour[] {
    const { holdings, neighbours } = this.#options;
    return neighbours.present().filter(({ digest, caughtUpWith }) => {
      if (digest === undefined || this.#isMeeting) return digest !== undefined;
      return digest !== caughtUpWith && !holdings.covers(digest);
    });
  }

  #askNext(nowMs: number): void {
    const ready = this.#behindAnybody().filter((neighbour) => neighbour.notBeforeMs <= nowMs);
    if (ready.length === 0) return;
    const fewest = Math.min(...ready.map((neighbour) => neighbour.failures));
    const best = ready.filter((neighbour) => neighbour.failures === fewest);
    this.#ask(best[Math.floor(this.#options.rng.next() * best.length)] as Neighbour, nowMs);
  }

  #ask(peer: Neighbour, nowMs: number): void {
    const { self, holdings, creditBytes, tipsMax, send } = this.#options;
    const pull = this.#start(peer, nowMs);
    const windows = holdings.windows(tipsMax);
    const share = Math.ceil(creditBytes / windows.length);
    for (const { window, tips } of windows) {
      pull.openWindows.set(window.from, window.to);
      const { digest } = holdings;
      send(peer.key, { type: "front", key: self, digest, window, tips, isAnswer: false, creditBytes: share });
    }
  }

  #met(peer: Neighbour): void {
    peer.isMet = true;
    this.#isMeeting = false;
  }

  #start(peer: Neighbour, nowMs: number): Pull {
    this.#pull = {
      peer,
      openWindows: new Map(),
      targets: new Map(),
      digests: new Set(),
      promised: 0,
      ended: 0,
      isWhole: true,
      deadlineMs: nowMs + ANSWER_MS_MAX,
      settleMs: undefined,
    };
    return this.#pull;
  }

  #review(pull: Pull, nowMs: number): void {
    const { holdings, rng } = this.#options;
    const targets = [...pull.targets].map(([tag, { n, before }]) => ({ n, before, now: holdings.newest(tag) }));
    const isComplete = pull.openWindows.size === 0 && targets.every(({ n, now }) => now >= n);
    const isSettled = pull.settleMs !== undefined && nowMs >= pull.settleMs;
    if (!isComplete && !isSettled && nowMs < pull.deadlineMs) return;
    this.#pull = undefined;
    if (isComplete) {
      if (pull.isWhole) this.#met(pull.peer);
      return caughtUp(pull);
    }
    if (targets.some(({ before, now }) => now > before)) {
      pull.peer.succeed();
      this.#ask(pull.peer, nowMs); // The credit was used up, or something got lost on the way: go on.
      return;
    }
    const isOrphaned = isAnswered(pull);
    pull.peer.fail(nowMs, isOrphaned ? "sends nothing that we could take in" : "does not answer", rng.next());
    if (isOrphaned) this.#options.stuck(pull.peer);
  }
}

/** Everything that was asked for has been sent, as far as the peer is concerned. */
function isAnswered({ openWindows, promised, ended }: Pull): boolean {
  return openWindows.size === 0 && ended > 0 && ended >= promised;
}

function caughtUp({ peer, digests, isWhole }: Pull): void {
  peer.succeed();
  const [digest] = digests;
  // Answers with different digests prove less than the last of them says: then it is asked once more.
  if (digests.size !== 1 || !isWhole || digest === undefined) return;
  peer.caughtUpWith = digest;
  peer.digest = digest; // Newer than the HELLO that made us ask.
}
