/**
 * Validators of one or two heights in one process, on a network that delays, loses, repeats and reorders, with
 * power cuts between any two things that a validator does, and liars that vote for everything everywhere.
 * One seed, one history. What is checked after each event: no two merges final at one height [L16], and
 * nobody honest votes twice [L7].
 */
import { type Hash, SeededRng } from "../../lib/base/index.ts";
import type { CastVote, Consensus, ConsensusOutput, Judgement, Lock, Vote } from "../../lib/ledger/index.ts";

/** The class under test: the real one, or a mutant of it. */
export type ConsensusClass = typeof Consensus;

export interface WorldOptions {
  readonly consensus: ConsensusClass;
  readonly seed: number;
  /** Validators of height 1; those of height 2 are what the merge that is final at height 1 says. */
  readonly n: number;
  readonly q: number;
  readonly liars: number;
  readonly heights?: 1 | 2;
  /** Events before the network heals. */
  readonly events?: number;
  /** Who votes at height 2: by the merge before (right) or by the newest merge of that height (wrong). */
  readonly setFrom?: "before" | "same";
  /** Many power cuts, and always somebody whom nothing reaches: only the lock keeps what was agreed without them. */
  readonly isStormy?: boolean;
  /** Whether everything arrives and is done in the end. */
  readonly heals?: boolean;
}

export interface WorldResult {
  /** A rule that was broken, in words. */
  readonly broken: string | undefined;
  /** Whether every honest validator has both heights final after the network healed. */
  readonly isDone: boolean;
  readonly rounds: number;
}

interface Merge {
  readonly id: Hash;
  readonly h: number;
  readonly outputs: Readonly<Record<string, Hash>>;
  /** Who validates the next height, if this becomes final. */
  readonly next: readonly string[];
}

type Ballot = Pick<Extract<Vote, { merge: Hash }>, "r" | "merge">;

interface Message {
  readonly to: string;
  readonly cast: CastVote;
}

const TIMEOUT_MS = 1_000;
/** Where each kind of event ends among numbers from 0 to 1; the rest are lies. */
const CALM = [0.6, 0.8, 0.9, 0.93] as const;
const STORM = [0.62, 0.8, 0.93, 0.97] as const;
const HEAL_EVENTS_MAX = 20_000;

/** 64 digits that begin with what it is. */
function idOf(name: string): Hash {
  return Buffer.from(name).toString("hex").padEnd(64, "0") as Hash;
}

class Validator {
  readonly name: string;
  readonly votes: CastVote[] = [];
  readonly locks = new Map<number, Lock>();
  readonly finals = new Map<number, Merge>();
  readonly tasks: ConsensusOutput[] = [];
  machine: Consensus | undefined;
  h = 1;
  nowMs: number;
  wakeMs: number | undefined;
  /** All that it was ever given and kept. */
  readonly held: Message[] = [];
  set: readonly string[] = [];

  constructor(name: string, nowMs: number) {
    this.name = name;
    this.nowMs = nowMs;
  }
}

export class World {
  readonly #options: Required<WorldOptions>;
  readonly #rng: SeededRng;
  readonly #names: readonly string[];
  readonly #honest: Validator[];
  readonly #liars: readonly string[];
  readonly #merges = new Map<Hash, Merge>();
  readonly #flight: Message[] = [];
  readonly #lost: Message[] = [];
  /** Who honest committed, by height/round/merge, and what came of it. */
  readonly #commits = new Map<string, Set<string>>();
  readonly #settled = new Map<number, Hash>();
  #deaf: string | undefined;
  #made = 0;
  #broken: string | undefined;

