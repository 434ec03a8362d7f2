/** Blocks that wait for their parents, in bounded memory [S5]. Pure. */
import { equalBytes, type Hash } from "../base/index.ts";
import type { Block } from "../codec/index.ts";
import type { AdmitView, Orphan } from "../ledger/index.ts";

/** Over all authors; beyond it the oldest are dropped and come again. */
export const ORPHANS_MAX = 1024;

export class Orphans {
  readonly #waiting = new Map<Hash, Orphan>();

  get count(): number {
    return this.#waiting.size;
  }

  keep(orphan: Orphan): void {
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size >= ORPHANS_MAX && oldest !== undefined) this.#waiting.delete(oldest);
    this.#waiting.set(orphan.block.id, orphan);
  }

  /** Whether it came before. By its signature, too, which nobody has verified: a forged copy must not stand for the true one. */
  waits({ id, sig }: Block, held: Pick<AdmitView, "parent">): boolean {
    const orphan = this.#waiting.get(id);
    if (orphan === undefined || !equalBytes(orphan.block.sig, sig)) return false;
    return orphan.missing.some((parent) => held.parent(parent) === undefined);
  }

  /** Whether one of them builds on it. */
  need(id: Hash): boolean {
    return [...this.#waiting.values()].some(({ missing }) => missing.includes(id));
  }

  /** Those that have waited for nothing but these: nothing else is judged again, or junk would cost each time. */
  takeChildren(parents: readonly Hash[]): Block[] {
    const arrived = new Set(parents);
    const children: Block[] = [];
    for (const { block, missing } of this.#waiting.values()) {
      const rest = missing.filter((id) => !arrived.has(id));
      if (rest.length === missing.length) continue;
      if (rest.length > 0) this.#waiting.set(block.id, { block, missing: rest });
      else children.push(block);
    }
    for (const { id } of children) this.#waiting.delete(id);
    return children;
  }
}
