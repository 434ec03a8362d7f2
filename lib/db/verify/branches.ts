/** Verification of branches: each merge against what is kept of it, and the state against the last merge's word. */
import type { Hash } from "../../base/index.ts";
import {
  includedRoot,
  type MergePayload,
  type MergeSource,
  orderEntries,
  orderSeed,
  parseMerge,
} from "../../ledger/index.ts";
import { originOf, type Tables } from "../apply-merge.ts";
import type { BranchRow } from "../tables/branches.ts";

/** Notes a finding: about what, and what is wrong. */
export type Say = (id: string, what: string) => void;

/** Every merge of a branch from the first: linked, with the members, order and void entries that it says. */
export function verifyMerges(tables: Tables, branch: BranchRow, say: Say): void {
  const { blocks, branches } = tables;
  let previous: Hash | null = null;
  const from: MergeSource[] = [];
  for (let h = 1; h <= branch.h; h += 1) {
    const row = branches.mergeAt(branch.id, h);
    const id: Hash | undefined = row === undefined ? undefined : blocks.idOf(row.block);
    const block = id === undefined ? undefined : blocks.get(id);
    if (block === undefined) return say(`branch ${branch.name}`, `its merge at height ${h} is not held`);
    const payload = parseMerge(block.d);
    if (payload.branch !== branch.takes || payload.h !== h || payload.prev !== previous)
      say(block.id, `it does not follow the merge of ${branch.name} before height ${h}`);
    if (payload.charter.h !== row?.charter) say(block.id, "another height of the charter is kept of it than it names");
    const members = branches.members(branch.id, h);
    const placed = members.map((member) => ({ id: member, c: blocks.parent(member)?.c ?? 0 }));
    const wrong = wrongOf(payload, placed, previous ?? originOf({ blocks }, branch) ?? blocks.charter());
    if (wrong !== undefined) say(block.id, wrong);
    const voids = branches.countVoids(branch.id, h);
    if (voids !== payload.void) say(block.id, `${voids} entries are kept as void, it says ${payload.void}`);
    from.push(...payload.from);
    previous = block.id;
  }
  verifySources(tables, branch, from, say);
  const head = branch.head === null ? null : blocks.idOf(branch.head);
  if (head !== previous) say(`branch ${branch.name}`, `its head is not the merge at height ${branch.h}`);
}

/** What is kept of how far it has taken others is what the last of its merges that name them say. */
function verifySources(
  { blocks, branches, sources }: Tables,
  { id, name }: BranchRow,
  from: readonly MergeSource[],
  say: Say,
): void {
  const taken = new Map<number | undefined, number>();
  for (const source of from) taken.set(branches.placeOf(blocks.seqOf(source.id) ?? -1)?.branch, source.h);
  const kept = sources.of(id);
  if (kept.length !== taken.size || kept.some(({ source, h }) => taken.get(source) !== h))
    say(`branch ${name}`, "how far it has taken other branches is not what its merges say");
}

function wrongOf(
  { set, entries, cert }: MergePayload,
  members: readonly { readonly id: Hash; readonly c: number }[],
  base: Hash | undefined,
): string | undefined {
  const ids = members.map(({ id }) => id);
  if (ids.length !== entries || includedRoot(ids) !== set)
    return "the members kept of its merge are not those that it says";
  const isOrdered =
    base !== undefined && orderEntries(members, orderSeed(base, cert)).every((id, index) => id === ids[index]);
  return isOrdered ? undefined : "the members kept of its merge are out of order"; // [L12]
}

/** Dapps whose state the branch has, keeps a root of, or should have. */
export function appsOf({ state }: Tables, branch: BranchRow, claimed: Readonly<Record<string, Hash>>): string[] {
  return [...new Set([...state.apps(branch.id), ...Object.keys(state.roots(branch.id)), ...Object.keys(claimed)])];
}

/** Roots that the last merge says; before the first, those that are kept. */
export function claimedRoots({ state, blocks }: Tables, branch: BranchRow): Readonly<Record<string, Hash>> {
  const head = branch.head === null ? undefined : blocks.idOf(branch.head);
  const merge = head === undefined ? undefined : blocks.get(head);
  return merge === undefined ? state.roots(branch.id) : parseMerge(merge.d).state;
}
