/**
 * A node among its peers: one pure step from inputs to outputs [S3]. No clock, no network, no disk; the
 * only randomness is the injected one, for jitter. docs/design/sync.md.
 */
import { FRAME_BYTES_DEFAULT, GdoError, type Hash, isPublicKey, type PublicKey, type Rng } from "../base/index.ts";
import { deriveHash, ENVELOPE_BYTES_MAX, type KeyPair } from "../codec/index.ts";
import { Assembly } from "./assembly.ts";
import {
  cutPieces,
  type DataFrame,
  encodeFrame,
  type Frame,
  type FrontFrame,
  HELLO_BYTES_MAX,
  type HelloFrame,
  packEnvelopes,
  signHello,
  TAG_FIRST,
  verifyHello,
  WANT_IDS_MAX,
  WANT_RANGES_MAX,
  type WantFrame,
} from "./frames.ts";
import { Holdings } from "./frontier.ts";
import { type Neighbour, Neighbours, type PeerStatus } from "./neighbours.ts";
import { type CheckObject, Fetcher } from "./objects.ts";
import { decodeFrame } from "./parse.ts";
import { Puller } from "./pull.ts";
import { helloTopic, inboxTopic, liveTopic, nodeTopics, parseTopic, type Topic } from "./topics.ts";
import type { Final, LocalInput, LogRange, Refusal, SyncInput, SyncObject, SyncOutput } from "./types.ts";

export interface SyncPeerOptions {
  readonly organisation: Hash;
  /** The node's own key. */
  readonly pair: KeyPair;
  readonly rng: Rng;
  /** Whether the charter, or this node's configuration, knows the key. Others are ignored and counted [S5]. */
  readonly isKnownNode: (key: PublicKey) => boolean;
  readonly checkObject: CheckObject;
  /** What this node takes in one answer; default 1 MiB. */
  readonly creditBytes?: number;
}

/** An answer is never larger than that, whatever credit the asker gives. */
export const SERVE_BYTES_MAX = 1024 * 1024;
const HELLO_EVERY_MS = 30_000;
/** Each peer adds so much, so that the traffic of presence grows with their number, not its square. */
const HELLO_EVERY_MS_PER_PEER = 500;
/** After a change the HELLO waits a little, for more changes. */
const HELLO_AFTER_CHANGE_MS = 150;
const HELLO_GAP_MS = 1000;
/** A differing HELLO may be overtaken by live blocks on their way: ask later than those take. */
const ASK_AFTER_HELLO_MS = 300;
const ASK_AFTER_CONNECT_MS = 50;
/** After connecting, HELLOs are old ones that the broker kept. */
const CONNECTING_MS = 1000;
const STRANGERS_MAX = 64;
const BLOCK_ASSEMBLY_BYTES_MAX = 64 * ENVELOPE_BYTES_MAX;
/** A tip is at most 18 bytes on the wire; the rest of a FRONT fits in 128. */
const FRONT_TIPS_MAX = Math.floor((FRAME_BYTES_DEFAULT - 128) / 18);

export class SyncPeer {
  readonly #options: SyncPeerOptions;
  readonly #self: PublicKey;
  readonly #holdings = new Holdings();
  readonly #neighbours = new Neighbours();
  readonly #puller: Puller;
  readonly #fetcher: Fetcher;
  readonly #blocks = new Assembly(BLOCK_ASSEMBLY_BYTES_MAX);
  /** HELLOs of keys that are not known yet, unverified: the charter that admits them may be on its way. */
  readonly #strangers = new Map<PublicKey, HelloFrame>();
  #finals: readonly Final[] = [];
  #out: SyncOutput[] = [];
  #nowMs = 0;
  #isConnected = false;
  #isUntimed = false; // An input without a time waits for the next tick.
  #connectedMs = -Infinity;
  #helloMs = -Infinity; // The last one.
  #helloDueMs = Infinity;
  #isChanged = false;
  #stored: { ingested: number | undefined; isChanged: boolean } | undefined;

