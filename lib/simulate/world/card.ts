/** The storage of one node: ledger and objects on one card. Loses power, fills up, is damaged, restored, copied. */
import { GdoError, type Hash } from "../../base/index.ts";
import { type LedgerDb, MemoryDisk, PowerCut, type Tail } from "../../db/index.ts";
import { MemoryStore, type ObjectKind, type StoredObject } from "../../store/index.ts";

/** A process' objects; what it has not committed is lost with its power. */
class CardStore extends MemoryStore {
  hasPower = true;
  isFull = false;

  override async put(kind: ObjectKind, bytes: Uint8Array): Promise<Hash> {
    this.#assertPower();
    if (this.isFull) throw new GdoError("STORE_FULL", "the card is full");
    return super.put(kind, bytes);
  }

  override async commit(): Promise<void> {
    this.#assertPower();
    return super.commit();
  }

  #assertPower(): void {
    if (!this.hasPower) throw new PowerCut("the process is gone");
  }
}

export class Card {
  #disk: MemoryDisk;
  readonly #objects: Map<Hash, StoredObject>;
  #store: CardStore | undefined;
  #isFull = false;
  /** Bytes of it were changed, and nobody has looked at it since. */
  isSuspect: boolean;

  private constructor(disk: MemoryDisk, objects: Map<Hash, StoredObject>, isSuspect = false) {
    this.#disk = disk;
    this.#objects = objects;
    this.isSuspect = isSuspect;
  }

  static blank(): Card {
    return new Card(MemoryDisk.blank(), new Map());
  }

  /** A process starts on it. Throws LEDGER_CORRUPT. */
  open(onFsync: () => "before" | "after" | undefined): { db: LedgerDb; store: MemoryStore } {
    this.#disk.onFsync = onFsync;
    const db = this.#disk.open();
    this.#store = new CardStore(this.#objects);
    this.#store.isFull = this.#isFull;
    return { db, store: this.#store };
  }

  /** The process ends, by a power cut or otherwise. */
  end(tail: Tail): void {
    if (this.#store !== undefined) this.#store.hasPower = false;
    this.#store = undefined;
    this.#disk.powerCut(tail);
  }

  setFull(isFull: boolean): void {
    this.#isFull = isFull;
    if (!this.isSuspect) this.#disk.setFull(isFull); // What is damaged may not even know its size.
    if (this.#store !== undefined) this.#store.isFull = isFull;
  }

  /** An image of the card; no process may use it. */
  copy(): Card {
    return new Card(this.#disk.copy(), new Map(this.#objects), this.isSuspect);
  }

  /** Changes bytes of the ledger's file; no process may use it. */
  damage(change: (bytes: Uint8Array) => void): void {
    const damaged = this.#disk.damaged(change);
    this.#disk.close();
    this.#disk = damaged;
    this.isSuspect = true;
  }

  close(): void {
    this.end("all");
    this.#disk.close();
  }
}
