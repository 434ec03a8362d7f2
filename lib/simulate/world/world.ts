/**
 * Many nodes in one process, in virtual time, from one seed. The world moves from event to event and waits
 * between two of them until no promise has anything left to do, so that the same seed gives the same run.
 *
 * Quiet hours are leapt over: when nobody has learnt anything new for some seconds, all machines sleep until
 * shortly before the next thing that is planned; what their timers missed happens then.
 */
import { type Clock, GdoError, type Hash, type PublicKey, type Rng, SeededRng, settled } from "../../base/index.ts";
import { decodeBlock, shareBlocksRead } from "../../codec/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import { authorOf, CHARTER_BRANCH } from "../../ledger/index.ts";
import { MemoryBroker } from "../../sync/index.ts";
import { Cheat } from "../cheats/cheat.ts";
import { whyHelpless } from "../checks/charter.ts";
import { type Finding, type Invariant, LedgerWatch } from "../checks/ledger-watch.ts";
import { simulatedApps } from "../dapps/apps.ts";
import { Agenda } from "../time/agenda.ts";
import { type NodeOptions, SimNode } from "./node.ts";
import { foundOrganisation, type Organisation, type Size } from "./organisation.ts";
import type { ProcessWatch } from "./process.ts";
import { Rewinds } from "./rewind.ts";
import { Trace } from "./trace.ts";

export interface WorldOptions extends Size {
  readonly seed: number;
}

export interface TimelineEvent {
  readonly atMs: number;
  readonly node: string;
  readonly what: string;
}

export interface WorldCounts {
  frames: number;
  bytes: number;
  readonly refused: Record<string, number>;
}

/** As many as a week brings. */
const BLOCKS_SHARED_MAX = 4096;
/** Wall time at which every world begins: 5 January 2026, a Monday. */
const START_MS = 1_767_571_200_000;
/** Nobody has learnt anything for so long: quiet. */
const CALM_MS = 5000;
/** Awake again so long before what is planned. */
const AWAKE_MS = 2500;
/** A leap is worth its while from so much on. */
const LEAP_MS_MIN = 10_000;

export class World {
  readonly agenda = new Agenda();
  readonly broker: MemoryBroker;
  readonly nodes: readonly SimNode[];
  readonly organisation: Organisation;
  readonly watch: LedgerWatch;
  readonly trace = new Trace();
  readonly timeline: TimelineEvent[] = [];
  readonly findings: Finding[] = [];
  readonly counts: WorldCounts = { frames: 0, bytes: 0, refused: {} };
  readonly #seed: number;
  readonly #planned: { readonly atMs: number; readonly wakes: boolean }[] = [];
  readonly #honest = new Set<PublicKey>();
  readonly #cheats = new Map<string, Cheat>();
  readonly #rewinds: Rewinds;
  /** No fault of the network is open. */
  isWhole = true;
  #isBusy = false;
  #newsMs = 0;
  #clones = 0;

  constructor({ seed, ...size }: WorldOptions) {
    this.#seed = seed;
    shareBlocksRead(BLOCKS_SHARED_MAX);
    this.organisation = foundOrganisation(size, this.rng("keys"), START_MS);
    for (const { pair } of this.organisation.members) this.#honest.add(pair.publicKey);
    this.watch = new LedgerWatch({
      nowMs: () => this.nowMs,
      isHonest: (author) => this.#honest.has(author),
      found: (finding) => this.found(finding),
    });
    this.broker = new MemoryBroker(brokerClock(this.agenda), this.rng("network"));
    this.broker.onDelivery = ({ from, to, topic, bytes }) => {
      this.counts.frames += 1;
      this.counts.bytes += bytes.length;
      this.trace.add(
        `${this.nowMs} ${from ?? ""} ${to} ${topic.length} ${bytes.length} ${bytes.at(-1)} ${bytes.at(-9)}`,
      );
    };
    this.nodes = this.organisation.members.map((member) => this.#node(member));
    this.#rewinds = new Rewinds(this, (author) => void this.#honest.delete(author));
  }

  get nowMs(): number {
    return this.agenda.nowMs;
  }

  /** One stream of randomness for each use, so that a change of one leaves the others alone. */
  rng(use: string): Rng {
    let mixed = 0x811c9dc5 ^ this.#seed;
    for (const character of use) mixed = Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193);
    return new SeededRng(mixed);
  }