  constructor(options: WorldOptions) {
    this.#options = { heights: 1, events: 300, setFrom: "before", isStormy: false, heals: true, ...options };
    this.#rng = new SeededRng(options.seed);
    this.#names = Array.from({ length: options.n }, (_, index) => `v${index}`);
    this.#liars = this.#names.slice(options.n - options.liars);
    this.#honest = this.#names
      .filter((name) => !this.#liars.includes(name))
      .map((name) => new Validator(name, this.#below(10_000)));
  }

  run(): WorldResult {
    for (const each of this.#honest) this.#boot(each);
    for (let event = 0; event < this.#options.events && this.#broken === undefined; event += 1) this.#event();
    const isDone = this.#options.heals && this.#broken === undefined && this.#heal();
    const rounds = Math.max(0, ...this.#honest.flatMap(({ votes }) => votes.map(({ vote }) => vote.r)));
    return { broken: this.#broken, isDone, rounds };
  }

  #below(limit: number): number {
    return Math.floor(this.#rng.next() * limit);
  }

  #one<Item>(items: readonly Item[]): Item | undefined {
    return items[this.#below(items.length)];
  }

  /** [L16] The set as of the merge before; `same` reads it off a merge of the height itself. */
  #setOf(node: Validator, h: number): readonly string[] {
    const of = this.#options.setFrom === "same" ? [...this.#merges.values()].filter((merge) => merge.h === h) : [];
    const seen = of.findLast(({ id }) => node.held.some(({ cast: { vote } }) => "merge" in vote && vote.merge === id));
    return seen?.next ?? node.finals.get(h - 1)?.next ?? this.#names;
  }

  #boot(node: Validator): void {
    const { consensus } = this.#options;
    node.set = this.#setOf(node, node.h);
    const isMember = node.set.includes(node.name);
    const q = this.#quorum(node.set);
    const start = { branch: "main", height: node.h, validators: node.set, q, self: isMember ? node.name : null };
    const own = node.votes.filter(({ vote }) => vote.h === node.h);
    node.tasks.length = 0;
    node.wakeMs = undefined;
    node.machine = new consensus({
      ...start,
      lock: node.locks.get(node.h),
      ownVotes: own,
      timeoutMs: TIMEOUT_MS,
    });
    for (const message of node.held.filter(({ cast }) => cast.vote.h === start.height)) this.#give(node, message);
    // Final by what it held already: the machine of the next height has been started in the meantime.
    if (node.h === start.height) this.#step(node, { type: "work", isPending: true });
  }

  /** Does the first `count` of the outputs; fewer than all is a power cut. */
  #perform(node: Validator, outputs: readonly ConsensusOutput[], count: number): void {
    for (const output of outputs.slice(0, count)) {
      if (output.type === "lock") node.locks.set(node.h, output.lock);
      else if (output.type === "vote") this.#cast(node, output.vote);
      else if (output.type === "wake") node.wakeMs = output.atMs;
      else if (output.type === "final") return this.#final(node, output.merge);
      else node.tasks.push(output);
    }
    if (count < outputs.length) this.#boot(node);
  }

  #cast(node: Validator, body: Vote): void {
    const twice = node.votes.find(({ vote }) => vote.h === node.h && vote.phase === body.phase && vote.r === body.r);
    if (twice !== undefined) this.#broken ??= `${node.name} voted ${body.phase} twice in round ${body.r}`;
    const cast = this.#sign(node.name, body);
    node.votes.push(cast);
    this.#send(cast, this.#names);
    if (body.phase === "propose") for (const liar of this.#liars) this.#echo(liar, body);
    if (body.phase === "commit") this.#committed(node, body);
  }

  /** A liar is for whatever is proposed. */
  #echo(liar: string, { r, merge }: Ballot): void {
    const { h, outputs } = this.#merges.get(merge) as Merge;
    const on = { branch: "main", h, r, merge } as const;
    const attest = { ...on, phase: "attest", verdict: "PASS", code: null, outputs, log: null } as const;
    this.#send(this.#sign(liar, attest), this.#names);
    this.#send(this.#sign(liar, { ...on, phase: "commit" }), this.#names);
  }

  /** q commit votes at one round make a merge final, whoever has seen them all by now; liars commit to everything. */
  #committed(node: Validator, { r, merge }: Ballot): void {
    const place = `${node.h}/${r}/${merge}`;
    const voters = (this.#commits.get(place) ?? new Set()).add(node.name);
    this.#commits.set(place, voters);
    if (voters.size + this.#liars.length >= this.#quorum(node.set)) this.#settle(node.h, merge);
  }

  #settle(h: number, merge: Hash): void {
    if ((this.#settled.get(h) ?? merge) !== merge) this.#broken ??= `two merges are final at height ${h}`;
    this.#settled.set(h, merge);
  }

  #quorum(set: readonly string[]): number {
    return set.length === this.#options.n ? this.#options.q : Math.floor((2 * set.length) / 3) + 1;
  }

  #sign(principal: string, vote: Vote): CastVote {
    this.#made += 1;
    return { id: idOf(`vote ${this.#made}`), principal, vote };
  }

  #send(cast: CastVote, to: readonly string[]): void {
    for (const name of to) this.#flight.push({ to: name, cast });
  }

  #final(node: Validator, id: Hash): void {
    const merge = this.#merges.get(id) as Merge;
    node.finals.set(node.h, merge);
    this.#settle(node.h, id);
    if (node.h === this.#options.heights) {
      node.machine = undefined;
      return;
    }
    node.h += 1;
    this.#boot(node);
  }

  /** A vote, and before it the merge that it names. */
  #give(node: Validator, { cast }: Message): void {
    const { vote } = cast;
    const { h } = vote;
    const merge = "merge" in vote ? this.#merges.get(vote.merge) : undefined;
    if (merge !== undefined && node.h === h)
      this.#step(node, { type: "merge-held", merge: merge.id, outputs: merge.outputs });
    if (node.h === h) this.#step(node, { type: "vote", vote: cast });
  }

