/**
 * Proof of merge on one node, for all its branches: in modes single and open what it proposes is final at once; in
 * mode quorum the proposal goes through the rounds of lib/ledger/consensus. docs/design/ledger.md.
 */
import { type Clock, GdoError, type Hash, type Log, type PublicKey } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import {
  type BranchPolicy,
  type CastVote,
  type CharterAt,
  type ConsensusStatus,
  decidesFor,
  type FaultModel,
  faultOf,
  type Judgement,
  type MergePayload,
  policyOf,
  principalOf,
  type VoidEntry,
  validatorsOf,
  whyNotMerge,
} from "../../ledger/index.ts";
import type { OwnLog } from "../own-log.ts";
import type { NodeApps, NodeBlobs, NodeLedger } from "../ports.ts";
import { mustAbstain } from "./abstention.ts";
import { Disagreements } from "./disagreement.ts";
import { Height, type HeightHost } from "./height.ts";
import { judge, type NotYet } from "./judge.ts";
import { hashesOf, outputsOf } from "./outputs.ts";
import { Proposer } from "./proposer.ts";

/** What happened, for people. */
export type ValidatorEvent =
  | { readonly type: "dead"; readonly branch: string; readonly merge: Hash }
  /** A validator passed a merge and got other outputs. */
  | {
      readonly type: "mismatch";
      readonly branch: string;
      readonly merge: Hash;
      readonly voter: string;
      readonly apps: readonly string[];
    }
  /** One validator alone has other outputs again and again: its device wants looking at. */
  | { readonly type: "odd"; readonly branch: string; readonly voter: string }
  | { readonly type: "stalled"; readonly branch: string; readonly code: string; readonly why: string };

export interface ValidatorOptions {
  readonly ledger: NodeLedger;
  readonly blobs: NodeBlobs;
  readonly apps: NodeApps;
  readonly ownLog: OwnLog;
  readonly organisation: Hash;
  readonly clock: Clock;
  readonly log: Log;
  /** Of a first round. */
  readonly timeoutMs: number;
  /** [L17] Heights of the branch that the devices of others say are final, as far as they were heard of. */
  readonly reports?: (branch: string) => readonly { readonly author: PublicKey; readonly h: number }[];
  /** Own block, durable by now. */
  publish(block: Block): void;
  /** A merge may be final by votes that are held: applies what can be. */
  advance(): Promise<void>;
  tell(event: ValidatorEvent): void;
}

/** Who decides a height, and who this node is. */
interface Electorate {
  readonly charter: CharterAt;
  readonly principals: readonly string[];
  readonly q: number;
  readonly principal: string;
}

/** How a branch in mode quorum stands. */
export interface BranchConsensus extends ConsensusStatus {
  readonly h: number;
  readonly fault: FaultModel;
  /** Whether this node votes. */
  readonly isVoter: boolean;
}

export interface MergeReport {
  readonly branch: string;
  /** Height after the merge. */
  readonly h: number;
  /** Absent when there was nothing to merge. */
  readonly id?: Hash;
  readonly included: number;
  /** Other branches that it took, and up to which height. */
  readonly from?: readonly string[];
  readonly void: readonly VoidEntry[];
  readonly tests: readonly { readonly app: string; readonly verdict: "PASS" }[];
  readonly ms: number;
}

/** [L16] The policy by which the next merge of a branch is judged: that of the charter which its last merge names. */
export function policyOfNext(ledger: Pick<NodeLedger, "branchView">, branch: string): BranchPolicy | undefined {
  const view = ledger.branchView(branch);
  const charter = view.charterFor((view.head?.h ?? 0) + 1);
  return charter === undefined ? undefined : policyOf(charter.state, branch);
}

export class Validator {
  readonly #options: ValidatorOptions;
  readonly #disagreements: Disagreements;
  readonly #proposer: Proposer;
  readonly #heights = new Map<string, Height>();
  /** Dapps work for one thing at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #isVoting = false;
  #isClosed = false;

  constructor(options: ValidatorOptions) {
    this.#options = options;
    this.#disagreements = new Disagreements(options.ledger);
    this.#proposer = new Proposer({ ...options, disagreements: this.#disagreements });
  }

  /** Dapps whose entries wait, and why. */
  get waiting(): ReadonlyMap<string, string> {
    return this.#proposer.waiting;
  }