  /** From now on the node's key signs anything. */
  setCheats(names: readonly string[]): void {
    for (const name of names) {
      const node = this.node(name);
      this.#honest.delete(node.member.pair.publicKey);
      this.#cheats.set(name, new Cheat(this, node));
    }
  }

  cheat(name: string): Cheat {
    const cheat = this.#cheats.get(name);
    if (cheat === undefined) throw new RangeError(`${name} does not cheat`);
    return cheat;
  }

  /** Nodes that do as they should. */
  get honest(): SimNode[] {
    return this.nodes.filter(({ name }) => !this.#cheats.has(name));
  }

  /** Of these, those whose device the charter still has, as whoever knows most of it says. */
  get insiders(): SimNode[] {
    return this.honest.filter(({ member }) => !this.isOut(member.pair.publicKey));
  }

  isOut(author: PublicKey): boolean {
    const dbs = this.nodes.flatMap(({ db }) => db ?? []);
    const heightOf = (db: LedgerDb): number => db.head(CHARTER_BRANCH)?.h ?? 0;
    const [newest] = dbs.sort((x, y) => heightOf(y) - heightOf(x));
    return newest !== undefined && authorOf(newest.charterAt(), author)?.revoked === true;
  }

  node(name: string): SimNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new RangeError(`no node is called ${name}`);
    return found;
  }

  /**
   * Something that will happen at its time, whatever the world does until then. It wakes the machines before,
   * or not: who sleeps through the cut of a cable notices it when awake again.
   */
  plan(atMs: number, happen: () => void, wakes = true): void {
    this.#planned.push({ atMs, wakes });
    this.agenda.at(atMs, () => {
      if (wakes) this.#newsMs = this.nowMs;
      happen();
    });
  }

  tell(node: string, what: string): void {
    this.timeline.push({ atMs: this.nowMs, node, what });
    this.trace.add(`${this.nowMs} ${node}: ${what}`);
  }

  found(finding: Finding): void {
    this.findings.push(finding);
    this.tell("", `${finding.invariant} does not hold: ${finding.what}`);
  }

  fail(invariant: Invariant, what: string): void {
    this.found({ invariant, atMs: this.nowMs, what });
  }

  isHonest(author: PublicKey): boolean {
    return this.#honest.has(author);
  }

