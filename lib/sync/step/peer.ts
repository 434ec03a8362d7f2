/**
 * A node among its peers: one pure step from inputs to outputs [S3]. No clock, no network, no disk; the
 * only randomness is the injected one, for jitter. docs/design/sync.md.
 */
import { FRAME_BYTES_DEFAULT, type Hash, isPublicKey, type PublicKey, type Rng } from "../../base/index.ts";
import { ENVELOPE_BYTES_MAX, type KeyPair } from "../../codec/index.ts";
import type { LocalInput, LogRange, Refusal, SyncInput, SyncObject, SyncOutput, VersionReader } from "../types.ts";
import {
  type DataFrame,
  type Frame,
  type FrontFrame,
  HELLO_BYTES_MAX,
  type HelloFrame,
  type Piece,
  type RepairFrame,
  TAG_FIRST,
  WANT_RANGES_MAX,
  type WantFrame,
} from "../wire/frames.ts";
import { tryDecodeFrame } from "../wire/parse.ts";
import { fitsTopic, nodeTopics, parseTopic } from "../wire/topics.ts";
import { Assembly } from "./assembly.ts";
import { FAREWELL_FRAMES, FAREWELLS_BYTES_MAX, Farewells } from "./farewells.ts";
import { Holdings } from "./frontier.ts";
import { type Neighbour, Neighbours, type PeerStatus } from "./neighbours.ts";
import { type CheckObject, Fetcher, OBJECT_ASSEMBLY_BYTES_MAX } from "./objects.ts";
import { envelopeHash, Outbox } from "./outbox.ts";
import { Presence } from "./presence.ts";
import { Puller } from "./pull.ts";
import { answersTo, openingOf, type RepairAnswer, Repairs, wantedBy } from "./repair.ts";

export interface SyncPeerOptions {
  readonly organisation: Hash;
  /** The node's own key. */
  readonly pair: KeyPair;
  readonly rng: Rng;
  /** Whether the charter, or this node's configuration, knows the key. Others are ignored and counted [S5]. */
  readonly isKnownNode: (key: PublicKey) => boolean;
  /** Whether the charter has revoked the key: its frames count for nothing, and it may be told so. Default: no key. */
  readonly isRevokedNode?: (key: PublicKey) => boolean;
  readonly checkObject: CheckObject;
  /** What this node takes in one answer; default 1 MiB. */
  readonly creditBytes?: number;
}

/** An answer with blocks is never larger than that, whatever credit the asker gives; with objects, twice that. */
export const SERVE_BYTES_MAX = 1024 * 1024;
const BLOCK_ASSEMBLY_BYTES_MAX = 64 * ENVELOPE_BYTES_MAX;
/** Of pieces of what has not come whole: blocks, objects, farewells. */
export const UNFINISHED_BYTES_MAX = BLOCK_ASSEMBLY_BYTES_MAX + OBJECT_ASSEMBLY_BYTES_MAX + FAREWELLS_BYTES_MAX;
/** What a REPAIR costs of a peer's bucket: it makes its receiver read. */
const REPAIR_FRAMES = 10;
/** A tip is at most 18 bytes on the wire; the rest of a FRONT fits in 128. */
const FRONT_TIPS_MAX = Math.floor((FRAME_BYTES_DEFAULT - 128) / 18);

export class SyncPeer {
  readonly #options: SyncPeerOptions;
  readonly #self: PublicKey;
  readonly #holdings = new Holdings();
  readonly #neighbours = new Neighbours();
  readonly #outbox: Outbox;
  readonly #presence: Presence;
  readonly #puller: Puller;
  readonly #fetcher: Fetcher;
  readonly #repairs: Repairs;
  readonly #blocks = new Assembly(BLOCK_ASSEMBLY_BYTES_MAX);
  readonly #farewells = new Farewells();
  #out: SyncOutput[] = [];
  #nowMs = 0;
  #isConnected = false;
  #isUntimed = false; // An input without a time waits for the next tick.
  #stored: { ingested: number | undefined; isChanged: boolean } | undefined;

