/** Step 5: what was worked out becomes a merge block, its changes durable before it [L7]. */
import { BLOCK_PARENTS_MAX } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import {
  encodeMerge,
  encodeMergeChanges,
  includedRoot,
  type MergeChanges,
  type MergeOutcome,
  type MergePayload,
} from "../../ledger/index.ts";
import type { OwnLog } from "../own-log.ts";
import type { NodeBlobs, NodeLedger } from "../ports.ts";
import type { Collected } from "./collect.ts";
import { changesOf, hashesOf, outputsOf } from "./outputs.ts";

/** One parent is left for the merge of the charter that it names. */
const HEADS_MAX = 7;

export interface BuildOptions {
  readonly ledger: NodeLedger;
  readonly blobs: NodeBlobs;
  readonly ownLog: OwnLog;
}

export interface Built {
  readonly block: Block;
  readonly payload: MergePayload;
  readonly changes: MergeChanges;
}

export async function buildMerge(
  collected: Collected,
  outcome: MergeOutcome,
  { ledger, blobs, ownLog }: BuildOptions,
): Promise<Built> {
  const changes = changesOf(outcome);
  const blob = await blobs.put(encodeMergeChanges(changes));
  const { branch, h, prev, cert, charter, entries, blocks, included, from, frozen } = collected;
  const payload: MergePayload = {
    branch,
    h,
    prev,
    cert,
    charter,
    heads: headsOf(blocks).map(({ id }) => id),
    set: includedRoot(entries.map(({ id }) => id)),
    included,
    entries: entries.length,
    void: outcome.voids.length,
    state: ledger.previewRoots(collected.line, changes.state),
    changes: blob,
    tests: testsOf(outcome),
    from,
    frozen,
  };
  const named = [charter.id, ...from.map(({ id }) => id)].flatMap((id) =>
    id === null ? [] : (ledger.block(id) ?? []),
  );
  const parents = [...headsOf(blocks), ...named].slice(0, BLOCK_PARENTS_MAX);
  return { block: ownLog.append("merge", encodeMerge(payload), parents), payload, changes };
}

/** What each touched dapp's test said. */
export function testsOf(outcome: MergeOutcome): MergePayload["tests"] {
  const hashes = hashesOf(outputsOf(outcome));
  const tests = outcome.touched.map(({ name, image }) => ({
    app: name,
    image,
    verdict: "PASS" as const,
    output: hashes[name] ?? null,
  }));
  return tests;
}

/** Newest included entry of each log, the newest clocks first to be named. */
export function headsOf(blocks: readonly Block[]): Block[] {
  const newest = new Map<string, Block>();
  for (const block of blocks) {
    const known = newest.get(block.a + block.l);
    if (known === undefined || known.n < block.n) newest.set(block.a + block.l, block);
  }
  const byId = (x: Block, y: Block): number => (x.id < y.id ? -1 : 1);
  // Among equal clocks the id decides, not the order of taking in: others must come to the same heads.
  const heads = [...newest.values()].sort((x, y) => y.c - x.c || byId(x, y)).slice(0, HEADS_MAX);
  return heads.sort(byId);
}
