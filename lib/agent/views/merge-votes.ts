/** The votes on one merge, and where a validator's outputs are not the merge's: both sides, place by place. */
import { GdoError, type Hash } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import {
  authorOf,
  type HeldVote,
  type MergePayload,
  parseEntryPayload,
  parseMerge,
  parseMergeChanges,
} from "../../ledger/index.ts";
import {
  type AppOutputs,
  claimedOutputs,
  differencesOf,
  type OutputDifference,
  parseOutputs,
} from "../../node/index.ts";
import { storeBlobs } from "../apps/working-apps.ts";
import type { GdoNode } from "../node.ts";

export interface ShownVote {
  readonly id: Hash;
  readonly voter: string;
  readonly r: number;
  readonly phase: string;
  readonly verdict?: string;
  readonly code?: string;
  /** Where this validator's outputs are others: `one` is the merge's side, `other` the validator's. */
  readonly differences?: readonly OutputDifference[];
}

/** In the order of taking in. Empty where nobody votes. */
export async function votesOn(node: GdoNode, merge: Block): Promise<ShownVote[]> {
  const { db } = node.parts;
  const payload = parseMerge(merge.d);
  const held = db.votes(payload.branch, payload.h).filter(({ vote }) => "merge" in vote && vote.merge === merge.id);
  const claimed = await claimedBy(node, merge, payload);
  return Promise.all(held.map((each) => shown(node, each, claimed)));
}

async function shown(
  node: GdoNode,
  { id, author, vote }: HeldVote,
  claimed: AppOutputs | undefined,
): Promise<ShownVote> {
  const voter = authorOf(node.parts.db.charterAt(), author)?.principal ?? "";
  const { r, phase } = vote;
  if (vote.phase !== "attest") return { id, voter, r, phase };
  const own = vote.log === null ? undefined : await outputsAt(node, vote.log, author);
  const differences = own === undefined || claimed === undefined ? undefined : differencesOf(claimed, own);
  return {
    ...{ id, voter, r, phase, verdict: vote.verdict },
    ...(vote.code === null ? {} : { code: vote.code }),
    ...(differences === undefined ? {} : { differences }),
  };
}

/** Undefined while the blob is on its way. */
async function outputsAt(node: GdoNode, log: Hash, near: Block["a"]): Promise<AppOutputs | undefined> {
  const blobs = storeBlobs(node.parts.store, node.fetcher);
  if (!(await blobs.has(log, near))) return undefined;
  try {
    return parseOutputs(await blobs.read(log));
  } catch (error) {
    if (error instanceof GdoError) return undefined; // Whoever keeps nonsense has nothing to show.
    throw error;
  }
}

async function claimedBy(node: GdoNode, merge: Block, payload: MergePayload): Promise<AppOutputs | undefined> {
  const { db, store } = node.parts;
  const blobs = storeBlobs(store, node.fetcher);
  if (payload.changes === null || !(await blobs.has(payload.changes, merge.a))) return undefined;
  const changes = parseMergeChanges(await blobs.read(payload.changes));
  const appOf = (id: Hash): string => {
    const entry = db.block(id);
    return entry?.k === "entry" ? parseEntryPayload(entry.d).app : "";
  };
  return claimedOutputs(payload, changes, appOf);
}
