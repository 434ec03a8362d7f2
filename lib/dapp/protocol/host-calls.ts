/**
 * What a dapp may ask of its host during a call: `get`, `scan` (in pages) and `blob`. A dapp sees its own
 * state and that of the dapps it reads, as of the ledger position of the call, and nothing else [D4].
 */
import { GdoError, isHash, OBJECT_BYTES_MAX } from "../../base/index.ts";
import { jsonFromCanonical } from "../../codec/index.ts";
import type { DappState } from "../calls.ts";
import type { Manifest } from "../manifest.ts";
import type { HostCalls } from "./session.ts";

const PAGE_ITEMS_MAX = 2000;
const OPEN_SCANS_MAX = 8;

type Params = Readonly<Record<string, unknown>>;
type Views = Readonly<Record<string, DappState>>;

/** Answers for one call. `views` are the positions that it may name; the first is meant when it names none. */
export function hostCallsFor(manifest: Manifest, views: Views): HostCalls {
  const scans = new Scans();
  return async (method, params) => {
    switch (method) {
      case "get": {
        const value = viewOf(views, params).get(appOf(manifest, params), textOf(params, "key"));
        return value === undefined ? null : jsonFromCanonical(value);
      }
      case "scan":
        return scans.start(viewOf(views, params).scan(appOf(manifest, params), textOf(params, "prefix")));
      case "next":
        return scans.next(params.cursor);
      case "blob":
        return await blobOf(viewOf(views, params), params);
      default:
        throw new GdoError("DAPP_ERROR", `the host has no call ${method.slice(0, 40)}`);
    }
  };
}

/** Scans that a dapp has not read to their end; they live as long as the call. */
class Scans {
  readonly #open = new Map<number, (readonly [string, unknown])[]>();
  #made = 0;

  start(found: ReturnType<DappState["scan"]>): unknown {
    if (this.#open.size >= OPEN_SCANS_MAX)
      throw new GdoError("DAPP_ERROR", `at most ${OPEN_SCANS_MAX} scans may be open`);
    // Read at once: an open iterator would keep the database busy while the dapp thinks.
    return this.#page(++this.#made, [...found]);
  }

  next(cursor: unknown): unknown {
    const rest = typeof cursor === "number" ? this.#open.get(cursor) : undefined;
    if (typeof cursor !== "number" || rest === undefined) throw new GdoError("DAPP_ERROR", "no such scan is open");
    return this.#page(cursor, rest);
  }

  #page(cursor: number, items: (readonly [string, unknown])[]): unknown {
    const page = items.slice(0, PAGE_ITEMS_MAX).map(([key, value]) => [key, jsonFromCanonical(value as never)]);
    const rest = items.slice(PAGE_ITEMS_MAX);
    if (rest.length > 0) this.#open.set(cursor, rest);
    else this.#open.delete(cursor);
    return rest.length > 0 ? { items: page, cursor } : { items: page };
  }
}

async function blobOf(state: DappState, params: Params): Promise<unknown> {
  const id = textOf(params, "id");
  if (!isHash(id)) throw new GdoError("DAPP_ERROR", "blob: id is no hash");
  const bytes = await state.blob(id);
  if (bytes.length > OBJECT_BYTES_MAX) throw new GdoError("DAPP_ERROR", `blob ${id} is too large to be read whole`);
  return jsonFromCanonical(bytes);
}

function viewOf(views: Views, { view }: Params): DappState {
  const name = view ?? Object.keys(views)[0];
  const found = typeof name === "string" && Object.hasOwn(views, name) ? views[name] : undefined;
  if (found === undefined) throw new GdoError("DAPP_ERROR", "the call has no such view of the state");
  return found;
}

function appOf(manifest: Manifest, { app = manifest.name }: Params): string {
  const mayRead = typeof app === "string" && (app === manifest.name || manifest.reads.includes(app));
  if (!mayRead) throw new GdoError("DAPP_ERROR", `${manifest.name} does not read ${String(app).slice(0, 40)}`);
  return app;
}

function textOf(params: Params, field: string): string {
  const value = params[field];
  if (typeof value !== "string") throw new GdoError("DAPP_ERROR", `${field} is no text`);
  return value;
}
