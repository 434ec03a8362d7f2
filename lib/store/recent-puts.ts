/**
 * What `put` has kept lately. It has no other name until somebody writes its id into the ledger, so a
 * ref keeps it for some days [T11]: refs/put/TIME-ID, an empty file.
 */
import type { Hash } from "../base/index.ts";
import type { Refs } from "./refs.ts";

const FOLDER = "put";
const REF = /^(\d{15})-([0-9a-f]{64})$/;
const TIME_DIGITS = 15;
const KEPT_MS = 7 * 24 * 3_600_000;

export class RecentPuts {
  readonly #refs: Refs;

  constructor(refs: Refs) {
    this.#refs = refs;
  }

  /** Keeps an object; it must be durable already [T8]. */
  async add(id: Hash, nowMs: number): Promise<void> {
    const time = String(Math.max(0, Math.floor(nowMs))).padStart(TIME_DIGITS, "0");
    await this.#refs.write([FOLDER], `${time}-${id}`, new Uint8Array(0));
  }

  /** What is kept, in no order; once each. */
  async ids(nowMs: number): Promise<Hash[]> {
    const kept = (await this.#all()).filter(({ timeMs }) => !isOver(timeMs, nowMs));
    return [...new Set(kept.map(({ id }) => id))];
  }

  /** Lets go of what was put long ago. */
  async expire(nowMs: number): Promise<void> {
    for (const { timeMs, name } of await this.#all()) {
      if (isOver(timeMs, nowMs)) await this.#refs.remove([FOLDER], name);
    }
  }

  async #all(): Promise<{ name: string; timeMs: number; id: Hash }[]> {
    return (await this.#refs.list(FOLDER)).flatMap((name) => {
      const [, time, id] = REF.exec(name) ?? [];
      return id === undefined ? [] : [{ name, timeMs: Number(time), id: id as Hash }];
    });
  }
}

function isOver(timeMs: number, nowMs: number): boolean {
  return timeMs + KEPT_MS < nowMs;
}
