/**
 * One height of one branch on one node: gives the step machine what is held and does what it asks for. What must
 * be durable before the next thing is durable when its call returns [L7]; a thing that fails ends this life of the
 * machine, and the next one begins with what is durable.
 */
import type { Cancel, Clock, Hash, Log, PublicKey } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import {
  type CastVote,
  type CharterAt,
  Consensus,
  type ConsensusInput,
  type ConsensusOutput,
  type ConsensusStatus,
  decidesFor,
  encodeVote,
  type HeldVote,
  type Judgement,
  type Lock,
  type MergePayload,
  parseMerge,
  type Vote,
  whyNotMerge,
} from "../../ledger/index.ts";
import type { OwnLog } from "../own-log.ts";
import type { NodeLedger } from "../ports.ts";
import type { NotYet } from "./judge.ts";
import { claimedHashes } from "./outputs.ts";

/** What a height needs of the node. */
export interface HeightHost {
  readonly ledger: NodeLedger;
  readonly ownLog: OwnLog;
  readonly organisation: Hash;
  readonly clock: Clock;
  readonly log: Log;
  readonly timeoutMs: number;
  /** Own block, durable by now. */
  publish(block: Block): void;
  /** Makes a merge; undefined when there is nothing to merge or nothing can be made of it now. */
  build(
    branch: string,
    isCurrent: () => boolean,
  ): Promise<{ block: Block; outputs: Readonly<Record<string, Hash>> } | undefined>;
  judge(block: Block, payload: MergePayload, isCertified: boolean): Promise<Judgement | NotYet>;
  /** What work keeps stays until it has been named in the ledger, too. */
  holding<T>(work: () => Promise<T>): Promise<T>;
  /** A merge has q commit votes. */
  final(): void;
  /** A validator has attested; `claimed` is what the merge says. */
  attested(cast: CastVote, payload: MergePayload, set: { readonly n: number; readonly q: number }): void;
  dead(branch: string, merge: Hash): void;
  /** This life is over: something could not be done. */
  failed(height: Height, error: unknown): void;
}

export interface HeightStart {
  readonly branch: string;
  readonly h: number;
  readonly charter: CharterAt;
  readonly validators: readonly string[];
  readonly q: number;
  /** Null: watches only. */
  readonly self: string | null;
}

export class Height {
  readonly branch: string;
  readonly h: number;
  readonly #start: HeightStart;
  readonly #host: HeightHost;
  readonly #machine: Consensus;
  /** Incarnation of the own log in which this life began. */
  readonly #incarnation: string;
  readonly #fed = new Set<Hash>();
  readonly #merges = new Map<Hash, MergePayload>();
  readonly #inputs: ConsensusInput[] = [];
  /** Merges to judge as soon as what is lacking is held, and what that is. */
  readonly #waiting = new Map<Hash, string>();
  #isStepping = false;
  #isClosed = false;
  #cancelWake: Cancel = () => {};

