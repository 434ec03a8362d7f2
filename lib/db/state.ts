/** State of each dapp on each branch, as of the branch's last merge, and its roots [L19]. */
import type { Statement } from "better-sqlite3";
import { bytesOf, type Hash, hashOf32 } from "../base/index.ts";
import { type Canonical, decodeCanonical, encodeCanonical } from "../codec/index.ts";
import { OverlayState, type StateChange, type StateView, stateRoot } from "../ledger/index.ts";
import type { Connection } from "./connection.ts";

const PAGE = 256;

type Pair = { key: string; value: Buffer };

export class StateTable {
  readonly #get: Statement<[number, string, string], { value: Buffer }>;
  readonly #from: Statement<[number, string, string], Pair>;
  readonly #after: Statement<[number, string, string], Pair>;
  readonly #put: Statement<[number, string, string, Uint8Array]>;
  readonly #drop: Statement<[number, string, string]>;
  readonly #roots: Statement<[number], { app: string; root: Buffer }>;
  readonly #putRoot: Statement<[number, string, Uint8Array]>;
  readonly #dropRoot: Statement<[number, string]>;
  readonly #apps: Statement<[number], { app: string }>;

  constructor({ raw }: Connection) {
    this.#get = raw.prepare("SELECT value FROM state WHERE branch = ? AND app = ? AND key = ?");
    const page = `ORDER BY key LIMIT ${PAGE}`;
    this.#from = raw.prepare(`SELECT key, value FROM state WHERE branch = ? AND app = ? AND key >= ? ${page}`);
    this.#after = raw.prepare(`SELECT key, value FROM state WHERE branch = ? AND app = ? AND key > ? ${page}`);
    this.#put = raw.prepare("INSERT OR REPLACE INTO state (branch, app, key, value) VALUES (?, ?, ?, ?)");
    this.#drop = raw.prepare("DELETE FROM state WHERE branch = ? AND app = ? AND key = ?");
    this.#roots = raw.prepare("SELECT app, root FROM state_roots WHERE branch = ? ORDER BY app");
    this.#putRoot = raw.prepare("INSERT OR REPLACE INTO state_roots (branch, app, root) VALUES (?, ?, ?)");
    this.#dropRoot = raw.prepare("DELETE FROM state_roots WHERE branch = ? AND app = ?");
    this.#apps = raw.prepare("SELECT DISTINCT app FROM state WHERE branch = ? ORDER BY app");
  }

  view(branch: number, app: string): StateView {
    return {
      get: (key) => {
        const row = this.#get.get(branch, app, key);
        return row === undefined ? undefined : decodeCanonical(row.value);
      },
      scan: (prefix) => this.#scan(branch, app, prefix),
    };
  }

  /** By pages, so that nothing is open between two steps of the caller. */
  *#scan(branch: number, app: string, prefix: string): Iterable<readonly [string, Canonical]> {
    let rows = this.#from.all(branch, app, prefix);
    for (;;) {
      for (const { key, value } of rows) {
        if (!key.startsWith(prefix)) return;
        yield [key, decodeCanonical(value)];
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return;
      rows = this.#after.all(branch, app, last.key);
    }
  }

  roots(branch: number): Record<string, Hash> {
    return Object.fromEntries(this.#roots.all(branch).map(({ app, root }) => [app, hashOf32(root)]));
  }

  /** Roots after these changes, without making them. */
  preview(branch: number, changes: Readonly<Record<string, readonly StateChange[]>>): Record<string, Hash> {
    const roots = this.roots(branch);
    for (const [app, list] of Object.entries(changes)) {
      const pairs = [...new OverlayState(this.view(branch, app), list).scan("")];
      if (pairs.length > 0) roots[app] = stateRoot(pairs);
      else delete roots[app];
    }
    return roots;
  }

  /** Makes the changes and brings the roots of what they touch up to date. */
  apply(branch: number, changes: Readonly<Record<string, readonly StateChange[]>>): void {
    for (const [app, list] of Object.entries(changes)) {
      for (const [key, value] of list) {
        if (value === undefined) this.#drop.run(branch, app, key);
        else this.#put.run(branch, app, key, encodeCanonical(value));
      }
      const root = this.computeRoot(branch, app);
      if (root === undefined) this.#dropRoot.run(branch, app);
      else this.#putRoot.run(branch, app, bytesOf(root));
    }
  }

  /** From the rows; undefined for a dapp without state. */
  computeRoot(branch: number, app: string): Hash | undefined {
    const pairs = [...this.#scan(branch, app, "")];
    return pairs.length === 0 ? undefined : stateRoot(pairs);
  }

  /** Dapps that have rows. */
  apps(branch: number): string[] {
    return this.#apps.all(branch).map(({ app }) => app);
  }
}