  /** From now on this node votes where it may; until then it only watches, and signs nothing [L8]. */
  start(): void {
    for (const height of this.#heights.values()) height.close();
    this.#heights.clear();
    this.#isVoting = true;
    this.look();
  }

  /** Blocks, merges or objects have come. */
  look(): void {
    for (const branch of this.#options.ledger.branches()) this.#heightOf(branch)?.look();
  }

  /** What is pending on branches in mode quorum is to be merged, if it is this node's turn. */
  workDue(): void {
    const { ledger } = this.#options;
    for (const branch of ledger.branches()) this.#heightOf(branch)?.work(ledger.hasPending(branch));
    this.look();
  }

  /** Whether this device votes and merges for its principal by itself, at a branch's next height [L10]. */
  decides(branch: string): boolean {
    const { ledger, ownLog } = this.#options;
    const view = ledger.branchView(ledger.lineOf(branch, ownLog.author));
    const charter = view.charterFor((view.head?.h ?? 0) + 1);
    return charter !== undefined && decidesFor(charter.state, ownLog.author) !== undefined;
  }

  /** Branches that this node merges alone, with something to merge. */
  due(): string[] {
    const { ledger, ownLog } = this.#options;
    return ledger.branches().filter((line) => {
      if (policyOfNext(ledger, line)?.mode !== "single" || !ledger.hasPending(line) || !this.decides(line))
        return false;
      return whyNotMerge(ownLog.author, line, ledger.branchView(line)) === undefined;
    });
  }

  /** Merges what is pending in mode single or open, final at once. What a dapp's container throws is thrown [L14]. */
  async merge(branch: string): Promise<MergeReport> {
    if (policyOfNext(this.#options.ledger, branch)?.mode === "quorum")
      throw new GdoError("REFUSED", `${branch} is merged by a quorum`);
    return this.#inTurn(() => this.#merge(branch));
  }

  status(branch: string): BranchConsensus | undefined {
    const height = this.#heightOf(branch);
    if (height === undefined) return undefined;
    const { ledger } = this.#options;
    const fault = faultOf(ledger.branchView(branch).charterFor(height.h)?.state ?? ledger.charterAt());
    return { ...height.status(), h: height.h, fault, isVoter: height.isVoter };
  }

  /** Nothing is voted or begun any more; what is under way ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const height of this.#heights.values()) height.close();
    await this.#turn;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #merge(branch: string): Promise<MergeReport> {
    const { ledger, clock, ownLog } = this.#options;
    const startNs = clock.monoNs();
    const line = ledger.lineOf(branch, ownLog.author);
    const proposal = await this.#proposer.propose({ branch, isShared: false, isCurrent: () => true });
    if (proposal === undefined)
      return { branch, h: ledger.head(line)?.h ?? 0, included: 0, void: [], tests: [], ms: 0 };
    const { block, payload, changes, outcome } = proposal;
    ledger.applyMerge(line, block, payload, changes);
    const tests = outcome.touched.map(({ name }) => ({ app: name, verdict: "PASS" as const }));
    const ms = Number(clock.monoNs() - startNs) / 1e6;
    const from = payload.from.map((source) => `${source.branch}@${source.h}`);
    const took = from.length === 0 ? {} : { from };
    return { branch, h: payload.h, id: block.id, included: payload.entries, ...took, void: outcome.voids, tests, ms };
  }

  /** The machine of the height after the branch's last merge; undefined where nobody votes. */
  #heightOf(branch: string): Height | undefined {
    const { ledger, ownLog } = this.#options;
    if (this.#isClosed) return undefined;
    const view = ledger.branchView(branch);
    const h = (view.head?.h ?? 0) + 1;
    const known = this.#heights.get(branch);
    if (known?.h === h && !known.isClosed) return known;
    known?.close();
    this.#heights.delete(branch);
    const charter = view.charterFor(h);
    if (charter === undefined || policyOf(charter.state, branch)?.mode !== "quorum") return undefined;
    const validators = validatorsOf(charter.state, branch);
    if (validators === undefined) return undefined;
    const { principals, q } = validators;
    const principal = decidesFor(charter.state, ownLog.author);
    const mayVote = principal !== undefined && principals.includes(principal);
    const isVoter = this.#isVoting && mayVote && !this.#abstains(branch, h, { charter, principals, q, principal });
    const self = isVoter ? principal : null;
    const height = new Height({ branch, h, charter, validators: principals, q, self }, this.#host());
    this.#heights.set(branch, height);
    height.look();
    return height;
  }

  #abstains(branch: string, h: number, { charter, principals, q, principal }: Electorate): boolean {
    const { ledger, ownLog, reports = () => [] } = this.#options;
    const byPrincipal = new Map<string, number>();
    for (const { author, h: final } of reports(branch)) {
      const other = principalOf(charter.state, author);
      if (other === undefined || other === principal || !principals.includes(other)) continue;
      byPrincipal.set(other, Math.max(final, byPrincipal.get(other) ?? 0));
    }
    const question = { branch, h, n: principals.length, q, height: h - 1, reports: [...byPrincipal.values()] };
    return mustAbstain(ledger, ownLog.turns().at(-1)?.l, question);
  }

  #host(): HeightHost {
    const { ledger, ownLog, organisation, clock, log, timeoutMs, publish, advance, tell, blobs } = this.#options;
    return {
      ...{ ledger, ownLog, organisation, clock, log, timeoutMs, publish },
      build: (branch, isCurrent) => this.#inTurn(() => this.#build(branch, isCurrent)),
      judge: (block, payload, isCertified) => this.#inTurn(() => this.#judge(block, payload, isCertified)),
      holding: (work) => blobs.holding(work),
      final: () => void advance().then(() => this.look()),
      attested: (cast, payload, set) => this.#attested(cast, payload, set),
      dead: (branch, merge) => tell({ type: "dead", branch, merge }),
      failed: ({ branch }, error) => {
        if (!(error instanceof GdoError)) throw error;
        log.error("voting stopped, and begins again from what is durable", { branch, why: error.message });
        tell({ type: "stalled", branch, code: error.code, why: error.message });
      },
    };
  }

  async #build(
    branch: string,
    isCurrent: () => boolean,
  ): Promise<{ block: Block; outputs: Readonly<Record<string, Hash>> } | undefined> {
    const { log, tell } = this.#options;
    if (!isCurrent()) return undefined;
    try {
      const proposal = await this.#proposer.propose({ branch, isShared: true, isCurrent });
      return proposal === undefined
        ? undefined
        : { block: proposal.block, outputs: hashesOf(outputsOf(proposal.outcome)) };
    } catch (error) {
      if (!(error instanceof GdoError)) throw error;
      log.error("entries wait: no merge can be made of them", { branch, code: error.code, why: error.message });
      tell({ type: "stalled", branch, code: error.code, why: error.message });
      return undefined;
    }
  }

  #judge(block: Block, payload: MergePayload, isCertified: boolean): Promise<Judgement | NotYet> {
    return judge(block, payload, { ...this.#options, isCertified });
  }

  /** Step 10: kept, told, and remembered. */
  #attested(
    { principal: voter, vote }: CastVote,
    { branch, tests }: MergePayload,
    set: { n: number; q: number },
  ): void {
    if (vote.phase !== "attest" || vote.verdict !== "PASS" || voter === undefined) return;
    const { merge, outputs } = vote;
    const { log, tell } = this.#options;
    for (const odd of this.#disagreements.note({ merge, voter, outputs, tests, ...set })) {
      log.error("a validator is always the odd one out: have a look at its device", { branch, voter: odd });
      tell({ type: "odd", branch, voter: odd });
    }
    const apps = tests.flatMap(({ app, output }) => ((outputs[app] ?? null) === output ? [] : [app]));
    if (apps.length === 0) return;
    log.warn("a validator got other outputs", { branch, merge, voter, apps: apps.join(" ") });
    tell({ type: "mismatch", branch, merge, voter, apps });
  }
}