  constructor(options: SyncPeerOptions) {
    const { pair, rng, creditBytes = SERVE_BYTES_MAX } = options;
    const send = (to: PublicKey, frame: Frame): void => this.#send(to, frame);
    const shared = { ...options, creditBytes, self: pair.publicKey, neighbours: this.#neighbours, rng, send };
    const limits = { tipsMax: FRONT_TIPS_MAX, rangesMax: WANT_RANGES_MAX };
    this.#options = options;
    this.#self = pair.publicKey;
    this.#outbox = new Outbox(options.organisation, pair.publicKey);
    this.#presence = new Presence(shared);
    const stuck = ({ key, digest }: Neighbour): void => this.#disagree(key, digest);
    this.#puller = new Puller({ ...shared, ...limits, holdings: this.#holdings, stuck });
    this.#repairs = new Repairs(rng);
    this.#fetcher = new Fetcher(shared);
  }

  /** The one way in. Never throws, whatever a message holds. */
  step(input: SyncInput): SyncOutput[] {
    this.#out = [];
    // A clock that runs back stands still.
    if ("nowMs" in input) this.#nowMs = Math.max(this.#nowMs, input.nowMs);
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
    return this.#outbox.blocks(to, envelopes, this.#neighbours.find(to)?.frameBytesMax);
  }

  /** Answers a `serve-objects`; `lacking` are those asked for that this node does not have. */
  objectsFor(to: string, objects: readonly SyncObject[], lacking: readonly Hash[] = []): SyncOutput[] {
    if (!isPublicKey(to)) return [];
    return this.#outbox.objects(to, { objects, lacking }, this.#neighbours.find(to)?.frameBytesMax);
  }

  /** Answers a `serve-farewell`. */
  farewellFor(to: PublicKey, bytes: Uint8Array): SyncOutput[] {
    return this.#outbox.farewell(to, bytes);
  }

  /** Answers a `serve-repair`, now. */
  repair(frame: RepairFrame, reader: VersionReader): SyncOutput[] {
    const { key } = frame;
    const credit = Math.min(frame.creditBytes, SERVE_BYTES_MAX);
    const envelopes = wantedBy(frame, this.#holdings, reader, credit);
    const given = this.#outbox.given(key, envelopes, this.#neighbours.find(key)?.frameBytesMax);
    const answers = answersTo(frame, this.#holdings, reader);
    return [...given, ...answers.map((answer) => this.#outbox.to(key, this.#repairFrame(answer)))];
  }

  #repairFrame(answer: RepairAnswer): RepairFrame {
    const { creditBytes = SERVE_BYTES_MAX } = this.#options;
    return { ...answer, type: "repair", key: this.#self, creditBytes };
  }

  /** Numbers do not tell what we and a peer hold differently. */
  #disagree(key: PublicKey, theirs: Hash | undefined): void {
    const own = this.#holdings.digest;
    if (theirs !== undefined && theirs !== own) this.#repairs.notice(key, theirs, own, this.#nowMs);
  }

  #repairDue(): void {
    const digestOf = (key: PublicKey): Hash | undefined => {
      const neighbour = this.#neighbours.find(key);
      return neighbour?.isPresent ? neighbour.digest : undefined;
    };
    for (const key of this.#repairs.due(this.#nowMs, this.#holdings.digest, digestOf))
      this.#send(key, this.#repairFrame(openingOf(this.#holdings)));
  }

  /** For status: whom this node knows, and who is stalled, since when and why. */
  peers(): PeerStatus[] {
    return this.#neighbours.status(this.#holdings.digest);
  }

  /** Objects that are still to come. */
  get wantedCount(): number {
    return this.#fetcher.wantedCount;
  }

  /** Of pieces that are held. */
  get unfinishedBytes(): number {
    return this.#blocks.heldBytes + this.#fetcher.unfinishedBytes + this.#farewells.unfinishedBytes;
  }

  #take(input: SyncInput): void {
    switch (input.type) {
      case "tick":
        return;
      case "connected":
        return this.#connect();
      case "disconnected":
        return this.#disconnect();
      case "meet":
        return this.#puller.meet();
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
    this.#isConnected = true;
    this.#presence.connected();
    this.#out.push({ type: "subscribe", topics: nodeTopics(this.#options.organisation, this.#self) });
  }

  #disconnect(): void {
    this.#isConnected = false;
    this.#presence.disconnected();
    this.#neighbours.clearPresence(); // It is only known while connected.
    this.#puller.forget();
    this.#fetcher.forget();
    this.#repairs.forget();
  }

  #local({ frontier, finals, ingested }: LocalInput): void {
    const isChanged = this.#holdings.update(frontier);
    const before = this.#stored;
    const sum = ingested === undefined ? before?.ingested : ingested + (before?.ingested ?? 0);
    this.#stored = { ingested: sum, isChanged: isChanged || before?.isChanged === true };
    if (!isChanged) return;
    this.#presence.changed(finals);
    for (const frame of this.#presence.admitted()) this.#hello(frame);
  }

  #publishLive(envelopes: readonly Uint8Array[]): void {
    if (!this.#isConnected) return; // The HELLO after connecting says it.
    this.#out.push(...this.#outbox.live(envelopes));
  }

  #advance(): void {
    this.#isUntimed = false;
    if (this.#stored !== undefined) this.#puller.onLocal(this.#stored.ingested, this.#stored.isChanged, this.#nowMs);
    this.#stored = undefined;
    if (!this.#isConnected) return;
    const hello = this.#presence.advance(this.#nowMs, this.#holdings.digest);
    if (hello !== undefined) this.#out.push(this.#outbox.hello(hello));
    this.#puller.advance(this.#nowMs);
    this.#repairDue();
    this.#fetcher.advance(this.#nowMs);
  }

  #dueMs(): number {
    if (!this.#isConnected) return Infinity;
    return Math.min(this.#presence.dueMs, this.#puller.dueMs(), this.#fetcher.dueMs(), this.#repairs.dueMs());
  }

  /** The checks in the order of their cost [S5]: topic, length, form, sender, rate, signature. */
  #message(topicName: string, bytes: Uint8Array): void {
    const topic = parseTopic(this.#options.organisation, topicName);
    if (topic === undefined) return this.#refuse("unknown", "topic");
    if (topic.kind === "hello" && bytes.length === 0) return this.#gone(topic.node);
    const lengthMax = topic.kind === "hello" ? HELLO_BYTES_MAX : FRAME_BYTES_DEFAULT;
    if (bytes.length > lengthMax) return this.#refuse("unknown", "length");
    const frame = tryDecodeFrame(bytes, lengthMax);
    if (frame === undefined) return this.#refuse("unknown", "form");
    if (!fitsTopic(frame, topic, this.#self)) return this.#refuse(frame.key, "topic");
    if (frame.key === this.#self) return; // The broker gives us our own frames, too.
    if (!this.#options.isKnownNode(frame.key)) return this.#stranger(frame);
    const neighbour = this.#neighbours.of(frame.key);
    const isAsked = frame.type === "data" && (this.#puller.isAsking(frame.key) || this.#fetcher.isAsking(frame.key));
    const cost = frame.type === "repair" ? REPAIR_FRAMES : 1;
    if (!neighbour.admits(this.#nowMs, cost) && !isAsked) return this.#refuse(frame.key, "rate");
    this.#frame(frame, neighbour);
  }

  /** Of one that is revoked nothing is remembered: it never becomes known again. */
  #stranger(frame: Frame): void {
    const { isRevokedNode = () => false, organisation } = this.#options;
    const isRevoked = isRevokedNode(frame.key);
    this.#refuse(frame.key, isRevoked ? "revoked" : "stranger");
    if (frame.type !== "hello") return;
    if (!isRevoked) return this.#presence.remember(frame);
    if (this.#farewells.isDue(frame, organisation, this.#nowMs))
      this.#out.push({ type: "serve-farewell", to: frame.key, finals: frame.finals });
  }

  #frame(frame: Frame, neighbour: Neighbour): void {
    if (frame.type === "hello") return this.#hello(frame);
    neighbour.heardMs = this.#nowMs;
    if (frame.type === "front") return this.#front(frame, neighbour);
    if (frame.type === "repair") return void this.#out.push({ type: "serve-repair", frame });
    return frame.type === "want" ? this.#want(frame) : this.#dataFrom(frame, neighbour);
  }

  #hello(frame: HelloFrame): void {
    if (!this.#presence.hear(frame, this.#nowMs)) this.#refuse(frame.key, "signature");
  }

  #gone(node: PublicKey): void {
    if (node === this.#self) {
      if (this.#isConnected) this.#presence.dropped(this.#nowMs);
      return;
    }
    this.#presence.gone(node);
    this.#puller.onGone(node);
  }

  /** A peer's frontier: give it what it lacks, ask for what we lack. */
  #front(frame: FrontFrame, neighbour: Neighbour): void {
    if (frame.isAnswer) return this.#puller.onAnswer(frame, this.#nowMs);
    const beyond = this.#holdings.beyond(frame);
    const { digest } = this.#holdings;
    const tips = beyond.slice(0, FRONT_TIPS_MAX).map(({ tip }) => tip);
    const window = { from: frame.window.from, to: beyond[FRONT_TIPS_MAX]?.tip[0] ?? frame.window.to };
    this.#send(frame.key, { type: "front", key: this.#self, digest, window, tips, isAnswer: true, creditBytes: 0 });
    if (beyond.length > 0)
      this.#serveBlocks(
        frame.key,
        beyond.map(({ range }) => range),
        frame.creditBytes,
      );
    const isWhole = frame.window.from === TAG_FIRST && frame.window.to === "";
    const lacksNothing = frame.tips.every(([tag, n]) => this.#holdings.newest(tag) >= n);
    if (beyond.length === 0 && lacksNothing) {
      neighbour.digest = frame.digest; // Newer than its HELLO.
      this.#disagree(frame.key, frame.digest);
    }
    if (isWhole && lacksNothing)
      this.#puller.onCovered(neighbour, frame.digest); // Spares our own question.
    else this.#puller.onQuestion(neighbour, frame, this.#nowMs);
  }

  #want({ key, ranges, ids, creditBytes }: WantFrame): void {
    const held = ranges
      .map(([tag, from, to]) => this.#holdings.range(tag, from, to))
      .filter((range) => range !== undefined);
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

  #dataFrom(frame: DataFrame, neighbour: Neighbour): void {
    const envelopes = [...frame.envelopes];
    for (const piece of frame.pieces) {
      if (piece.kind === "block") envelopes.push(...this.#blockFrom(frame.key, piece));
      else if (piece.kind === "farewell") this.#farewellFrom(neighbour, piece);
      else this.#objectFrom(frame.key, piece);
    }
    if (envelopes.length > 0) {
      this.#out.push({ type: "ingest", from: frame.key, envelopes });
      this.#puller.onIngest();
    }
    this.#fetcher.onLacks(frame.key, frame.lacks);
    if (frame.end === "objects") this.#fetcher.onEnd(frame.key);
    else this.#puller.onData(frame.key, frame.end === "blocks", this.#nowMs);
  }

  /** None, or one when its last piece is there. */
  #blockFrom(from: PublicKey, piece: Piece): Uint8Array[] {
    const isTooLarge = piece.totalBytes > ENVELOPE_BYTES_MAX;
    const envelope = isTooLarge ? undefined : this.#blocks.add(`${from}/${piece.id}`, piece);
    if (isTooLarge || (envelope !== undefined && envelopeHash(envelope) !== piece.id)) this.#refuse(from, "piece");
    else if (envelope !== undefined) return [envelope];
    return [];
  }

  #objectFrom(from: PublicKey, piece: Piece): void {
    const result = this.#fetcher.onPiece(from, piece, this.#nowMs);
    if (result === "more") return;
    if (typeof result === "string") return this.#refuse(from, result);
    this.#out.push({ type: "object", from, ...result.object });
  }

  #farewellFrom(from: Neighbour, piece: Piece): void {
    const bytes = this.#farewells.take(from.key, piece);
    if (bytes === "more") return;
    if (bytes === "refused") return this.#refuse(from.key, "piece");
    if (!from.admits(this.#nowMs, FAREWELL_FRAMES)) return this.#refuse(from.key, "rate");
    this.#out.push({ type: "farewell", from: from.key, bytes });
  }

  #send(to: PublicKey, frame: Frame): void {
    this.#out.push(this.#outbox.to(to, frame));
  }

  #refuse(from: string, why: Refusal): void {
    this.#out.push({ type: "refused", from, why });
  }
}