  constructor(options: SyncPeerOptions) {
    const { pair, rng, checkObject, creditBytes = SERVE_BYTES_MAX } = options;
    const shared = { self: pair.publicKey, neighbours: this.#neighbours, rng };
    const send = (to: PublicKey, frame: Frame): void => this.#send(to, frame);
    this.#options = options;
    this.#self = pair.publicKey;
    const limits = { creditBytes, tipsMax: FRONT_TIPS_MAX, rangesMax: WANT_RANGES_MAX };
    this.#puller = new Puller({ ...shared, ...limits, holdings: this.#holdings, send });
    this.#fetcher = new Fetcher({ ...shared, checkObject, send });
  }

  /** The one way in. Never throws, whatever a message holds. */
  step(input: SyncInput): SyncOutput[] {
    this.#out = [];
    this.#take(input);
    if (input.type === "tick" || input.type === "message") this.#advance();
    else this.#isUntimed = true;
    // Whole milliseconds: a timer that fires a rounding error too early would be set again at once, for ever.
    const atMs = Math.ceil(this.#isUntimed ? this.#nowMs : this.#dueMs());
    if (atMs < Infinity) this.#out.push({ type: "wake", atMs });
    return this.#out;
  }

  /** Answers a `serve-blocks` with the envelopes that were read for it, in their order. */
  blocksFor(to: string, envelopes: readonly Uint8Array[]): SyncOutput[] {
    if (!isPublicKey(to)) return [];
    const frames = packEnvelopes(envelopes, envelopeHash, this.#frameBytesFor(to));
    return this.#answer(to, frames.map((frame) => ({ ...this.#data(), ...frame })), "blocks");
  }

  /** Answers a `serve-objects`; `lacking` are those asked for that this node does not have. */
  objectsFor(to: string, objects: readonly SyncObject[], lacking: readonly Hash[] = []): SyncOutput[] {
    if (!isPublicKey(to)) return [];
    const pieces = objects.flatMap(({ id, kind, bytes }) => cutPieces(kind, id, bytes, this.#frameBytesFor(to)));
    const frames: DataFrame[] = pieces.map((piece) => ({ ...this.#data(), pieces: [piece] }));
    if (lacking.length > 0) frames.push({ ...this.#data(), lacks: lacking.slice(0, WANT_IDS_MAX) });
    return this.#answer(to, frames, "objects");
  }

  /** For status: whom this node knows, and who is stalled, since when and why. */
  peers(): PeerStatus[] {
    return this.#neighbours.status(this.#holdings.digest);
  }

  /** Objects that are still to come. */
  get wantedCount(): number {
    return this.#fetcher.wantedCount;
  }

  #take(input: SyncInput): void {
    if ("nowMs" in input) this.#nowMs = Math.max(this.#nowMs, input.nowMs); // [S6] A clock that runs back stops.
    switch (input.type) {
      case "tick":
        return;
      case "connected":
        return this.#connect();
      case "disconnected":
        return this.#disconnect();
      case "message":
        return this.#message(input.topic, input.bytes);
      case "local":
        return this.#local(input);
      case "appended":
        return this.#publishLive(input.envelopes);
      case "want":
        return this.#fetcher.want(input.objects, input.near);
      case "have":
        return this.#fetcher.have(input.objects);
    }
  }

  #connect(): void {
    const { organisation } = this.#options;
    this.#isConnected = true;
    this.#connectedMs = Infinity; // Until the next tick says when.
    this.#helloDueMs = -Infinity;
    this.#out.push({ type: "subscribe", topics: nodeTopics(organisation, this.#self) });
  }

  #disconnect(): void {
    this.#isConnected = false;
    this.#helloDueMs = Infinity;
    this.#neighbours.clearPresence();
    this.#puller.forget();
    this.#fetcher.forget();
  }

  #local({ frontier, finals, ingested }: LocalInput): void {
    this.#finals = finals;
    const isChanged = this.#holdings.update(frontier);
    this.#isChanged ||= isChanged;
    const known = ingested === undefined ? undefined : ingested + (this.#stored?.ingested ?? 0);
    this.#stored = { ingested: known, isChanged: isChanged || this.#stored?.isChanged === true };
    if (!isChanged) return;
    for (const [key, frame] of this.#strangers) {
      if (!this.#options.isKnownNode(key)) continue;
      this.#strangers.delete(key);
      this.#hello(frame);
    }
  }

  #publishLive(envelopes: readonly Uint8Array[]): void {
    if (!this.#isConnected) return; // The HELLO after connecting says it.
    const topic = liveTopic(this.#options.organisation);
    for (const frame of packEnvelopes(envelopes, envelopeHash)) {
      this.#out.push({ type: "publish", topic, bytes: encodeFrame({ ...this.#data(), ...frame }) });
    }
  }

  #advance(): void {
    this.#isUntimed = false;
    if (this.#connectedMs === Infinity) this.#connectedMs = this.#nowMs;
    if (this.#stored !== undefined) this.#puller.onLocal(this.#stored.ingested, this.#stored.isChanged, this.#nowMs);
    this.#stored = undefined;
    if (!this.#isConnected) return;
    if (this.#isChanged) this.#helloSoon(HELLO_AFTER_CHANGE_MS);
    this.#isChanged = false;
    if (this.#nowMs >= this.#helloDueMs) this.#publishHello();
    this.#puller.advance(this.#nowMs);
    this.#fetcher.advance(this.#nowMs);
  }

  #dueMs(): number {
    return this.#isConnected ? Math.min(this.#helloDueMs, this.#puller.dueMs(), this.#fetcher.dueMs()) : Infinity;
  }

  #helloSoon(delayMs: number): void {
    const dueMs = Math.max(this.#helloMs + HELLO_GAP_MS, this.#nowMs + delayMs * (1 + this.#options.rng.next()));
    this.#helloDueMs = Math.min(this.#helloDueMs, dueMs);
  }

  #publishHello(): void {
    const { organisation, pair, rng, creditBytes = SERVE_BYTES_MAX } = this.#options;
    const { digest } = this.#holdings;
    const finals = this.#finals.map(({ branch, h, id }) => ({ branch, h, id: id.slice(0, 16) }));
    const hello = signHello(organisation, pair, { digest, finals, frameBytesMax: FRAME_BYTES_DEFAULT, creditBytes });
    this.#out.push({ type: "publish", topic: helloTopic(organisation, this.#self), bytes: encodeFrame(hello), retain: true });
    this.#helloMs = this.#nowMs;
    const everyMs = HELLO_EVERY_MS + HELLO_EVERY_MS_PER_PEER * this.#neighbours.present().length;
    this.#helloDueMs = this.#nowMs + everyMs * (0.75 + rng.next() / 2);
  }

  /** The checks in the order of their cost [S5]: topic, length, form, sender, rate, signature. */
  #message(topicName: string, bytes: Uint8Array): void {
    const topic = parseTopic(this.#options.organisation, topicName);
    if (topic === undefined) return this.#refuse("unknown", "topic");
    if (topic.kind === "hello" && bytes.length === 0) return this.#gone(topic.node);
    const lengthMax = topic.kind === "hello" ? HELLO_BYTES_MAX : FRAME_BYTES_DEFAULT;
    if (bytes.length > lengthMax) return this.#refuse("unknown", "length");
    const frame = parsed(bytes, lengthMax);
    if (frame === undefined) return this.#refuse("unknown", "form");
    if (!isRightTopic(frame, topic, this.#self)) return this.#refuse(frame.key, "topic");
    if (frame.key === this.#self) return; // The broker gives us our own frames, too.
    if (!this.#options.isKnownNode(frame.key)) return this.#stranger(frame);
    if (!this.#neighbours.of(frame.key).admits(this.#nowMs) && !this.#puller.isAsking(frame.key)) {
      return this.#refuse(frame.key, "rate");
    }
    this.#frame(frame);
  }

  #frame(frame: Frame): void {
    if (frame.type === "hello") return this.#hello(frame);
    const neighbour = this.#neighbours.of(frame.key);
    neighbour.heardMs = this.#nowMs;
    if (frame.type === "front") return this.#front(frame, neighbour);
    return frame.type === "want" ? this.#want(frame) : this.#dataFrom(frame);
  }

  #stranger(frame: Frame): void {
    this.#refuse(frame.key, "stranger");
    if (frame.type !== "hello") return;
    if (this.#strangers.size >= STRANGERS_MAX && !this.#strangers.has(frame.key)) return;
    this.#strangers.set(frame.key, frame);
  }

  #gone(node: PublicKey): void {
    if (node === this.#self) {
      // The last will of a connection that we had before: we are here.
      if (this.#isConnected) this.#helloSoon(0);
      return;
    }
    this.#strangers.delete(node);
    const neighbour = this.#neighbours.find(node);
    if (neighbour !== undefined) neighbour.isPresent = false;
    this.#puller.onGone(node);
  }

  #hello(frame: HelloFrame): void {
    if (!verifyHello(this.#options.organisation, frame)) return this.#refuse(frame.key, "signature");
    const neighbour = this.#neighbours.of(frame.key);
    const isNews = neighbour.digest !== frame.digest || !neighbour.isPresent;
    neighbour.heardMs = this.#nowMs;
    neighbour.isPresent = true;
    neighbour.digest = frame.digest;
    neighbour.finals = frame.finals;
    neighbour.frameBytesMax = Math.min(frame.frameBytesMax, FRAME_BYTES_DEFAULT);
    if (!isNews) return;
    const isConnecting = this.#nowMs < this.#connectedMs + CONNECTING_MS;
    const delayMs = (isConnecting ? ASK_AFTER_CONNECT_MS : ASK_AFTER_HELLO_MS) * (0.5 + this.#options.rng.next());
    neighbour.notBeforeMs = Math.max(neighbour.notBeforeMs, this.#nowMs + delayMs);
  }

  /** A peer's frontier: give it what it lacks, ask for what we lack. */
  #front(frame: FrontFrame, neighbour: Neighbour): void {
    if (frame.isAnswer) return this.#puller.onAnswer(frame, this.#nowMs);
    const beyond = this.#holdings.beyond(frame);
    const { digest } = this.#holdings;
    const tips = beyond.slice(0, FRONT_TIPS_MAX).map(({ tip }) => tip);
    const window = { from: frame.window.from, to: beyond[FRONT_TIPS_MAX]?.tip[0] ?? frame.window.to };
    const answer = { type: "front", key: this.#self, digest, window, tips, isAnswer: true, creditBytes: 0 } as const;
    this.#send(frame.key, answer);
    if (beyond.length > 0) this.#serveBlocks(frame.key, beyond.map(({ range }) => range), frame.creditBytes);
    const isWhole = frame.window.from === TAG_FIRST && frame.window.to === "";
    const lacksNothing = frame.tips.every(([tag, n]) => this.#holdings.newest(tag) >= n);
    if (isWhole && lacksNothing) neighbour.caughtUpWith = frame.digest; // Spares our own question.
    else this.#puller.onQuestion(neighbour, frame, this.#nowMs);
  }

  #want({ key, ranges, ids, creditBytes }: WantFrame): void {
    const held = ranges.map(([tag, from, to]) => this.#holdings.range(tag, from, to)).filter((range) => range !== undefined);
    if (held.length > 0) this.#serveBlocks(key, held, creditBytes);
    else if (ranges.length > 0) this.#out.push(...this.blocksFor(key, []));
    const credit = Math.min(creditBytes, 2 * SERVE_BYTES_MAX);
    if (ids.length > 0) this.#out.push({ type: "serve-objects", to: key, ids, creditBytes: credit });
  }

  /** Starts anywhere: logs that wait for one another must not hide behind one that uses up the credit [S6]. */
  #serveBlocks(to: PublicKey, ranges: readonly LogRange[], creditBytes: number): void {
    const start = Math.floor(this.#options.rng.next() * ranges.length);
    const rotated = [...ranges.slice(start), ...ranges.slice(0, start)];
    const credit = Math.min(creditBytes, SERVE_BYTES_MAX);
    this.#out.push({ type: "serve-blocks", to, ranges: rotated, creditBytes: credit });
  }

  #dataFrom(frame: DataFrame): void {
    const envelopes = [...frame.envelopes, ...frame.pieces.map((piece) => this.#blockFrom(frame.key, piece))];
    const whole = envelopes.filter((envelope) => envelope !== undefined);
    if (whole.length > 0) {
      this.#out.push({ type: "ingest", from: frame.key, envelopes: whole });
      this.#puller.onIngest();
    }
    for (const piece of frame.pieces) if (piece.kind !== "block") this.#objectFrom(frame.key, piece);
    this.#fetcher.onLacks(frame.key, frame.lacks);
    if (frame.end === "objects") this.#fetcher.onEnd(frame.key);
    else this.#puller.onData(frame.key, frame.end === "blocks", this.#nowMs);
  }

  #blockFrom(from: PublicKey, piece: DataFrame["pieces"][number]): Uint8Array | undefined {
    if (piece.kind !== "block") return undefined;
    if (piece.totalBytes > ENVELOPE_BYTES_MAX) return void this.#refuse(from, "piece");
    const envelope = this.#blocks.add(`${from}/${piece.id}`, piece);
    if (envelope === undefined) return undefined;
    return envelopeHash(envelope) === piece.id ? envelope : void this.#refuse(from, "piece");
  }

  #objectFrom(from: PublicKey, piece: DataFrame["pieces"][number]): void {
    const result = this.#fetcher.onPiece(from, piece, this.#nowMs);
    if (result === "more") return;
    if (typeof result === "string") return this.#refuse(from, result);
    this.#out.push({ type: "object", from, ...result.object });
  }

  #data(): DataFrame {
    return { type: "data", key: this.#self, envelopes: [], pieces: [], lacks: [], end: "none" };
  }

  #frameBytesFor(to: PublicKey): number {
    return this.#neighbours.find(to)?.frameBytesMax ?? FRAME_BYTES_DEFAULT;
  }

  /** The last frame says that it is the last; there is always one. */
  #answer(to: PublicKey, frames: readonly DataFrame[], end: DataFrame["end"]): SyncOutput[] {
    const topic = inboxTopic(this.#options.organisation, to);
    const last = { ...(frames.at(-1) ?? this.#data()), end };
    return [...frames.slice(0, -1), last].map((frame) => ({ type: "publish", topic, bytes: encodeFrame(frame) }));
  }

  #send(to: PublicKey, frame: Frame): void {
    const topic = inboxTopic(this.#options.organisation, to);
    this.#out.push({ type: "publish", topic, bytes: encodeFrame(frame) });
  }

  #refuse(from: string, why: Refusal): void {
    this.#out.push({ type: "refused", from, why });
  }
}

function envelopeHash(envelope: Uint8Array): Hash {
  return deriveHash("gdo v1 envelope", envelope);
}

function parsed(bytes: Uint8Array, bytesMax: number): Frame | undefined {
  try {
    return decodeFrame(bytes, bytesMax);
  } catch (error) {
    if (error instanceof GdoError) return undefined;
    throw error;
  }
}

function isRightTopic(frame: Frame, topic: Topic, self: PublicKey): boolean {
  if (topic.kind === "hello") return frame.type === "hello" && frame.key === topic.node;
  if (topic.kind === "live") return frame.type === "data";
  return topic.node === self && frame.type !== "hello";
}
