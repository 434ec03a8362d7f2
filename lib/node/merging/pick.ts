/**
 * Which of the entries that are pending a merge takes. In the order of taking in, so that a block comes after all that
 * it builds on; a log is taken range by range, so what comes after something that waits waits, too, and so does what
 * builds on it. What must wait, however much it is, keeps nothing else back.
 */
import type { Hash, PublicKey } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { appOfEntry, authorOf, MERGE_RANGES_MAX, type StateView } from "../../ledger/index.ts";
import type { PendingEntries, PendingEntry } from "../ports.ts";

export interface PickOptions {
  /** Who the authors are. */
  readonly charter: StateView;
  /** Asked once of each entry that could be taken. */
  isWaiting(block: Block, app: string): boolean;
  /** More wait for the next merge, so that one merge fits a small board's memory. */
  readonly entriesMax: number;
  /** Of one principal no more are taken before everybody else's: a flood is not to keep others waiting. */
  readonly shareMax: number;
}

/**
 * Logs of one device that a merge takes from: more wait for the next one. Each may turn out to be forked, and who
 * holds other versions has to find those that the merge means [L6].
 */
export const LOGS_PER_DEVICE_MAX = 4;

/** Causally closed; in the order of taking in. */
export function pick(pending: PendingEntries, options: PickOptions): Block[] {
  return new Picker(pending, options).run();
}

class Picker {
  readonly #pending: PendingEntries;
  readonly #options: PickOptions;
  readonly #picked: PendingEntry[] = [];
  /** Of each log the number after the last that was picked. */
  readonly #reached = new Map<number, number>();
  readonly #logsOf = new Map<PublicKey, number>();
  readonly #countOf = new Map<string, number>();
  readonly #principals = new Map<PublicKey, string>();
  /** Something was passed over, on which others may build. */
  #hasGaps = false;

  constructor(pending: PendingEntries, options: PickOptions) {
    this.#pending = pending;
    this.#options = options;
  }

  run(): Block[] {
    this.#pass(this.#options.shareMax);
    if (this.#pending.release()) this.#pass(this.#options.entriesMax);
    return this.#picked.sort((one, other) => one.seq - other.seq).map(({ block }) => block);
  }

  #pass(share: number): void {
    while (this.#picked.length < this.#options.entriesMax) {
      const entry = this.#pending.peek();
      if (entry === undefined) return;
      const fate = this.#fateOf(entry, share);
      if (fate === "take") this.#take(entry);
      else this.#pending[fate](entry.log);
      this.#hasGaps ||= fate !== "take";
    }
  }

  #fateOf({ log, block }: PendingEntry, share: number): "take" | "hold" | "stop" {
    if ((this.#countOf.get(this.#principalOf(block.a)) ?? 0) >= share) return "hold";
    if (!this.#reached.has(log) && this.#isFull(block.a)) return "stop";
    const open = this.#hasGaps ? block.p.flatMap((id) => this.#openLog(id) ?? []) : [];
    if (open.length > 0) return open.every((each) => this.#pending.isHeld(each)) ? "hold" : "stop";
    return this.#options.isWaiting(block, appOfEntry(block.d)) ? "stop" : "take";
  }

  /** Whether no more logs can be named, or none of this device. */
  #isFull(device: PublicKey): boolean {
    return this.#reached.size >= MERGE_RANGES_MAX || (this.#logsOf.get(device) ?? 0) >= LOGS_PER_DEVICE_MAX;
  }

  /** The log of an entry that is pending and was not picked. */
  #openLog(id: Hash): number | undefined {
    const place = this.#pending.place(id);
    return place !== undefined && place.n >= (this.#reached.get(place.log) ?? 0) ? place.log : undefined;
  }

  #take(entry: PendingEntry): void {
    const { log, block } = entry;
    if (!this.#reached.has(log)) this.#logsOf.set(block.a, (this.#logsOf.get(block.a) ?? 0) + 1);
    const principal = this.#principalOf(block.a);
    this.#countOf.set(principal, (this.#countOf.get(principal) ?? 0) + 1);
    this.#reached.set(log, block.n + 1);
    this.#picked.push(entry);
    this.#pending.advance(log);
  }

  #principalOf(author: PublicKey): string {
    const known = this.#principals.get(author) ?? authorOf(this.#options.charter, author)?.principal ?? author;
    this.#principals.set(author, known);
    return known;
  }
}
