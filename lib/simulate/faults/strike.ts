/** Makes the faults of a schedule happen, and makes them end. */
import type { Rng } from "../../base/index.ts";
import { CHARTER_APP } from "../../ledger/index.ts";
import { feud } from "../cheats/feud.ts";
import type { SimNode } from "../world/node.ts";
import { VALIDATOR } from "../world/organisation.ts";
import type { World } from "../world/world.ts";
import { CHEAT_KINDS, type CheatKind, type Fault, type FaultKind, FEUD, faultText } from "./fault.ts";

const PAGE_BYTES = 4096;
/** How fast a clock that runs backwards does so. */
const BACKWARDS = -0.5;
const CLONE_SWIPES = 3;
/** People are at the door before a card is put back, so that there is something to forget, and as soon as it runs again. */
const REWIND_SWIPES_MS = [-60_000, 60, 1000, 4000];
const DELAY_MS_MIN = 4;
const DELAY_MS_MAX = 40;

interface Deafness {
  readonly nodes: ReadonlySet<string>;
  readonly hearNothing: boolean;
}

function isCheat(kind: Fault["kind"]): kind is CheatKind {
  return CHEAT_KINDS.some((each) => each === kind);
}

/** What starts a process wakes the world: it catches up by itself. */
function bootsAtEnd({ kind }: Fault): boolean {
  return kind === "power" || kind === "torn" || kind === "flipped" || kind === "restored" || kind === "rewound";
}

/** With any of these, not everybody hears what everybody says. */
const NETWORK_KINDS: readonly FaultKind[] = ["partition", "one-way", "loss", "overflow", "broker"];

/** Faults of the network may overlap: what holds is what all of them together say. */
export class Striker {
  readonly #world: World;
  readonly #rng: Rng;
  readonly #open = new Set<Fault>();
  readonly #clones = new Map<Fault, SimNode>();

  constructor(world: World) {
    this.#world = world;
    this.#rng = world.rng("damage");
    this.#network();
  }

