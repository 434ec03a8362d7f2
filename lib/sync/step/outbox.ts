/** What a node sends: frames on topics, cut to what the receiver takes. Pure. */
import { FRAME_BYTES_DEFAULT, type Hash, type PublicKey } from "../../base/index.ts";
import { deriveHash } from "../../codec/index.ts";
import type { SyncObject, SyncOutput } from "../types.ts";
import {
  cutPieces,
  type DataFrame,
  encodeFrame,
  type Frame,
  type HelloFrame,
  packEnvelopes,
  WANT_IDS_MAX,
} from "../wire/frames.ts";
import { helloTopic, inboxTopic, liveTopic } from "../wire/topics.ts";

type Publish = Extract<SyncOutput, { type: "publish" }>;

export class Outbox {
  readonly #organisation: Hash;
  readonly #self: PublicKey;

  constructor(organisation: Hash, self: PublicKey) {
    this.#organisation = organisation;
    this.#self = self;
  }

  hello(frame: HelloFrame): Publish {
    const topic = helloTopic(this.#organisation, this.#self);
    return { type: "publish", topic, bytes: encodeFrame(frame), retain: true };
  }

  /** To everybody; in frames that every node takes. */
  live(envelopes: readonly Uint8Array[]): Publish[] {
    const topic = liveTopic(this.#organisation);
    return packEnvelopes(envelopes, envelopeHash).map((frame) => publish(topic, { ...this.#data(), ...frame }));
  }

  to(node: PublicKey, frame: Frame): Publish {
    return publish(inboxTopic(this.#organisation, node), frame);
  }

  blocks(to: PublicKey, envelopes: readonly Uint8Array[], frameBytesMax = FRAME_BYTES_DEFAULT): Publish[] {
    const frames = packEnvelopes(envelopes, envelopeHash, frameBytesMax);
    return this.#answer(
      to,
      frames.map((frame) => ({ ...this.#data(), ...frame })),
      "blocks",
    );
  }

  /** Blocks that no question of this node's waits for: nothing says that they are all. */
  given(to: PublicKey, envelopes: readonly Uint8Array[], frameBytesMax = FRAME_BYTES_DEFAULT): Publish[] {
    const frames = packEnvelopes(envelopes, envelopeHash, frameBytesMax);
    return frames.map((frame) => this.to(to, { ...this.#data(), ...frame }));
  }

  farewell(to: PublicKey, bytes: Uint8Array): Publish[] {
    const pieces = cutPieces("farewell", envelopeHash(bytes), bytes);
    return pieces.map((piece) => this.to(to, { ...this.#data(), pieces: [piece] }));
  }

  objects(
    to: PublicKey,
    found: { readonly objects: readonly SyncObject[]; readonly lacking: readonly Hash[] },
    frameBytesMax = FRAME_BYTES_DEFAULT,
  ): Publish[] {
    const { objects, lacking } = found;
    const pieces = objects.flatMap(({ id, kind, bytes }) => cutPieces(kind, id, bytes, frameBytesMax));
    const frames: DataFrame[] = pieces.map((piece) => ({ ...this.#data(), pieces: [piece] }));
    if (lacking.length > 0) frames.push({ ...this.#data(), lacks: lacking.slice(0, WANT_IDS_MAX) });
    return this.#answer(to, frames, "objects");
  }

  /** The last frame says that it is the last; there is always one. */
  #answer(to: PublicKey, frames: readonly DataFrame[], end: DataFrame["end"]): Publish[] {
    const last = { ...(frames.at(-1) ?? this.#data()), end };
    return [...frames.slice(0, -1), last].map((frame) => this.to(to, frame));
  }

  #data(): DataFrame {
    return { type: "data", key: this.#self, envelopes: [], pieces: [], lacks: [], end: "none" };
  }
}

/** Names a block that travels in pieces; sync knows no other id of it. */
export function envelopeHash(envelope: Uint8Array): Hash {
  return deriveHash("gdo v1 envelope", envelope);
}

function publish(topic: string, frame: Frame): Publish {
  return { type: "publish", topic, bytes: encodeFrame(frame) };
}
