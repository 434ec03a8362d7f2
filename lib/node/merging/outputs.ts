/**
 * What each dapp gave in a merge, as votes compare it: the hash of a canonical form, and the forms themselves in
 * a blob, so that two validators that disagree can be shown side by side.
 */
import { GdoError, type Hash, OBJECT_BYTES_MAX } from "../../base/index.ts";
import {
  type Canonical,
  type CanonicalMap,
  decodeCanonical,
  deriveHash,
  encodeCanonical,
  jsonFromCanonical,
} from "../../codec/index.ts";
import type { MergeChanges, MergeOutcome, MergePayload, StateChange } from "../../ledger/index.ts";

/** Dapp → {verdict, findings, state: [[key, value] or [key]], void: [[id, reason]]}. */
export type AppOutputs = Readonly<Record<string, Canonical>>;

/** Of the dapps that reduced and whose test passed. */
export function outputsOf({ touched, changes, voids }: MergeOutcome): AppOutputs {
  const outputs: Record<string, Canonical> = {};
  for (const { name } of touched) {
    const own = voids.filter(({ app }) => app === name).map(({ id, reason }) => [id, reason]);
    outputs[name] = outputOf("PASS", [], { state: changes[name] ?? [], voids: own });
  }
  return outputs;
}

/** As the merge's own blob of changes says them. `appOf` names the dapp of an entry. */
export function claimedOutputs(
  { tests }: MergePayload,
  { state, voids }: MergeChanges,
  appOf: (entry: Hash) => string,
): AppOutputs {
  const outputs: Record<string, Canonical> = {};
  for (const { app, verdict } of tests) {
    const own = voids.filter(({ id }) => appOf(id) === app).map(({ id, reason }) => [id, reason]);
    outputs[app] = outputOf(verdict, [], { state: state[app] ?? [], voids: own });
  }
  return outputs;
}

/** The output of a dapp, or of the merge itself, that was refused. */
export function refusal(app: string, why: string): AppOutputs {
  return { [app]: outputOf("FAIL", [why], { state: [], voids: [] }) };
}

function outputOf(
  verdict: string,
  findings: readonly string[],
  { state, voids }: { readonly state: readonly StateChange[]; readonly voids: readonly (readonly string[])[] },
): Canonical {
  return {
    verdict,
    findings: [...findings],
    state: settled(state).map(([key, value]) => (value === undefined ? [key] : [key, value])),
    void: voids.map((each) => [...each]).sort(([x = ""], [y = ""]) => (x < y ? -1 : 1)),
  };
}

/** Of two changes of one key the later counts, and their order does not matter. */
function settled(changes: readonly StateChange[]): StateChange[] {
  return [...new Map(changes)].sort(([x], [y]) => (x < y ? -1 : 1));
}

/** What a merge's blob of changes holds: the same bytes whoever did the work. */
export function changesOf({ changes, voids }: MergeOutcome): MergeChanges {
  const state = Object.fromEntries(Object.entries(changes).map(([app, list]) => [app, settled(list)]));
  return { state, voids: [...voids].sort((x, y) => (x.id < y.id ? -1 : 1)) };
}

/** What a merge says its dapps gave, as votes are compared with it: a row without an output claims nothing. */
export function claimedHashes({ tests }: Pick<MergePayload, "tests">): Record<string, Hash> {
  return Object.fromEntries(tests.flatMap(({ app, output }) => (output === null ? [] : [[app, output] as const])));
}

export function hashesOf(outputs: AppOutputs): Record<string, Hash> {
  const hashes = Object.entries(outputs).map(([app, output]) => [app, outputHash(output)] as const);
  return Object.fromEntries(hashes);
}

/** BLAKE3-256, derive-key context "gdo v1 output", over the canonical form. */
function outputHash(output: Canonical): Hash {
  return deriveHash("gdo v1 output", encodeCanonical(output));
}

export function encodeOutputs(outputs: AppOutputs): Uint8Array {
  return encodeCanonical(outputs);
}

/** What another validator kept; nothing is trusted of it. Throws LEDGER_FORM. */
export function parseOutputs(bytes: Uint8Array): AppOutputs {
  const outputs = decodeCanonical(bytes, { bytesMax: OBJECT_BYTES_MAX });
  if (!isMap(outputs) || !Object.values(outputs).every(isOutput))
    throw new GdoError("LEDGER_FORM", "these are not the outputs of dapps");
  return outputs;
}

function isMap(value: Canonical | undefined): value is CanonicalMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function isOutput(value: Canonical): boolean {
  if (!isMap(value)) return false;
  const { verdict, findings, state, void: voids } = value;
  const isRow = (row: Canonical): boolean => Array.isArray(row) && row.length > 0 && typeof row[0] === "string";
  return (
    typeof verdict === "string" &&
    Array.isArray(findings) &&
    Array.isArray(state) &&
    Array.isArray(voids) &&
    [...state, ...voids].every(isRow)
  );
}

/** One place in which two outputs differ; a side without a value has nothing there. */
export interface OutputDifference {
  readonly app: string;
  /** `verdict`, `finding`, `void <id>` or `state <key>`. */
  readonly place: string;
  readonly one?: unknown;
  readonly other?: unknown;
}

const DIFFERENCES_MAX = 100;

/** Where two validators' outputs differ, place by place, at most a hundred of them. */
export function differencesOf(one: AppOutputs, other: AppOutputs): OutputDifference[] {
  const found: OutputDifference[] = [];
  for (const app of [...new Set([...Object.keys(one), ...Object.keys(other)])].sort()) {
    const [left, right] = [placesOf(one[app]), placesOf(other[app])];
    for (const place of [...new Set([...left.keys(), ...right.keys()])].sort()) {
      const [a, b] = [left.get(place), right.get(place)];
      if (JSON.stringify(a) === JSON.stringify(b)) continue;
      found.push({ app, place, ...(a === undefined ? {} : { one: a }), ...(b === undefined ? {} : { other: b }) });
      if (found.length === DIFFERENCES_MAX) return found;
    }
  }
  return found;
}

function placesOf(output: Canonical | undefined): Map<string, unknown> {
  const places = new Map<string, unknown>();
  if (output === undefined) return places;
  const {
    verdict,
    findings,
    state,
    void: voids,
  } = jsonFromCanonical(output) as {
    verdict: unknown;
    findings: unknown[];
    state: [string, unknown?][];
    void: [string, string][];
  };
  places.set("verdict", verdict);
  for (const finding of findings) places.set(`finding ${finding}`, true);
  for (const [key, ...value] of state) places.set(`state ${key}`, value.length === 0 ? "(deleted)" : value[0]);
  for (const [id, reason] of voids) places.set(`void ${id}`, reason);
  return places;
}
