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

/** How far an incarnation of the door's log goes. */
export interface LogEnd {
  readonly l: string;
  readonly last: number;
}

export class DoorLog {
  readonly #options: DoorLogOptions;
  readonly #listeners: (() => void)[] = [];
  #logs: LogEnd[];

  constructor(options: DoorLogOptions) {
    this.#options = options;
    const { db, own } = options;
    this.#logs = db.logsOf(own.author).map((l) => ({ l, last: db.lastOf(own.author, l)?.n ?? -1 }));
  }

  /** All incarnations of the door's log, the present one last: its number is -1 while it is empty [L8]. */
  logs(): readonly LogEnd[] {
    const { incarnation } = this.#options.own;
    if (this.#logs.at(-1)?.l !== incarnation) {
      const end = this.#logs.find(({ l }) => l === incarnation) ?? { l: incarnation, last: -1 };
      this.#logs = [...this.#logs.filter(({ l }) => l !== incarnation), end];
    }
    return this.#logs;
  }

  /** Signs and keeps one entry; durable on return. Throws when it cannot be kept: then it was never said. */
  append(act: Act): Block {
    const { own, charter } = this.#options;
    const isFirst = this.logs().at(-1)?.last === -1;
    const block = own.append("entry", entryPayload(DOOR_APP, [act]), isFirst ? [charter] : []);
    this.#logs = [...this.#logs.slice(0, -1), { l: block.l, last: block.n }];
    for (const listener of this.#listeners) listener();
    return block;
  }

  onAppended(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Envelopes of an incarnation from a number on, as many as fit and at least one. */
  range(l: string, from: number, bytesMax: number): Uint8Array[] {
    const { db, own } = this.#options;
    return db.range(own.author, l, from, Number.MAX_SAFE_INTEGER, bytesMax);
  }
}