  /** Plays until then, or until an invariant is broken. */
  async runUntil(endMs: number): Promise<void> {
    const end = { atMs: endMs, wakes: true };
    const planned = [...this.#planned.splice(0), end].sort((x, y) => x.atMs - y.atMs);
    let next = 0;
    while (this.findings.length === 0 && this.agenda.nextMs <= endMs) {
      this.agenda.step();
      if (this.#isBusy) await settled(); // Nothing here waits for anything but promises, so once is enough.
      this.#isBusy = false;
      while ((planned[next]?.atMs ?? Number.POSITIVE_INFINITY) <= this.nowMs) next += 1;
      const { atMs, wakes } = planned[next] ?? end;
      if (this.nowMs - this.#newsMs > CALM_MS) this.#leap(wakes ? atMs - AWAKE_MS : atMs, wakes);
    }
    if (this.findings.length === 0) this.agenda.rest(endMs);
  }

  #leap(untilMs: number, wakes: boolean): void {
    if (untilMs - this.nowMs < LEAP_MS_MIN) return;
    this.agenda.leap(untilMs);
    if (wakes) this.#newsMs = this.nowMs;
  }

  close(): void {
    for (const node of this.nodes) node.close();
  }

  /** [L8] The card is put back byte for byte. */
  rewind(node: SimNode): void {
    node.putImageBack(true);
    this.#rewinds.begin(node);
  }

  /** One more machine with a copy of a node's card. It is none of the world's nodes: it ends with its fault. */
  clone(node: SimNode): SimNode {
    const card = node.copyCard();
    this.#clones += 1;
    return this.#node(node.member, { card, machine: `clone ${this.#clones}` });
  }

  endClone(clone: SimNode): void {
    clone.close();
    this.watch.lost(clone.member.pair.publicKey, (id) => this.nodes.some(({ db }) => db?.has(id) === true));
  }

  #node(member: Organisation["members"][number], clone?: NodeOptions["clone"]): SimNode {
    const { name } = member;
    const own = clone === undefined ? name : clone.machine;
    const made: SimNode = new SimNode({
      ...(clone === undefined ? {} : { clone }),
      member,
      charter: this.organisation.charter,
      agenda: this.agenda,
      apps: simulatedApps(this.rng(`surroundings of ${own}`)),
      broker: this.broker,
      rng: this.rng(own),
      startMs: START_MS,
      watch: {
        ...this.#processWatch(name, () => made.db),
        ...(clone === undefined ? {} : { met: () => {} }),
      },
      isLiar: () => this.#cheats.has(name) && this.#seed % 2 === 0,
      cardLost: () => this.watch.lost(member.pair.publicKey, (id) => this.#isHeldBeside(name, id)),
      tell: (what) => this.tell(name, what),
    });
    return made;
  }

  #checkCharter(h: number, db: LedgerDb): void {
    const why = whyHelpless(db.charterAt());
    if (why !== undefined) this.fail("charter", `after charter ${h} ${why}`);
  }

  #isHeldBeside(name: string, id: Hash): boolean {
    return this.nodes.some((node) => node.name !== name && node.db?.has(id) === true);
  }

  #processWatch(name: string, dbOf: () => LedgerDb | undefined): ProcessWatch {
    const see = (envelopes: readonly Uint8Array[]): void => {
      this.#newsMs = this.nowMs;
      for (const envelope of envelopes) this.watch.see(envelope);
    };
    return {
      sent: see,
      received: (envelopes) => {
        see(envelopes);
        const cheat = this.#cheats.get(name);
        if (cheat !== undefined) for (const envelope of envelopes) cheat.see(decodeBlock(envelope));
      },
      keeps: (unfinished) => this.watch.keeps(name, unfinished),
      merged: (branch, h, { id }) => {
        this.#newsMs = this.nowMs;
        const db = dbOf();
        if (db === undefined) return;
        const isFirst = this.watch.final(name, { branch, h, id, roots: db.stateRoots(branch) });
        if (isFirst && branch === CHARTER_BRANCH) this.#checkCharter(h, db);
        if (isFirst) this.tell(name, `final: ${branch} ${h} ${id.slice(0, 12)}`);
      },
      broke: (error) => this.found({ invariant: "fault", atMs: this.nowMs, what: `${name}: ${textOf(error)}` }),
      busy: () => {
        this.#isBusy = true;
      },
      awake: () => {
        this.#newsMs = this.nowMs;
      },
      met: () => this.#rewinds.met(name),
      told: (what) => this.trace.add(`${this.nowMs} ${name} ${what}`),
      refused: (why) => {
        this.counts.refused[why] = (this.counts.refused[why] ?? 0) + 1;
      },
    };
  }
}

function textOf(error: unknown): string {
  if (error instanceof GdoError) return `${error.code} ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function brokerClock(agenda: Agenda): Clock {
  return {
    nowMs: () => START_MS + agenda.nowMs,
    monoNs: () => BigInt(Math.round(agenda.nowMs * 1e6)),
    after: (delayMs, fire) => agenda.after(delayMs, fire),
  };
}
