/** Who is there: when to say HELLO, and what others' HELLOs mean. Pure. */
import { FRAME_BYTES_DEFAULT, type Hash, type PublicKey, type Rng } from "../../base/index.ts";
import type { KeyPair } from "../../codec/index.ts";
import type { Final } from "../types.ts";
import { type HelloFrame, signHello, verifyHello } from "../wire/frames.ts";
import type { Neighbours } from "./neighbours.ts";

const HELLO_EVERY_MS = 30_000;
/** Each peer adds so much, so that the traffic of presence grows with their number, not its square. */
const HELLO_EVERY_MS_PER_PEER = 500;
/** After a change the HELLO waits a little, for more changes. */
const HELLO_AFTER_CHANGE_MS = 150;
const HELLO_GAP_MS = 1000;
/** A differing HELLO may have overtaken live blocks on their way: ask later than those take. */
const ASK_AFTER_HELLO_MS = 300;
const ASK_AFTER_CONNECT_MS = 50;
/** After connecting, HELLOs are old ones that the broker kept. */
const CONNECTING_MS = 1000;
const STRANGERS_MAX = 64;

export interface PresenceOptions {
  readonly organisation: Hash;
  readonly pair: KeyPair;
  readonly rng: Rng;
  readonly isKnownNode: (key: PublicKey) => boolean;
  readonly neighbours: Neighbours;
  readonly creditBytes: number;
}

export class Presence {
  readonly #options: PresenceOptions;
  /** HELLOs of keys that are not known yet, unverified: the charter that admits them may be on its way. */
  readonly #strangers = new Map<PublicKey, HelloFrame>();
  #finals: readonly Final[] = [];
  #connectingUntilMs = Infinity;
  #lastMs = -Infinity;
  #dueMs = Infinity;
  #isChanged = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  /** Says HELLO at once; until the first `advance` nobody knows when that is. */
  connected(): void {
    this.#connectingUntilMs = Infinity;
    this.#dueMs = -Infinity;
  }

  disconnected(): void {
    this.#dueMs = Infinity;
  }

  /** What is held has changed: the next HELLO says it, soon. */
  changed(finals: readonly Final[]): void {
    this.#finals = finals;
    this.#isChanged = true;
  }

  /** The broker has dropped our HELLO, by the last will of a connection that we had before. */
  dropped(nowMs: number): void {
    this.#soon(nowMs, 0);
  }

  /** The HELLO that is due, if one is. While connected only. */
  advance(nowMs: number, digest: Hash): HelloFrame | undefined {
    if (this.#connectingUntilMs === Infinity) this.#connectingUntilMs = nowMs + CONNECTING_MS;
    if (this.#isChanged) this.#soon(nowMs, HELLO_AFTER_CHANGE_MS);
    this.#isChanged = false;
    if (nowMs < this.#dueMs) return undefined;
    const { organisation, pair, rng, creditBytes, neighbours } = this.#options;
    this.#lastMs = nowMs;
    const everyMs = HELLO_EVERY_MS + HELLO_EVERY_MS_PER_PEER * neighbours.present().length;
    this.#dueMs = nowMs + everyMs * (0.75 + rng.next() / 2);
    const finals = this.#finals.map(({ branch, h, id }) => ({ branch, h, id: id.slice(0, 16) }));
    return signHello(organisation, pair, { digest, finals, frameBytesMax: FRAME_BYTES_DEFAULT, creditBytes });
  }

  /** A HELLO of a known node. False when its signature is wrong. */
  hear(frame: HelloFrame, nowMs: number): boolean {
    if (!verifyHello(this.#options.organisation, frame)) return false;
    const neighbour = this.#options.neighbours.of(frame.key);
    const isNews = neighbour.digest !== frame.digest || !neighbour.isPresent;
    neighbour.heardMs = nowMs;
    neighbour.isPresent = true;
    neighbour.digest = frame.digest;
    neighbour.finals = frame.finals;
    neighbour.frameBytesMax = Math.min(frame.frameBytesMax, FRAME_BYTES_DEFAULT);
    if (isNews) {
      const afterMs = nowMs < this.#connectingUntilMs ? ASK_AFTER_CONNECT_MS : ASK_AFTER_HELLO_MS;
      neighbour.notBeforeMs = Math.max(neighbour.notBeforeMs, nowMs + afterMs * (0.5 + this.#options.rng.next()));
    }
    return true;
  }

  /** Remembers a stranger's HELLO, at most 64 of them, and verifies nothing [S5]. */
  remember(frame: HelloFrame): void {
    if (this.#strangers.size < STRANGERS_MAX || this.#strangers.has(frame.key)) this.#strangers.set(frame.key, frame);
  }

  /** HELLOs of strangers who are known by now. */
  admitted(): HelloFrame[] {
    const frames = [...this.#strangers.values()].filter(({ key }) => this.#options.isKnownNode(key));
    for (const { key } of frames) this.#strangers.delete(key);
    return frames;
  }

  /** A node has left, or its last will says so; nobody signs that, so it is only a hint. */
  gone(node: PublicKey): void {
    this.#strangers.delete(node);
    const neighbour = this.#options.neighbours.find(node);
    if (neighbour !== undefined) neighbour.isPresent = false;
  }

  #soon(nowMs: number, delayMs: number): void {
    const dueMs = Math.max(this.#lastMs + HELLO_GAP_MS, nowMs + delayMs * (1 + this.#options.rng.next()));
    this.#dueMs = Math.min(this.#dueMs, dueMs);
  }
}