  #step(node: Validator, input: Parameters<Consensus["step"]>[0]): void {
    const outputs = node.machine?.step(input, node.nowMs) ?? [];
    const isCut = outputs.length > 0 && this.#rng.next() < 0.03;
    this.#perform(node, outputs, isCut ? this.#below(outputs.length) : Number.POSITIVE_INFINITY);
  }

  #event(): void {
    const kind = this.#rng.next();
    const [deliver, work, time, restart] = this.#options.isStormy ? STORM : CALM;
    if (kind < deliver) this.#deliver();
    else if (kind < work) this.#work();
    else if (kind < time) this.#time();
    else if (kind < restart) this.#restart();
    else this.#lie();
  }

  #deliver(): void {
    if (this.#flight.length === 0) return;
    const message = this.#flight.splice(this.#below(this.#flight.length), 1)[0] as Message;
    if (this.#options.isStormy && this.#rng.next() < 0.01) this.#deaf = this.#one(this.#names);
    const fate = message.to === this.#deaf ? 0 : this.#rng.next();
    if (fate < 0.15) this.#lost.push(message);
    else if (fate < 0.3) this.#flight.push(message);
    if (fate >= 0.15) this.#arrive(message);
  }

  #arrive(message: Message): void {
    const node = this.#honest.find(({ name }) => name === message.to);
    if (node === undefined) return;
    node.held.push(message);
    if (node.h === message.cast.vote.h && this.#setOf(node, node.h) !== node.set) this.#boot(node);
    else this.#give(node, message);
  }

  /** One of the things that machines have asked for is done. */
  #work(): void {
    const node = this.#one(this.#honest.filter(({ tasks }) => tasks.length > 0));
    const task = node?.tasks.shift();
    if (node === undefined || task === undefined) return;
    if (task.type === "judge") {
      const { outputs } = this.#merges.get(task.merge) as Merge;
      this.#step(node, { type: "judged", merge: task.merge, judgement: this.#judgement(outputs) });
    } else if (task.type === "propose-new") this.#build(node, task.r);
  }

  #judgement(outputs: Merge["outputs"]): Judgement {
    const isSlow = this.#flight.length > 0 && this.#rng.next() < 0.1;
    if (isSlow) return { verdict: "ERROR", code: "a container failed", outputs: {}, log: null };
    return { verdict: "PASS", code: null, outputs, log: null };
  }

  #build(node: Validator, r: number): void {
    const { h } = node;
    const merge = this.#newMerge(h);
    const outputs = merge.outputs;
    this.#step(node, { type: "merge-held", merge: merge.id, outputs });
    if (node.h !== h) return;
    this.#step(node, {
      type: "judged",
      merge: merge.id,
      judgement: { verdict: "PASS", code: null, outputs, log: null },
    });
    if (node.h === h) this.#step(node, { type: "built", r, merge: merge.id });
  }

  #newMerge(h: number): Merge {
    const id = idOf(`merge ${this.#merges.size}`);
    const size = this.#options.heights === 1 ? this.#names.length : 2;
    const from = this.#merges.size % (this.#names.length - size + 1);
    const merge = { id, h, outputs: { notes: idOf("output") }, next: this.#names.slice(from, from + size) };
    this.#merges.set(id, merge);
    return merge;
  }

  /** A clock runs on, by a little or until something falls due. */
  #time(): void {
    const node = this.#one(this.#honest);
    if (node === undefined) return;
    const wakeMs = node.wakeMs ?? node.nowMs;
    node.nowMs = this.#rng.next() < 0.5 ? node.nowMs + this.#below(500) : Math.max(node.nowMs, wakeMs);
    this.#step(node, { type: "tick" });
  }

  #restart(): void {
    const node = this.#one(this.#honest);
    if (node?.machine !== undefined) this.#boot(node);
  }

  /** A liar votes for anything, in any round, to some. */
  #lie(): void {
    const voter = this.#one(this.#liars);
    if (voter === undefined) return;
    const h = 1 + this.#below(this.#options.heights);
    const merge = this.#rng.next() < 0.05 ? this.#newMerge(h) : this.#one([...this.#merges.values()]);
    if (merge === undefined || merge.h !== h) return;
    const r = this.#below(5);
    const { id, outputs } = merge;
    const valid = r > 0 && this.#rng.next() < 0.5 ? this.#below(r) : null;
    const at = { branch: "main", h, r } as const;
    const on = { ...at, merge: id } as const;
    const bodies: readonly Vote[] = [
      { ...on, phase: "propose", valid, proof: [] },
      { ...on, phase: "attest", verdict: "PASS", code: null, outputs, log: null },
      { ...on, phase: "attest", verdict: "FAIL", code: "no", outputs: {}, log: null },
      { ...on, phase: "commit" },
      { ...at, phase: "skip" },
    ];
    const to = this.#names.filter(() => this.#rng.next() < 0.6);
    for (const body of bodies) if (this.#rng.next() < 0.7) this.#send(this.#sign(voter, body), to);
  }

  /** Everything arrives, also what a liar gave to some and they pass on; everything is done, every clock runs. */
  #heal(): boolean {
    const said = [...this.#honest.flatMap((node) => node.held), ...this.#flight, ...this.#lost];
    for (const { cast } of said) if (this.#liars.includes(String(cast.principal))) this.#send(cast, this.#names);
    for (let event = 0; event < HEAL_EVENTS_MAX && this.#broken === undefined; event += 1) {
      if (this.#honest.every(({ finals }) => finals.has(this.#options.heights))) return true;
      this.#flight.push(...this.#lost.splice(0));
      const message = this.#flight.shift();
      if (message !== undefined) this.#arrive(message);
      else if (this.#honest.some(({ tasks }) => tasks.length > 0)) this.#work();
      else this.#wakeNext();
    }
    return false;
  }

  /** The shortest wait of all is over: by that much every clock moves on. */
  #wakeNext(): void {
    const waits = this.#honest.flatMap(({ machine, wakeMs, nowMs }) =>
      machine === undefined || wakeMs === undefined ? [] : [Math.max(0, wakeMs - nowMs)],
    );
    const waitMs = waits.length === 0 ? TIMEOUT_MS : Math.min(...waits);
    for (const node of this.#honest) {
      node.nowMs += waitMs;
      if (node.wakeMs !== undefined && node.wakeMs <= node.nowMs) node.wakeMs = undefined;
      this.#step(node, { type: "tick" });
    }
  }
}
