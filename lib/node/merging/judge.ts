/** Step 6: a merge of another, done again from scratch; what came out, as this validator attests it. */
import type { Hash } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import {
  encodeMergeChanges,
  type FrozenView,
  includedRoot,
  type Judgement,
  judgeProposal,
  type LogCut,
  type MergeOutcome,
  type MergePayload,
  parentIds,
  parseEntryPayload,
  parseMergeChanges,
  whyBeyondCut,
} from "../../ledger/index.ts";
import type { NodeBlobs, NodeLedger } from "../ports.ts";
import { headsOf, testsOf } from "./build.ts";
import { type Collected, crowdingDevice, recollect } from "./collect.ts";
import { type AppOutputs, changesOf, claimedHashes, encodeOutputs, hashesOf, outputsOf, refusal } from "./outputs.ts";
import { AppFailure, type WorkOptions, workOnce } from "./work.ts";

export interface JudgeOptions extends WorkOptions {
  readonly ledger: NodeLedger;
  readonly blobs: NodeBlobs;
  readonly organisation: Hash;
  /** q validators have passed it in one round. */
  readonly isCertified?: boolean;
}

/** What a merge that contradicts itself is refused for: no dapp's fault. */
const MERGE = "merge";

/** Something that the work needs is not held yet: blocks, or the image of a dapp. */
export interface NotYet {
  readonly verdict: "wait";
  readonly code: string;
}

export async function judge(block: Block, payload: MergePayload, options: JudgeOptions): Promise<Judgement | NotYet> {
  const { ledger, organisation } = options;
  const line = ledger.lineOf(payload.branch, block.a);
  const form = judgeProposal(block, payload, ledger.branchView(line));
  if (form.verdict === "wait") return { verdict: "wait", code: "blocks" };
  if (form.verdict === "refuse") return failed(options.blobs, MERGE, refusal(MERGE, form.why));
  // [L6] Evidence that is held is a reason to refuse, until q have passed the merge: who is locked on it by then can pass
  // no other, so evidence that came since would leave the height without an end.
  const { isCertified = false } = options;
  const beyond = isCertified ? undefined : whyBeyondCut(payload, ledger.branchView(line).frozen);
  if (beyond !== undefined) return failed(options.blobs, MERGE, refusal(MERGE, beyond));
  const crowding = crowdingDevice(payload);
  if (crowding !== undefined)
    return failed(options.blobs, MERGE, refusal(MERGE, `it takes from too many logs of ${crowding} at once`));
  const collected = recollect(ledger, organisation, line, payload);
  if (collected.asked.isEarly) return { verdict: "wait", code: "blocks" };
  const late = isCertified ? undefined : whyLate(collected, ledger.branchView(line).frozen);
  if (late !== undefined) return failed(options.blobs, MERGE, refusal(MERGE, late));
  const claimed = new Set(payload.tests.map(({ app }) => app));
  try {
    return await compare(collected, payload, await workOnce(collected, options, { claimed }), options);
  } catch (error) {
    if (!(error instanceof AppFailure)) throw error;
    const { verdict, app, message } = error;
    if (verdict === "MISSING") return { verdict: "wait", code: app };
    const log = await options.blobs.put(encodeOutputs(refusal(app, message)));
    return { verdict, code: app, outputs: {}, log };
  }
}

async function compare(
  collected: Collected,
  payload: MergePayload,
  outcome: MergeOutcome,
  options: JudgeOptions,
): Promise<Judgement> {
  const { blobs } = options;
  const outputs = outputsOf(outcome);
  const culprit = await culpritOf(payload, outcome, blobs);
  if (culprit !== undefined) {
    const { app, id, reason } = culprit;
    return failed(blobs, app, { ...outputs, ...refusal(app, `entry ${id}: ${reason}`) });
  }
  const hashes = hashesOf(outputs);
  // By what votes are counted by, and nothing else: a PASS that counts must stand for all that the merge says.
  if (differ(hashes, claimedHashes(payload))) {
    // [L14] It passed here, too, but gave something else: kept, so that both can be seen side by side.
    return { verdict: "PASS", code: null, outputs: hashes, log: await blobs.put(encodeOutputs(outputs)) };
  }
  const isSame = JSON.stringify(testsOf(outcome)) === JSON.stringify(payload.tests);
  const why = isSame ? await whyFalse(collected, payload, outcome, options) : "its tests are not those of its dapps";
  if (why !== undefined) return failed(blobs, MERGE, refusal(MERGE, why));
  return { verdict: "PASS", code: null, outputs: hashes, log: null };
}

