/**
 * The charter's states by height, as they were read before: whoever judges merges and votes asks again and again
 * who may. A state at a height never changes, so what was read of it stays true until a transaction is undone.
 */
import type { Canonical } from "../../codec/index.ts";
import type { StateView } from "../../ledger/index.ts";

/** Heights that are asked for at one time: the last few of each branch. */
const HEIGHTS_MAX = 16;

export class Charters {
  readonly #kept = new Map<number, StateView>();

  /** `read` is asked once for each thing. */
  at(h: number, read: () => StateView): StateView {
    const known = this.#kept.get(h);
    if (known !== undefined) return known;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < HEIGHTS_MAX) break;
      this.#kept.delete(oldest);
    }
    const view = remembered(read());
    this.#kept.set(h, view);
    return view;
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
