/**
 * The door's own log: signed entries of the app "door", each durable before anybody acts on it or sees
 * it [A3][L7]. It needs no agent and no network.
 */
import type { Block } from "../../codec/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import { type Act, entryPayload } from "../../ledger/index.ts";
import type { OwnLog } from "../../node/index.ts";

const DOOR_APP = "door";

export interface DoorLogOptions {
  readonly db: LedgerDb;
  readonly own: OwnLog;
  /** The charter: parent of the log's first block. */
  readonly charter: Block;
}

export class DoorLog {
  readonly #options: DoorLogOptions;
  readonly #listeners: (() => void)[] = [];
  #last: number;

  constructor(options: DoorLogOptions) {
    this.#options = options;
    const { db, own } = options;
    this.#last = db.lastOf(own.author, own.incarnation)?.n ?? -1;
  }

  /** Number of the newest entry; -1 when there is none. */
  get last(): number {
    return this.#last;
  }

  /** Signs and keeps one entry; durable on return. Throws when it cannot be kept: then it was never said. */
  append(act: Act): Block {
    const { own, charter } = this.#options;
    const block = own.append("entry", entryPayload(DOOR_APP, [act]), this.#last < 0 ? [charter] : []);
    this.#last = block.n;
    for (const listener of this.#listeners) listener();
    return block;
  }

  onAppended(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Envelopes from a number on, as many as fit and at least one. */
  range(from: number, bytesMax: number): Uint8Array[] {
    const { db, own } = this.#options;
    return db.range(own.author, own.incarnation, from, this.#last, bytesMax);
  }
}
