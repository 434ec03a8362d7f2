/** `gdo merge BRANCH --from OTHER`: looked at before it is asked for, so that what cannot be is refused at once. */
import { GdoError, type Hash } from "../base/index.ts";
import type { LedgerDb } from "../db/index.ts";
import {
  CHARTER_BRANCH,
  lineOf,
  MERGE_APP,
  type MergeSource,
  parseEntryPayload,
  parseTake,
  policyOf,
  principalOf,
  type StateView,
  takeAct,
  whyNotTake,
} from "../ledger/index.ts";
import type { GdoNode } from "./node.ts";

/** Entries that one request asks for at most, as far as merges of the other branch allow: more are several requests. */
const REQUEST_ENTRIES_MAX = 5_000;

/**
 * Asks a branch to take all of another, `OTHER` or `OTHER@HEIGHT`, one line of an open one `OTHER@PRINCIPAL`. What was
 * asked for before and still waits is not asked for again. NOT_FOUND, REFUSED with what to do.
 */
export function askToTake(node: GdoNode, branch: string, from: string): void {
  const { db, pair } = node.parts;
  const charter = db.charterAt();
  const { line, h } = sourceOf(db, charter, { branch, from, self: principalOf(charter, pair.publicKey) ?? "" });
  const [source = ""] = line.split("@");
  if (branch === CHARTER_BRANCH || source === CHARTER_BRANCH || branch === source)
    throw new GdoError("REFUSED", `${branch} takes nothing from ${source}`, { hint: "gdo branch" });
  node.assertMayMerge(branch);
  const target = db.lineOf(branch, pair.publicKey);
  const sources = db.branchView(target).sources;
  const view = { branch, line: target, charter, sources };
  const last = { branch: source, h, id: db.mergeAt(line, h) as Hash };
  if (sources.upTo(line) >= h) return;
  const why = whyNotTake(last, view);
  if (why !== undefined) {
    const [reason, todo] = why.split("; ");
    throw new GdoError("REFUSED", String(reason), {
      hint: policyHint(branch, source, charter) ?? todo ?? "gdo branch",
    });
  }
  for (const at of stepsTo(db, line, sources.upTo(line), h)) request(node, branch, { branch: source, ...at });
}

/** What lets the branch take from the other, as a command; undefined where it may already. */
function policyHint(branch: string, source: string, charter: StateView): string | undefined {
  const { mergeFrom = [] } = policyOf(charter, branch) ?? {};
  if (mergeFrom.includes(source)) return undefined;
  return `gdo branch ${branch} --merge-from ${[...mergeFrom, source].sort().join(",")}`;
}

function sourceOf(
  db: LedgerDb,
  charter: StateView,
  { branch, from, self }: { readonly branch: string; readonly from: string; readonly self: string },
): { readonly line: string; readonly h: number } {
  const [name = "", ...rest] = from.split("@");
  const policy = policyOf(charter, name);
  if (policy === undefined) throw new GdoError("NOT_FOUND", `there is no branch ${name}`, { hint: "gdo branch" });
  const owner = policy.mode === "open" ? (rest.shift() ?? self) : "";
  const line = lineOf(charter, name, owner);
  const height = db.branches().includes(line) ? (db.head(line)?.h ?? 0) : undefined;
  if (height === undefined || height === 0)
    throw new GdoError("NOT_FOUND", `${line} has no merge yet`, { hint: `gdo merge ${name}` });
  const [at, ...more] = rest;
  if (at === undefined) return { line, h: height };
  if (more.length > 0 || !/^[1-9][0-9]{0,14}$/.test(at))
    throw new GdoError("INPUT_INVALID", `not a height of ${line}: ${rest.join("@")}`, { hint: `${line}@${height}` });
  if (Number(at) > height)
    throw new GdoError("NOT_FOUND", `${line} is at height ${height}, not ${at}`, {
      hint: `gdo merge ${branch} --from ${line}`,
    });
  return { line, h: Number(at) };
}

/** Heights at which one request ends and the next begins, so that no merge gets too large. */
function* stepsTo(db: LedgerDb, line: string, from: number, to: number): Iterable<{ h: number; id: Hash }> {
  let count = 0;
  for (let h = from + 1; h <= to; h += 1) {
    count += db.members(line, h).length;
    const next = h < to ? db.members(line, h + 1).length : 0;
    if (h < to && count + next <= REQUEST_ENTRIES_MAX) continue;
    yield { h, id: db.mergeAt(line, h) as Hash };
    count = 0;
  }
}

function request(node: GdoNode, branch: string, source: MergeSource): void {
  const { db, ownLog } = node.parts;
  const isAsked = db.pending(db.lineOf(branch, ownLog.author)).some(({ a, d }) => {
    const { app, acts } = parseEntryPayload(d);
    return a === ownLog.author && app === MERGE_APP && parseTake(acts).id === source.id;
  });
  if (!isAsked) node.append(MERGE_APP, [takeAct(source)], branch);
}