  constructor(start: HeightStart, host: HeightHost) {
    const { branch, h, validators, q, self } = start;
    this.branch = branch;
    this.h = h;
    this.#start = start;
    this.#host = host;
    this.#incarnation = host.ownLog.incarnation;
    const own = host.ledger.votes(branch, h).map((held) => this.#cast(held));
    this.#machine = new Consensus({
      branch,
      height: h,
      validators,
      q,
      self,
      lock: readLock(host.ledger, branch, h),
      ownVotes: own.filter(({ principal }) => principal !== undefined && principal === self),
      timeoutMs: host.timeoutMs,
    });
  }

  get isVoter(): boolean {
    return this.#start.self !== null;
  }

  /** [L17] It ends with the incarnation, too: another copy of this device may have voted, so it is asked anew who votes. */
  get isClosed(): boolean {
    return this.#isClosed || this.#host.ownLog.incarnation !== this.#incarnation;
  }

  /** Takes in what votes are held by now. */
  look(): void {
    if (this.isClosed) return;
    for (const held of this.#host.ledger.votes(this.branch, this.h)) this.#feed(held);
    for (const merge of [...this.#waiting.keys()]) this.#ask(merge);
  }

  /** Whether anything is pending, as often as the node looks. */
  work(isPending: boolean): void {
    this.#step({ type: "work", isPending });
  }

  status(): ConsensusStatus {
    return this.#machine.status();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelWake();
  }

  #cast({ id, author, vote }: HeldVote): CastVote {
    return { id, vote, principal: decidesFor(this.#start.charter.state, author) };
  }

  #feed(held: HeldVote): void {
    if (this.#fed.has(held.id)) return;
    this.#fed.add(held.id);
    const cast = this.#cast(held);
    const payload = "merge" in held.vote ? this.#claim(held.vote.merge) : undefined;
    const { validators, q } = this.#start;
    // Anybody can say what a merge gave; only who may vote is heard [L10].
    const isHeard = cast.principal !== undefined && validators.includes(cast.principal);
    if (payload !== undefined && isHeard && held.vote.phase === "attest")
      this.#host.attested(cast, payload, { n: validators.length, q });
    this.#step({ type: "vote", vote: cast });
  }

  /** A merge that is for this height, by one who may make it; anything else is as if it were not there. */
  #claim(merge: Hash): MergePayload | undefined {
    const known = this.#merges.get(merge);
    if (known !== undefined) return known;
    const { ledger } = this.#host;
    const block = ledger.block(merge);
    if (block?.k !== "merge") return undefined;
    const payload = parseMerge(block.d);
    const head = ledger.head(this.branch)?.id ?? null;
    const isHere = payload.branch === this.branch && payload.h === this.h && payload.prev === head;
    if (!isHere || whyNotMerge(block.a, this.branch, ledger.branchView(this.branch)) !== undefined) return undefined;
    this.#merges.set(merge, payload);
    this.#step({ type: "merge-held", merge, outputs: claimedHashes(payload) });
    return payload;
  }

  /** One input's outputs are done before the next input, also those that doing them brings. */
  #step(input: ConsensusInput): void {
    if (this.isClosed) return;
    this.#inputs.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined && !this.isClosed; next = this.#inputs.shift()) {
        for (const output of this.#machine.step(next, this.#nowMs())) this.#perform(output);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isStepping = false;
    }
  }

  /** What went on after the height was over may have seen another state: that it failed means nothing. */
  #fail(error: unknown): void {
    if (this.isClosed) return;
    this.close();
    this.#host.failed(this, error);
  }

  #nowMs(): number {
    return Number(this.#host.clock.monoNs()) / 1e6;
  }

  #perform(output: ConsensusOutput): void {
    const { ledger, log } = this.#host;
    if (output.type === "lock") writeLock(ledger, this.branch, this.h, output.lock);
    else if (output.type === "vote") this.#vote(output.vote);
    else if (output.type === "wake") this.#wakeAt(output.atMs);
    else if (output.type === "propose-new") void this.#host.holding(() => this.#build(output.r));
    else if (output.type === "judge") this.#ask(output.merge);
    else if (output.type === "final") this.#host.final();
    else {
      log.warn("a merge is refused by too many to be final", { branch: this.branch, h: this.h, merge: output.merge });
      this.#host.dead(this.branch, output.merge);
    }
  }

  /** [L7] Durable, then everybody's, then counted. */
  #vote(vote: Vote): void {
    const { ledger, ownLog, organisation } = this.#host;
    const parent = "merge" in vote ? vote.merge : (ledger.head(this.branch)?.id ?? organisation);
    const block = ownLog.append("vote", encodeVote(vote), [ledger.block(parent) as Block]);
    this.#host.publish(block);
    this.#feed({ id: block.id, author: block.a as PublicKey, vote });
  }

  #wakeAt(atMs: number): void {
    this.#cancelWake();
    this.#cancelWake = this.#host.clock.after(Math.max(0, atMs - this.#nowMs()), () => this.#wake());
  }

  /** The round's time is up: what is still missing by now is MISSING. */
  #wake(): void {
    for (const [merge, code] of [...this.#waiting]) {
      this.#waiting.delete(merge);
      const judgement = { verdict: "MISSING", code, outputs: {}, log: null } as const;
      this.#step({ type: "judged", merge, judgement });
    }
    this.#step({ type: "tick" });
  }

  async #build(r: number): Promise<void> {
    try {
      const built = await this.#host.build(this.branch, () => !this.isClosed);
      if (this.isClosed) return;
      if (built !== undefined) {
        this.#host.publish(built.block);
        this.#claim(built.block.id);
        const judgement = { verdict: "PASS", code: null, outputs: built.outputs, log: null } as const;
        this.#step({ type: "judged", merge: built.block.id, judgement });
      }
      this.#step({ type: "built", r, merge: built?.block.id ?? null });
    } catch (error) {
      this.#fail(error);
    }
  }

  #ask(merge: Hash): void {
    void this.#host.holding(() => this.#judge(merge));
  }

  async #judge(merge: Hash): Promise<void> {
    const payload = this.#claim(merge);
    const block = this.#host.ledger.block(merge);
    if (payload === undefined || block === undefined) return;
    this.#waiting.delete(merge);
    try {
      const judgement = await this.#host.judge(block, payload, this.#machine.isCertified(merge));
      if (this.isClosed) return;
      if (judgement.verdict === "wait") this.#waiting.set(merge, judgement.code);
      else this.#step({ type: "judged", merge, judgement });
    } catch (error) {
      this.#fail(error);
    }
  }
}

interface KeptLock extends Lock {
  readonly h: number;
}

function lockKey(branch: string): string {
  return `node.lock/${branch}`;
}

function readLock(ledger: NodeLedger, branch: string, h: number): Lock | undefined {
  const text = ledger.meta(lockKey(branch));
  const kept = text === undefined ? undefined : (JSON.parse(text) as KeptLock);
  return kept?.h === h ? { r: kept.r, merge: kept.merge } : undefined;
}

function writeLock(ledger: NodeLedger, branch: string, h: number, { r, merge }: Lock): void {
  const kept: KeptLock = { h, r, merge };
  ledger.setMeta(lockKey(branch), JSON.stringify(kept));
}
