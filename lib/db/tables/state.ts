/**
 * State of each dapp on each branch, as of the branch's last merge, and its roots [L19]. What a merge overwrites
 * is kept beside it, so that the state at any height can be read: judging a merge needs the charter of its time.
 */
import type { Statement } from "better-sqlite3";
import { bytesOf, type Hash, hashOf32 } from "../../base/index.ts";
import { type Canonical, decodeWritten, encodeCanonical } from "../../codec/index.ts";
import { type StateChange, type StateView, stateRoot } from "../../ledger/index.ts";
import type { Connection } from "../connection.ts";
import { compareText, further } from "../pages.ts";
import { StateNodeTable } from "./state-nodes.ts";

const PAGE = 256;

type Pair = { key: string; value: Buffer };
type Place = { branch: number; app: string; key: string };
type PastPlace = Place & { h: number };
type Value = { value: Buffer; since: number };

/** Reads keys of one dapp in pages. */
interface Pages {
  from(prefix: string): Pair[];
  after(key: string): Pair[];
}

export class StateTable {
  readonly nodes: StateNodeTable;
  readonly #get: Statement<[Place], Value>;
  readonly #from: Statement<[Place], Pair>;
  readonly #after: Statement<[Place], Pair>;
  readonly #getPast: Statement<[PastPlace], Value>;
  readonly #fromPast: Statement<[PastPlace], Pair>;
  readonly #afterPast: Statement<[PastPlace], Pair>;
  /** These by place, as all that is called for each key: binding by names costs as much as half an insertion. */
  readonly #put: Statement<[number, string, string, Uint8Array, number]>;
  readonly #drop: Statement<[number, string, string]>;
  readonly #keep: Statement<[number, number, string, string, number]>;
  readonly #roots: Statement<[number], { app: string; root: Buffer }>;
  readonly #putRoot: Statement<[number, string, Uint8Array]>;
  readonly #dropRoot: Statement<[number, string]>;
  readonly #pastApps: Statement<[number], { app: string }>;
  readonly #apps: Statement<[number], { app: string }>;
  readonly #size: Statement<[number, string], { bytes: number }>;

