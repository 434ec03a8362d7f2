/** Changes of the charter from this node: looked at before they are recorded, so that what cannot be is refused at once. */
import { GdoError, type Hash } from "../base/index.ts";
import type { Canonical, CanonicalMap } from "../codec/index.ts";
import type { LedgerDb } from "../db/index.ts";
import {
  type Act,
  authorOf,
  CHARTER_APP,
  deciderOf,
  forkedAt,
  linesOf,
  OPERATION_FIELDS,
  operationId,
  performAct,
  policyOf,
  type StateView,
  validatorsOf,
} from "../ledger/index.ts";
import type { GdoNode } from "./node.ts";
import { tentativeCharter } from "./views/tentative-charter.ts";

/** Records charter operations, one entry. REFUSED with the reason and what to do when they would be void now. */
export function govern(node: GdoNode, acts: readonly Act[]): Governed {
  const state = checkGovern(node, acts);
  const open = acts.flatMap((act) => openAfter(act, state));
  return { id: node.append(CHARTER_APP, acts).id, ...(open.length === 0 ? {} : { open }) };
}

/** What was recorded, and which of it has to wait for more guardians. */
export interface Governed {
  readonly id: Hash;
  readonly open?: readonly {
    readonly operation: string;
    readonly needed: number;
    readonly guardians: readonly string[];
  }[];
}

function openAfter({ type, body }: Act, state: StateView): NonNullable<Governed["open"]> {
  const operation = type === "ballot" ? String((body as CanonicalMap)["operation"]) : operationId(type, body);
  const open = state.get(`open/${operation}`) as CanonicalMap | undefined;
  if (open === undefined) return [];
  const person = String((open["body"] as CanonicalMap)["principal"]);
  const { guardians = [], threshold = 0 } = (state.get(`guardians/${person}`) ?? {}) as CanonicalMap;
  const ballots = open["ballots"] as readonly string[];
  const left = (guardians as readonly string[]).filter((name) => !ballots.includes(name));
  const given = (guardians as readonly string[]).length - left.length;
  return [{ operation, needed: Number(threshold) - given, guardians: left }];
}

/** Whether this device could do these operations now. USAGE for none of them, REFUSED, LEDGER_UNKNOWN_AUTHOR. */
export function checkGovern(node: GdoNode, acts: readonly Act[]): StateView {
  const { db, pair } = node.parts;
  node.assertKnown();
  const state = tentativeCharter(db);
  const { principal = "" } = authorOf(state, pair.publicKey) ?? {};
  for (const act of acts) {
    const fields = OPERATION_FIELDS.get(act.type);
    if (fields === undefined) throw noOperation(act.type);
    const done = performAct(act, principal, state);
    if ("why" in done) {
      const hint = done.todo.startsWith("its fields are") ? asCommand(act.type, fields) : done.todo;
      throw new GdoError("REFUSED", `${act.type}: ${done.why}`, { hint });
    }
    state.apply(done);
  }
  return state;
}

/** Mistyped, as a rule: those of the same kind come first to mind. */
function noOperation(type: string): GdoError {
  const kind = `${type.split(".")[0]}.`;
  const near = [...OPERATION_FIELDS.keys()].filter((each) => each.startsWith(kind));
  const hint = `${near.length === 0 ? "" : `perhaps ${near.join(", ")}; all: `}gdo charter --help`;
  return new GdoError("USAGE", `there is no charter operation '${type}'`, { hint });
}

/** As it would be typed, with places for the values. */
function asCommand(type: string, fields: readonly string[]): string {
  return `gdo charter ${type} '{${fields.map((field) => `"${field.replace(/[[\]]/g, "")}":…`).join(",")}}'`;
}

/** Who and what the charter holds, for `gdo charter`. */
export function charterView({ parts: { db, charter } }: GdoNode): Record<string, unknown> {
  const state = db.charterAt();
  return {
    organisation: { id: charter.id, ...(state.get("organisation") as CanonicalMap) },
    h: db.head("charter")?.h ?? 0,
    principals: listed(state, "principal/", "id"),
    devices: listed(state, "device/", "key").map((device) => ({ ...device, ...deciding(state, device) })),
    roles: listed(state, "role/", "role"),
    guardians: listed(state, "guardians/", "principal"),
    open: listed(state, "open/", "operation"),
  };
}

/** Whether a device votes and merges for its principal, where another could. */
function deciding(state: StateView, { key, principal }: CanonicalMap): { readonly decides?: true } {
  const others = [...state.scan("device/")].filter(([, each]) => (each as CanonicalMap)["principal"] === principal);
  return others.length > 1 && deciderOf(state, String(principal)) === key ? { decides: true } : {};
}

/** The branches of the charter, and how far their lines are. NOT_FOUND for one that it has not. */
export function branchesView({ parts: { db } }: GdoNode, only?: string): Record<string, unknown>[] {
  const state = db.charterAt();
  const names = [...state.scan("branch/")].map(([key]) => key.slice("branch/".length));
  if (only !== undefined && !names.includes(only))
    throw new GdoError("NOT_FOUND", `there is no branch ${only}`, { hint: "gdo branch" });
  const open = db.branches();
  const lines = linesOf(state).filter(({ name }) => open.includes(name));
  return names
    .filter((name) => only === undefined || name === only)
    .map((name) => {
      const { principals = [], q = 0 } = validatorsOf(state, name) ?? {};
      const fork = forkedAt(state, name);
      return {
        name,
        policy: policyOf(state, name),
        validators: principals,
        q,
        ...(fork === undefined ? {} : { forkedAt: fork }),
        lines: lines.filter(({ takes }) => takes === name).map((line) => lineView(db, line.name)),
      };
    });
}

function lineView(db: LedgerDb, name: string): Record<string, unknown> {
  const head = db.head(name);
  const pending = db.countPending(name);
  return { name, h: head?.h ?? 0, pending, ...(head === undefined ? {} : { head: head.id }) };
}

function listed(state: StateView, prefix: string, field: string): Record<string, Canonical>[] {
  return [...state.scan(prefix)].map(([key, value]) => ({
    [field]: key.slice(prefix.length),
    ...(value as CanonicalMap),
  }));
}
