/** What members of the organisation may do who want it harm: with good keys, bad will, and the same frames. */
import { hashOf32, type Rng } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { CHARTER_APP, encodeVote, entryPayload, type MergePayload, parseMerge, type Vote } from "../../ledger/index.ts";
import { encodeFrame, inboxTopic, liveTopic } from "../../sync/index.ts";
import { FLAKY_DAPP, imageOf } from "../dapps/maker-space.ts";
import type { CheatKind } from "../faults/fault.ts";
import type { SimNode } from "../world/node.ts";
import type { World } from "../world/world.ts";
import { CheatLog, envelopesOf } from "./cheat-log.ts";

/** Once the charter has the dapp. */
const DRAWS_AFTER_MS = [6000, 20_000, 600_000];
/** In so many rounds the turn to propose comes to each of four. */
const LIE_ROUNDS = 4;
const PARENTS_MAX = 7;
const FLOOD_ENTRIES = 12;
const FLOOD_FRAMES = 30;
const FLOOD_ORPHANS = 10;
const FRAME_JUNK_BYTES = 120;
const HASH_BYTES = 32;

export class Cheat {
  readonly #world: World;
  readonly #node: SimNode;
  readonly #rng: Rng;
  readonly #log: CheatLog;
  /** Lies to be told at the next opportunity. */
  readonly #lies = new Set<CheatKind>();

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.#node = node;
    this.#rng = world.rng(`cheat ${node.name}`);
    this.#log = new CheatLog(node.member.pair, world.organisation.charter.id, this.#rng);
  }

  /** While its machine is off it can do nothing. */
  act(kind: CheatKind): void {
    if (this.#node.process === undefined) return;
    this.#world.tell(this.#node.name, `cheats: ${kind}`);
    if (kind === "withhold") this.#withhold();
    if (kind === "back-date") this.#backDate();
    if (kind === "flood") this.#flood();
    if (kind === "equivocate") this.#equivocate();
    if (kind === "lie" || kind === "duel" || kind === "defy") this.#lies.add(kind);
    if (kind === "flaky") this.#flaky();
  }

  /** Asked with every block that reaches the cheat: a lie is told when there is something to vote on. */
  see(block: Block): void {
    if (block.k === "merge" && block.a !== this.#node.member.pair.publicKey && this.#lies.delete("lie"))
      this.#lie(block);
    if (block.k === "merge" && this.#lies.delete("duel")) this.#duel(block);
    if (block.k === "merge" && block.a !== this.#node.member.pair.publicKey && this.#lies.delete("defy"))
      this.#defy(block);
  }

  /** Attests and commits to whatever merge there is, at several rounds, some to these, some to those. */
  #lie(merge: Block): void {
    const { branch, h, tests } = parseMerge(merge.d);
    const outputs = outputsOf(tests);
    for (let r = 0; r < LIE_ROUNDS; r += 1) {
      const place = { branch, h, r, merge: merge.id };
      this.#vote(merge, passed(place, outputs));
      this.#vote(merge, { ...place, phase: "commit" });
      this.#vote(merge, { branch, h, r, phase: "skip" });
    }
  }

  /** The same merge again with another time, so another id: both proposed for every round, each to one half. */
  #duel(merge: Block): void {
    const others = this.#others();
    for (const half of [0, 1]) {
      const blocks = this.#twin(merge, half, 0);
      for (const victim of others.filter((_node, index) => index % 2 === half)) this.#sendTo(victim, blocks);
    }
  }

  /** In later rounds, wherever it proposes, another merge, as if q had attested nothing. */
  #defy(merge: Block): void {
    this.#sendAll(this.#twin(merge, 0, 1));
  }

  /** Proposed, attested and committed to in rounds from one on. */
  #twin(merge: Block, timeMs: number, from: number): Block[] {
    const { branch, h, tests } = parseMerge(merge.d);
    const outputs = outputsOf(tests);
    const parents = [...merge.p, ...(merge.b === null ? [] : [merge.b])].flatMap(
      (id) => this.#node.db?.block(id) ?? [],
    );
    const log = this.#newLog();
    const twin = log.draft({
      kind: "merge",
      payload: merge.d,
      parents: [this.#world.organisation.charter, ...parents].slice(0, PARENTS_MAX),
      timeMs,
    });
    log.keep(twin);
    const blocks = [twin];
    for (let r = from; r < LIE_ROUNDS; r += 1) {
      for (const vote of [
        { branch, h, r, merge: twin.id, phase: "propose", valid: null, proof: [] },
        passed({ branch, h, r, merge: twin.id }, outputs),
        { branch, h, r, merge: twin.id, phase: "commit" },
      ] as const) {
        const block = log.draft({ kind: "vote", payload: encodeVote(vote), parents: [twin], timeMs: 0 });
        log.keep(block);
        blocks.push(block);
      }
    }
    return blocks;
  }

  #vote(merge: Block, vote: Vote): void {
    const log = this.#newLog();
    const block = log.draft({ kind: "vote", payload: encodeVote(vote), parents: [merge], timeMs: 0 });
    for (const victim of this.#others()) if (this.#rng.next() < 0.6) this.#sendTo(victim, [block]);
  }

  /** Installs a dapp that never gives the same twice, and uses it. */
  #flaky(): void {
    const install = { type: "dapp.install", body: { name: FLAKY_DAPP, version: "1", tree: imageOf(FLAKY_DAPP, 1) } };
    this.#node.process?.append(CHARTER_APP, [install]);
    for (const afterMs of DRAWS_AFTER_MS) {
      this.#world.agenda.after(
        afterMs,
        () => void this.#node.process?.append(FLAKY_DAPP, [{ type: "draw", body: {} }]),
      );
    }
  }

  #newLog(): CheatLog {
    return new CheatLog(this.#node.member.pair, this.#world.organisation.charter.id, this.#rng);
  }

  /** One node gets a block that nobody else is sent. */
  #withhold(): void {
    const block = this.#say("withheld", this.#world.nowMs);
    const [victim] = this.#others();
    if (victim !== undefined) this.#sendTo(victim, [block]);
  }

  /** As if it had been said before everything else: its parent is the charter, its time 1970. */
  #backDate(): void {
    this.#sendAll([this.#say("back-dated", 0)]);
  }

  #flood(): void {
    const blocks: Block[] = [];
    for (let each = 0; each < FLOOD_ENTRIES; each += 1) blocks.push(this.#say("flood", this.#world.nowMs));
    this.#sendAll(blocks);
    const strayLog = this.#newLog();
    const orphans = [...Array(FLOOD_ORPHANS).keys()].map(() => {
      const missing = hashOf32(this.#rng.bytes(HASH_BYTES));
      const orphan = strayLog.draft({
        payload: entryPayload("doors", [{ type: "swipe", body: { door: "x" } }]),
        parents: [],
        timeMs: 0,
        missing,
      });
      strayLog.keep(orphan);
      return orphan;
    });
    this.#sendAll(orphans);
    const topic = liveTopic(this.#world.organisation.charter.id);
    for (let each = 0; each < FLOOD_FRAMES; each += 1)
      this.#node.process?.publishRaw(topic, this.#rng.bytes(FRAME_JUNK_BYTES));
  }

  /** [L6] One number used twice, with up to two blocks on top of each: half of the others hear of one, half of the other. */
  #equivocate(): void {
    const log = this.#newLog();
    const common = this.#sayIn(log, "common", this.#world.nowMs);
    const others = this.#others();
    for (const half of [0, 1]) {
      log.keep(common);
      const version = [...Array(1 + Math.floor(this.#rng.next() * 3)).keys()].map((each) =>
        this.#sayIn(log, `version ${half} ${each}`, this.#world.nowMs),
      );
      for (const victim of others.filter((_node, index) => index % 2 === half))
        this.#sendTo(victim, [common, ...version]);
    }
  }

  #say(door: string, timeMs: number): Block {
    return this.#sayIn(this.#log, door, timeMs);
  }

  #sayIn(log: CheatLog, door: string, timeMs: number): Block {
    const payload = entryPayload("doors", [{ type: "swipe", body: { door } }]);
    const block = log.draft({ payload, parents: [this.#world.organisation.charter], timeMs });
    log.keep(block);
    return block;
  }

  #others(): SimNode[] {
    const others = this.#world.nodes.filter((node) => node !== this.#node);
    return others
      .map((node) => ({ node, key: this.#rng.next() }))
      .sort((x, y) => x.key - y.key)
      .map(({ node }) => node);
  }

  #sendAll(blocks: readonly Block[]): void {
    this.#send(liveTopic(this.#world.organisation.charter.id), blocks);
  }

  #sendTo(node: SimNode, blocks: readonly Block[]): void {
    this.#send(inboxTopic(this.#world.organisation.charter.id, node.member.pair.publicKey), blocks);
  }

  #send(topic: string, blocks: readonly Block[]): void {
    const key = this.#node.member.pair.publicKey;
    for (const envelope of envelopesOf(blocks)) {
      const frame = { type: "data", key, envelopes: [envelope], pieces: [], lacks: [], end: "none" } as const;
      this.#node.process?.publishRaw(topic, encodeFrame(frame));
    }
  }
}

type AttestVote = Extract<Vote, { phase: "attest" }>;

function passed(place: Pick<AttestVote, "branch" | "h" | "r" | "merge">, outputs: AttestVote["outputs"]): AttestVote {
  return { ...place, phase: "attest", verdict: "PASS", code: null, outputs, log: null };
}

/** What a merge says that its tests gave. */
function outputsOf(tests: MergePayload["tests"]): AttestVote["outputs"] {
  return Object.fromEntries(tests.flatMap(({ app, output }) => (output === null ? [] : [[app, output]])));
}