  constructor(connection: Connection) {
    const { raw } = connection;
    this.nodes = new StateNodeTable(connection);
    const place = "branch = @branch AND app = @app AND key";
    const page = `ORDER BY key LIMIT ${PAGE}`;
    this.#get = raw.prepare(`SELECT value, since FROM state WHERE ${place} = @key`);
    this.#from = raw.prepare(`SELECT key, value FROM state WHERE ${place} >= @key ${page}`);
    this.#after = raw.prepare(`SELECT key, value FROM state WHERE ${place} > @key ${page}`);
    this.#getPast = raw.prepare(
      `SELECT value, since FROM past WHERE ${place} = @key AND until > @h ORDER BY until LIMIT 1`,
    );
    this.#fromPast = raw.prepare(pastPage(`${place} >= @key`, page));
    this.#afterPast = raw.prepare(pastPage(`${place} > @key`, page));
    this.#put = raw.prepare("INSERT OR REPLACE INTO state (branch, app, key, value, since) VALUES (?, ?, ?, ?, ?)");
    this.#drop = raw.prepare("DELETE FROM state WHERE branch = ? AND app = ? AND key = ?");
    this.#keep = raw.prepare(
      `INSERT INTO past (branch, app, key, until, value, since)
       SELECT branch, app, key, ?, value, since FROM state WHERE branch = ? AND app = ? AND key = ? AND since < ?`,
    );
    this.#roots = raw.prepare("SELECT app, root FROM state_roots WHERE branch = ? ORDER BY app");
    this.#putRoot = raw.prepare("INSERT OR REPLACE INTO state_roots (branch, app, root) VALUES (?, ?, ?)");
    this.#dropRoot = raw.prepare("DELETE FROM state_roots WHERE branch = ? AND app = ?");
    this.#pastApps = raw.prepare("SELECT DISTINCT app FROM past WHERE branch = ?");
    this.#apps = raw.prepare("SELECT DISTINCT app FROM state WHERE branch = ? ORDER BY app");
    this.#size = raw.prepare(
      "SELECT TOTAL(LENGTH(CAST(key AS BLOB)) + LENGTH(value)) AS bytes FROM state WHERE branch = ? AND app = ?",
    );
  }

  view(branch: number, app: string): StateView {
    return {
      get: (key) => {
        const row = this.#get.get({ branch, app, key });
        return row === undefined ? undefined : decodeWritten(row.value);
      },
      scan: (prefix) => scan(this.#pages(branch, app), prefix),
      bytes: () => this.#size.get(branch, app)?.bytes ?? 0,
    };
  }

  /** The state after the branch's merge of that height; 0: as it began. Good until the branch's next merge. */
  viewAt(branch: number, app: string, h: number): StateView {
    const pages: Pages = {
      from: (key) => this.#fromPast.all({ branch, app, key, h }),
      after: (key) => this.#afterPast.all({ branch, app, key, h }),
    };
    return {
      get: (key) => {
        const now = this.#get.get({ branch, app, key });
        const row = now !== undefined && now.since <= h ? now : this.#getPast.get({ branch, app, key, h });
        return row === undefined || row.since > h ? undefined : decodeWritten(row.value);
      },
      scan: (prefix) => scan(pages, prefix),
    };
  }

  #pages(branch: number, app: string): Pages {
    return {
      from: (key) => this.#from.all({ branch, app, key }),
      after: (key) => this.#after.all({ branch, app, key }),
    };
  }

  roots(branch: number): Record<string, Hash> {
    return Object.fromEntries(this.#roots.all(branch).map(({ app, root }) => [app, hashOf32(root)]));
  }

  /** Roots after these changes, without making them. */
  preview(branch: number, changes: Readonly<Record<string, readonly StateChange[]>>): Record<string, Hash> {
    const roots = this.roots(branch);
    for (const [app, list] of Object.entries(changes)) {
      const root = this.nodes.preview(branch, app, list);
      if (root !== undefined) roots[app] = root;
      else delete roots[app];
    }
    return roots;
  }

  /** Makes the changes of the merge at height h, and brings the roots of what they touch up to date. */
  apply(branch: number, h: number, changes: Readonly<Record<string, Iterable<StateChange>>>): void {
    for (const [app, list] of Object.entries(changes)) {
      const pairs = Array.isArray(list) ? (list as readonly StateChange[]) : [...list];
      for (const [key, value] of pairs) {
        this.#keep.run(h, branch, app, key, h); // Of two changes of one key in one merge only the later was ever a state.
        if (value === undefined) this.#drop.run(branch, app, key);
        else this.#put.run(branch, app, key, encodeCanonical(value), h);
      }
      const root = this.nodes.apply(branch, app, pairs);
      if (root === undefined) this.#dropRoot.run(branch, app);
      else this.#putRoot.run(branch, app, bytesOf(root));
    }
  }

  /** To be called when a transaction was undone. */
  forget(): void {
    this.nodes.forget();
  }

  /** Height at which a key's value was set. */
  sinceOf(branch: number, app: string, key: string): number | undefined {
    return this.#get.get({ branch, app, key })?.since;
  }

  /** Begins a branch with the state that another had after its merge of a height. */
  copy(from: number, h: number, to: number): void {
    const apps = new Set([...this.apps(from), ...this.#pastApps.all(from).map(({ app }) => app)]);
    for (const app of apps) this.apply(to, 0, { [app]: this.viewAt(from, app, h).scan("") });
  }

  /** From all rows, for verify(): the root, undefined for a dapp without state, and whether the nodes kept are its. */
  recompute(branch: number, app: string): { readonly root: Hash | undefined; readonly isKept: boolean } {
    const pairs = [...scan(this.#pages(branch, app), "")];
    const root = pairs.length === 0 ? undefined : stateRoot(pairs);
    return { root, isKept: this.nodes.isTreeOf(branch, app, pairs) };
  }

  /** Dapps that have rows. */
  apps(branch: number): string[] {
    return this.#apps.all(branch).map(({ app }) => app);
  }
}

/** What was there at a height: what still is, and what was overwritten later. No key is in both. */
function pastPage(place: string, page: string): string {
  return `SELECT key, value FROM (
    SELECT key, value FROM state WHERE ${place} AND since <= @h
    UNION ALL SELECT key, value FROM past WHERE ${place} AND since <= @h AND until > @h) ${page}`;
}

/** By pages, so that nothing is open between two steps of the caller. */
function* scan(pages: Pages, prefix: string): Iterable<readonly [string, Canonical]> {
  let rows = pages.from(prefix);
  for (let after = ""; ; ) {
    for (const { key, value } of rows) {
      if (!key.startsWith(prefix)) return;
      yield [key, decodeWritten(value)];
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = further(after, last.key, compareText);
    rows = pages.after(after);
  }
}