  /** Plans every fault; a node that is to join late is off until then. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) {
      if (fault.kind === "late") this.#late(fault);
      else if (isCheat(fault.kind)) this.#cheat(fault, fault.kind);
      else if (fault.kind === FEUD) this.#feud(fault);
      else {
        this.#world.plan(fault.atMs, () => this.#begin(fault), false);
        if (fault.forMs > 0) this.#world.plan(fault.atMs + fault.forMs, () => this.#end(fault), bootsAtEnd(fault));
      }
    }
  }

  #late({ atMs, nodes }: Fault): void {
    for (const node of this.#nodes(nodes)) {
      node.hold("none");
      this.#world.plan(atMs, () => {
        this.#world.tell(node.name, "joins late");
        node.release();
      });
    }
  }

  #cheat({ atMs, nodes }: Fault, kind: CheatKind): void {
    for (const name of nodes) this.#world.plan(atMs, () => this.#world.cheat(name).act(kind));
  }

  #feud({ atMs, nodes }: Fault): void {
    this.#world.plan(atMs, () => {
      this.#world.tell(nodes.join(","), "fall out: each wants the other out");
      feud(this.#world, this.#nodes(nodes), this.#rng);
    });
  }

  /** Holidays: by one entry of who has the role, so that there are always as many who vote. */
  #handOver([from, to]: readonly SimNode[]): void {
    if (from === undefined || to === undefined) return;
    const acts = [
      { type: "role.grant", body: { principal: to.name, role: VALIDATOR } },
      { type: "role.revoke", body: { principal: from.name, role: VALIDATOR } },
    ];
    from.process?.append(CHARTER_APP, acts);
  }

  #begin(fault: Fault): void {
    this.#world.tell(fault.nodes.join(","), `fault: ${faultText(fault)}`);
    this.#open.add(fault);
    this.#network();
    for (const node of this.#nodes(fault.nodes)) this.#strike(node, fault);
    if (fault.kind === "cloned") this.#clone(fault);
    if (fault.kind === "deputy") this.#handOver(this.#nodes(fault.nodes));
    if (fault.kind === "rewound") this.#comeAround(fault);
  }

  #comeAround({ nodes, forMs }: Fault): void {
    for (const node of this.#nodes(nodes)) {
      for (const afterMs of REWIND_SWIPES_MS) this.#swipe(node, Math.max(0, forMs + afterMs), "somebody");
    }
  }

  #swipe(node: SimNode, afterMs: number, member: string): void {
    const swipe = { type: "swipe", body: { door: node.name, member } };
    this.#world.plan(this.#world.nowMs + afterMs, () => void node.process?.append("doors", [swipe]));
  }

  /** [L8] Another machine runs with a copy of the card, and people come to it. */
  #clone(fault: Fault): void {
    for (const node of this.#nodes(fault.nodes)) {
      const clone = this.#world.clone(node);
      this.#clones.set(fault, clone);
      clone.boot();
      for (let each = 1; each <= CLONE_SWIPES; each += 1)
        this.#swipe(clone, (fault.forMs * each) / (CLONE_SWIPES + 1), "a clone's");
    }
  }

  #strike(node: SimNode, { kind, amount, forMs }: Fault): void {
    switch (kind) {
      case "power":
        return node.hold(this.#tail());
      case "fsync":
        return node.cutAtFsync(amount, forMs);
      case "full":
        return node.setFull(true);
      case "clock":
        return amount === 0 ? node.setWall(0, 1) : node.setWall(undefined, BACKWARDS);
      case "restored":
      case "rewound":
        return node.takeImage();
      case "torn":
      case "flipped":
        node.hold(this.#tail());
        return node.damage((bytes) => this.#damage(bytes, kind, amount));
      default:
        return;
    }
  }

  #end(fault: Fault): void {
    this.#open.delete(fault);
    this.#network();
    if (fault.kind === "deputy") this.#handOver(this.#nodes(fault.nodes).reverse());
    const clone = this.#clones.get(fault);
    if (clone !== undefined) this.#world.endClone(clone);
    this.#clones.delete(fault);
    for (const node of this.#nodes(fault.nodes)) {
      if (fault.kind === "restored") node.putImageBack();
      if (fault.kind === "rewound") this.#world.rewind(node);
      if (fault.kind === "power" || fault.kind === "torn" || fault.kind === "flipped") node.release();
      if (fault.kind === "full") node.setFull(this.#has("full", node.name));
      if (fault.kind === "clock") node.setWall(undefined, 1);
    }
  }

  /** A torn page is half old; here half zeros, which is worse. */
  #damage(bytes: Uint8Array, kind: FaultKind, places: number): void {
    for (let place = 0; place < places; place += 1) {
      const at = Math.floor(this.#rng.next() * bytes.length);
      if (kind === "flipped") bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(this.#rng.next() * 8));
      else bytes.fill(0, at - (at % PAGE_BYTES), at - (at % PAGE_BYTES) + PAGE_BYTES / 2);
    }
  }

  #tail(): "none" | "part" | "all" {
    return (["none", "part", "all"] as const)[Math.floor(this.#rng.next() * 3)] ?? "none";
  }

  #nodes(names: readonly string[]): SimNode[] {
    return names.map((name) => this.#world.node(name));
  }

  #all(kind: Fault["kind"]): Fault[] {
    return [...this.#open].filter((fault) => fault.kind === kind);
  }

  #has(kind: FaultKind, node: string): boolean {
    return this.#all(kind).some(({ nodes }) => nodes.includes(node));
  }

  /** Brings the broker in line with the faults that are open. */
  #network(): void {
    const { broker } = this.#world;
    const most = (kind: FaultKind): number => Math.max(0, ...this.#all(kind).map(({ amount }) => amount));
    const queues = this.#all("overflow").map(({ amount }) => amount);
    broker.faults = {
      loss: most("loss"),
      duplication: most("duplication"),
      delayMsMin: DELAY_MS_MIN,
      delayMsMax: Math.max(DELAY_MS_MAX, most("reordering")),
      ...(queues.length === 0 ? {} : { queueMax: Math.min(...queues) }),
    };
    broker.partition(this.#groups());
    const deaf = this.#all("one-way").map(
      ({ nodes, amount }): Deafness => ({ nodes: new Set(nodes), hearNothing: amount < 0 }),
    );
    broker.isDeaf = (from, to) =>
      deaf.some(({ nodes, hearNothing }) =>
        hearNothing ? nodes.has(to) && !nodes.has(from) : nodes.has(from) && !nodes.has(to),
      );
    this.#brokerUp(this.#all("broker").length === 0);
    this.#world.isWhole = NETWORK_KINDS.every((kind) => this.#all(kind).length === 0);
  }

  /** Nodes are together when every open partition has them on the same side. */
  #groups(): string[][] {
    const partitions = this.#all("partition");
    const groups = new Map<string, string[]>();
    for (const { name } of this.#world.nodes) {
      const side = partitions.map(({ nodes }) => (nodes.includes(name) ? "x" : "y")).join("");
      groups.set(side, [...(groups.get(side) ?? []), name]);
    }
    return [...groups.values()];
  }

  #brokerUp(isUp: boolean): void {
    const { broker, nodes } = this.#world;
    if (broker.isUp === isUp) return;
    if (!isUp) return broker.stop();
    broker.restart();
    for (const node of nodes) {
      const afterMs = 500 + this.#rng.next() * 4000;
      this.#world.agenda.after(afterMs, () => node.process?.reconnect());
    }
  }
}
