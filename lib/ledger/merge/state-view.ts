/** State in memory: plain, or as changes over another view, so that a reducer sees what it has done. */
import { utf8 } from "../../base/index.ts";
import type { Canonical } from "../../codec/index.ts";
import type { StateChange, StateView } from "../types.ts";

/** Bytewise order of UTF-8, as everywhere in the ledger; differs from UTF-16's beyond the BMP. */
export function compareStateKeys(a: string, b: string): number {
  return Buffer.compare(utf8(a), utf8(b));
}

/** Changes over a base; the base is never written. */
export class OverlayState implements StateView {
  readonly #base: StateView | undefined;
  readonly #changed = new Map<string, Canonical | undefined>();

  constructor(base?: StateView, changes: Iterable<StateChange> = []) {
    this.#base = base;
    this.apply(changes);
  }

  get(key: string): Canonical | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.#base?.get(key);
  }

  *scan(prefix: string): Iterable<readonly [string, Canonical]> {
    const found = new Map<string, Canonical>();
    for (const [key, value] of this.#base?.scan(prefix) ?? []) if (!this.#changed.has(key)) found.set(key, value);
    for (const [key, value] of this.#changed) if (value !== undefined && key.startsWith(prefix)) found.set(key, value);
    yield* [...found].sort(([a], [b]) => compareStateKeys(a, b));
  }

  apply(changes: Iterable<StateChange>): void {
    for (const [key, value] of changes) this.#changed.set(key, value);
  }

  /** One change a key, in the order of the keys. */
  changes(): StateChange[] {
    return [...this.#changed].sort(([a], [b]) => compareStateKeys(a, b));
  }
}
