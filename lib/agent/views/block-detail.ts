/** What one block says, parsed, with names in place of keys: from this `gdo show` makes sentences. Reads only. */
import { GdoError, type Hash, type PublicKey } from "../../base/index.ts";
import { type Block, decodeBlock } from "../../codec/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import {
  authorOf,
  CHARTER_BRANCH,
  parseEvidence,
  parseGenesis,
  parseMerge,
  parseVote,
  validatorsOf,
} from "../../ledger/index.ts";

/** Blocks that build on one and are named; the others are counted. */
const FOLLOWERS_MAX = 8;

/** Fields beside those of a row of the log: `detail` by kind, and what stands on the block. */
export function blockDetail(db: LedgerDb, block: Block): Record<string, unknown> {
  return { ...(block.k === "entry" ? {} : { detail: detailOf(db, block) }), followers: followersOf(db, block.id) };
}

function detailOf(db: LedgerDb, block: Block): Record<string, unknown> {
  if (block.k === "charter") return charterDetail(block);
  if (block.k === "merge") return mergeDetail(db, block);
  return block.k === "vote" ? voteDetail(db, block) : evidenceDetail(db, block);
}

function charterDetail({ d }: Block): Record<string, unknown> {
  const { name, fault, principals, branches } = parseGenesis(d);
  return {
    name,
    fault,
    principals: principals.map(({ id, devices, roles }) => ({ id, devices: devices.length, roles })),
    branches: Object.entries(branches).map(([branch, { mode }]) => ({ branch, mode })),
  };
}

function mergeDetail(db: LedgerDb, block: Block): Record<string, unknown> {
  const { branch, prev, charter, cert, from, frozen, tests, included } = parseMerge(block.d);
  const voters = cert?.votes.map((id) => principalOf(db, db.block(id)?.a));
  return {
    prev,
    charter: charter.h,
    ...deciders(db, branch, charter.h),
    tests: tests.map(({ app, verdict, output }) => ({ app, verdict, output })),
    included: included.map(({ author, from: first, to }) => ({ name: nameOf(db, author), from: first, to })),
    from,
    frozen: frozen.map(({ author, l, n, evidence }) => ({ name: nameOf(db, author), l, n, evidence })),
    ...(cert === null ? {} : { certificate: { r: cert.r, voters } }),
  };
}

/** Who decides on merges of the branch by the charter at a height; nothing while that is not held. */
function deciders(db: LedgerDb, branch: string, h: number): Partial<NonNullable<ReturnType<typeof validatorsOf>>> {
  try {
    return validatorsOf(db.charterAt(h), branch) ?? {};
  } catch (error) {
    if (error instanceof GdoError && error.code === "NOT_FOUND") return {};
    throw error;
  }
}

/** `claimed` is what the merge itself says its dapps gave: beside `outputs`, where they are not the same. */
function voteDetail(db: LedgerDb, { d }: Block): Record<string, unknown> {
  const vote = parseVote(d);
  if (vote.phase !== "attest") return { ...vote };
  const merge = db.block(vote.merge);
  const claimed = merge?.k === "merge" ? parseMerge(merge.d).tests.map(({ app, output }) => [app, output]) : [];
  return { ...vote, claimed: Object.fromEntries(claimed) };
}

function evidenceDetail(db: LedgerDb, { id, d }: Block): Record<string, unknown> {
  const { blocks } = parseEvidence(d);
  const pair = blocks.flatMap((side) => ("envelope" in side ? [decodeBlock(side.envelope)] : []));
  const cut = pair[0] ?? db.branchView(CHARTER_BRANCH).frozen.proof(id);
  const author = cut === undefined || "a" in cut ? cut?.a : cut.author;
  const against =
    cut === undefined || author === undefined ? {} : { name: nameOf(db, author), author, l: cut.l, n: cut.n };
  const blobs = blocks.flatMap((side) => ("blob" in side ? [side.blob] : []));
  return { ...against, ids: pair.map((block) => block.id), blobs };
}

function followersOf(db: LedgerDb, id: Hash): Record<string, unknown> {
  const children = db.children(id);
  const first = children.slice(0, FOLLOWERS_MAX).map((child) => {
    const { k: kind, a, n } = db.block(child) as Block;
    return { id: child, kind, name: nameOf(db, a), n };
  });
  return { count: children.length, first };
}

function nameOf(db: LedgerDb, author: PublicKey): string {
  return authorOf(db.charterAt(), author)?.name || author.slice(0, 12);
}

function principalOf(db: LedgerDb, author: PublicKey | undefined): string {
  return author === undefined ? "somebody" : (authorOf(db.charterAt(), author)?.principal ?? author.slice(0, 12));
}
