/** What a peer's step takes and gives, and what carries it. docs/design/sync.md rules [S1] to [S7]. */
import type { Hash, PublicKey } from "../base/index.ts";
import type { RepairFrame } from "./wire/frames.ts";

/** The newest number of one log, everything before it held. */
export interface LogTip {
  readonly author: PublicKey;
  /** Incarnation of the author's log, 16 hex digits. */
  readonly l: string;
  readonly n: number;
  /**
   * 16 hex digits: the same where the same blocks of the log are held, for numbers may be used twice. Absent where
   * that never happens.
   */
  readonly print?: string;
}

/** What a node reads of its ledger to compare versions of a log; `log` is the tip that it said it holds. */
export interface VersionReader {
  /** As LogTip.print, of the numbers up to `n` alone. */
  print(log: LogTip, n: number): string | undefined;
  /** First 16 hex digits of the ids of all blocks with a number; at most 8 of them. */
  ids(log: LogTip, n: number): readonly string[];
  /** Envelopes of the block with that number whose id begins so, and of what is on top of it; one at least. */
  from(log: LogTip, n: number, id: string, bytesMax: number): readonly Uint8Array[];
}

/** All logs that a node holds, in any order. */
export type Frontier = readonly LogTip[];

/** Newest final merge of a branch. */
export interface Final {
  readonly branch: string;
  readonly h: number;
  readonly id: Hash;
}

/** A part of one log, both ends included. */
export type LogRange = readonly [author: PublicKey, l: string, from: number, to: number];

export type ObjectKind = "chunk" | "blob" | "tree";

export interface SyncObject {
  readonly id: Hash;
  readonly kind: ObjectKind;
  readonly bytes: Uint8Array;
}

/** `nowMs` is monotonic. Inputs without it take effect at the next tick, for which the step asks at once. */
export type SyncInput =
  | { readonly type: "tick"; readonly nowMs: number }
  | { readonly type: "connected" }
  | { readonly type: "disconnected" }
  /** Some peer is to be asked what it holds now, whatever its HELLO says: `peers()` tells who has been met since. */
  | { readonly type: "meet" }
  | { readonly type: "message"; readonly topic: string; readonly bytes: Uint8Array; readonly nowMs: number }
  | LocalInput
  /** Own new blocks, durable by now: they go to everybody at once. A `local` follows. */
  | { readonly type: "appended"; readonly envelopes: readonly Uint8Array[] }
  /** Objects to fetch; `near` is a peer that probably has them. */
  | { readonly type: "want"; readonly objects: readonly Hash[]; readonly near?: string }
  | { readonly type: "have"; readonly objects: readonly Hash[] };

/** What this node holds has changed, or it has dealt with something to ingest. */
export interface LocalInput {
  readonly type: "local";
  readonly frontier: Frontier;
  readonly finals: readonly Final[];
  /** How many `ingest` outputs it dealt with since the last `local`; without it a pause is waited for. */
  readonly ingested?: number;
}

/** Why a message counts for nothing. */
export type Refusal =
  | "topic"
  | "length"
  | "form"
  | "stranger"
  | "revoked"
  | "signature"
  | "rate"
  | "piece"
  | "unasked"
  | "object";

export type SyncOutput =
  | { readonly type: "publish"; readonly topic: string; readonly bytes: Uint8Array; readonly retain?: boolean }
  | { readonly type: "subscribe"; readonly topics: readonly string[] }
  /** To be verified and stored, then answered by a `local`. Bytes from the network: nothing is checked yet. */
  | { readonly type: "ingest"; readonly from: PublicKey; readonly envelopes: readonly Uint8Array[] }
  /** Complete and of this id. */
  | ({ readonly type: "object"; readonly from: PublicKey } & SyncObject)
  /** To be read, causal order over all ranges if possible, and handed to `blocksFor`. */
  | {
      readonly type: "serve-blocks";
      readonly to: PublicKey;
      readonly ranges: readonly LogRange[];
      readonly creditBytes: number;
    }
  /** To be read and handed to `objectsFor`. */
  | {
      readonly type: "serve-objects";
      readonly to: PublicKey;
      readonly ids: readonly Hash[];
      readonly creditBytes: number;
    }
  /** A revoked device is there, and knows of these merges: what it may be told goes to `farewellFor`. */
  | { readonly type: "serve-farewell"; readonly to: PublicKey; readonly finals: readonly Pick<Final, "branch" | "h">[] }
  /** What a peer says of how this device was revoked. Nothing is checked yet. */
  | { readonly type: "farewell"; readonly from: PublicKey; readonly bytes: Uint8Array }
  /** To be handed to `repair`, with what reads the ledger. */
  | { readonly type: "serve-repair"; readonly frame: RepairFrame }
  | { readonly type: "refused"; readonly from: string; readonly why: Refusal }
  /** Tick then, or sooner. Replaces the wake before it; a time that has passed means at once. */
  | { readonly type: "wake"; readonly atMs: number };

export interface TransportHandlers {
  /** May come again, after each `disconnected`. Subscriptions do not survive a disconnection. */
  connected(): void;
  disconnected(): void;
  message(topic: string, bytes: Uint8Array): void;
}

/**
 * Carries frames; a hint channel, which may lose, double and reorder. While it is not connected, what is
 * subscribed or published is dropped. After `close` no handler is called.
 */
export interface Transport {
  start(handlers: TransportHandlers): void;
  subscribe(topics: readonly string[]): void;
  publish(topic: string, bytes: Uint8Array, retain: boolean): void;
  /** Clears this node's presence and resolves when nothing is left open. Never rejects. */
  close(): Promise<void>;
}
