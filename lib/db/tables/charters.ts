/**
 * The charter's states by height, as they were read before: whoever judges merges and votes asks again and again
 * who may. A state at a height never changes, so what was read of it stays true until a transaction is undone.
 */
import { Kept } from "../../base/index.ts";
import type { Canonical } from "../../codec/index.ts";
import type { StateView } from "../../ledger/index.ts";

/** Heights that are asked for at one time: the last few of each branch. */
const HEIGHTS_MAX = 16;

export class Charters {
  readonly #kept = new Kept<number, StateView>(HEIGHTS_MAX);

  /** `read` is asked once for each thing. */
  at(h: number, read: () => StateView): StateView {
    return this.#kept.get(h) ?? this.#kept.set(h, remembered(read()));
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.#kept.clear();
  }
}

function remembered(view: StateView): StateView {
  const values = new Map<string, Canonical | undefined>();
  const scans = new Map<string, readonly (readonly [string, Canonical])[]>();
  return {
    get: (key) => {
      if (values.has(key)) return values.get(key);
      const value = view.get(key);
      values.set(key, value);
      return value;
    },
    scan: (prefix) => {
      const pairs = scans.get(prefix) ?? [...view.scan(prefix)];
      scans.set(prefix, pairs);
      return pairs;
    },
  };
}