async function failed(blobs: NodeBlobs, code: string, outputs: AppOutputs): Promise<Judgement> {
  return { verdict: "FAIL", code, outputs: {}, log: await blobs.put(encodeOutputs(outputs)) };
}

const TEST_FAILED = "test failed: ";

/** An entry that a test does not let through here, and that the merge lets pass. */
async function culpritOf(
  { changes }: MergePayload,
  { voids }: MergeOutcome,
  blobs: NodeBlobs,
): Promise<MergeOutcome["voids"][number] | undefined> {
  const culprits = voids.filter(({ reason }) => reason.startsWith(TEST_FAILED));
  if (culprits.length === 0 || changes === null || !(await blobs.has(changes))) return undefined;
  const theirs = new Set(parseMergeChanges(await blobs.read(changes)).voids.map(({ id }) => id));
  return culprits.find(({ id }) => !theirs.has(id));
}

function differ(own: Readonly<Record<string, Hash>>, claimed: Readonly<Record<string, Hash>>): boolean {
  return [...new Set([...Object.keys(own), ...Object.keys(claimed)])].some((app) => own[app] !== claimed[app]);
}

/** Equal outputs lead to equal roots; a merge that says otherwise lies, and so does one with another set. */
async function whyFalse(
  collected: Collected,
  payload: MergePayload,
  outcome: MergeOutcome,
  { ledger, blobs }: JudgeOptions,
): Promise<string | undefined> {
  if (JSON.stringify(payload.from) !== JSON.stringify(collected.asked.from)) return whyNotAsked(collected);
  if (
    payload.heads.join() !==
    headsOf(collected.blocks)
      .map(({ id }) => id)
      .join()
  )
    return "its heads are not its newest entries";
  const changes = changesOf(outcome);
  const ids = collected.entries.map(({ id }) => id);
  if (ids.length !== payload.entries || includedRoot(ids) !== payload.set)
    return "its ranges hold other entries than its set names";
  if (!isClosed(collected, payload, ledger)) return `an entry builds on one that is not in ${payload.branch}`;
  if (outcome.voids.length !== payload.void) return `it voids ${payload.void} entries, not ${outcome.voids.length}`;
  const roots = ledger.previewRoots(collected.line, changes.state);
  if (differ(roots, payload.state)) return "its state is not what its entries lead to";
  const blob = await blobs.put(encodeMergeChanges(changes));
  return blob === payload.changes ? undefined : "its changes are not what its entries lead to";
}

/** Nobody's merge takes what nobody who may merge the branch has asked for in it. */
function whyNotAsked({ asked: { from }, branch }: Collected): string {
  const names = from.map(({ branch: source, h }) => `${source}@${h}`).join(", ");
  return `it does not take what its entries ask ${branch} to take: ${names || "nothing"}`;
}

/** [L6] As whyBeyondCut, of what is taken from other branches: evidence that the merge has not taken note of. */
function whyLate({ taken, frozen }: Collected, view: FrozenView): string | undefined {
  const isNoted = ({ author, l }: LogCut): boolean =>
    frozen.some((each) => each.author === author && each.l === l) || view.frozenAt(author, l) !== undefined;
  const late = view
    .cuts()
    .find((cut) => !isNoted(cut) && taken.some(({ a, l, n }) => a === cut.author && l === cut.l && n >= cut.n));
  return late === undefined
    ? undefined
    : `it takes of the log of ${late.author} from ${late.n} on: evidence ${late.evidence}`;
}

/** Every entry for the branch that an included one builds on is included, in the branch, or frozen. */
function isClosed({ blocks, branch, line }: Collected, { frozen }: MergePayload, ledger: NodeLedger): boolean {
  const view = ledger.branchView(line);
  const own = new Set(blocks.map(({ id }) => id));
  const isIn = (id: Hash): boolean => {
    const parent = own.has(id) ? undefined : ledger.block(id);
    if (parent?.k !== "entry" || parseEntryPayload(parent.d).branch !== branch) return true;
    if (parent.n < view.next(parent.a, parent.l)) return true;
    const named = frozen.find(({ author, l }) => author === parent.a && l === parent.l);
    return parent.n >= (named?.n ?? view.frozen.frozenAt(parent.a, parent.l) ?? Infinity);
  };
  return blocks.every((block) => parentIds(block).every(isIn));
}
