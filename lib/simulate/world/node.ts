/** A node of the simulated world: its card, its clock, and its process while one runs. */
import type { Cancel, Rng } from "../../base/index.ts";
import type { Block } from "../../codec/index.ts";
import { type LedgerDb, PowerCut, type Tail } from "../../db/index.ts";
import type { NodeApps } from "../../node/index.ts";
import type { MemoryBroker } from "../../sync/index.ts";
import type { Agenda } from "../time/agenda.ts";
import { NodeClock } from "../time/node-clock.ts";
import { Card } from "./card.ts";
import type { Member } from "./organisation.ts";
import { Process, type ProcessWatch } from "./process.ts";

export interface NodeOptions {
  readonly member: Member;
  readonly charter: Block;
  readonly agenda: Agenda;
  readonly apps: NodeApps;
  readonly broker: MemoryBroker;
  readonly rng: Rng;
  /** What the wall clocks said when the world began. */
  readonly startMs: number;
  readonly watch: ProcessWatch;
  readonly isLiar: () => boolean;
  /** Its card is damaged and about to be thrown away. */
  readonly cardLost: () => void;
  /** Something happened to the node, for the timeline. */
  readonly tell: (what: string) => void;
  /** A copy of another node's card, in a machine of its own. */
  readonly clone?: { readonly card: Card; readonly machine: string };
}

/** A machine that lost power is back after so long when no fault says otherwise. */
const REBOOT_MS = 20_000;

export class SimNode {
  readonly name: string;
  readonly member: Member;
  readonly #options: NodeOptions;
  #card: Card;
  #image: { readonly card: Card; readonly mark: number } | undefined;
  /** What tells that files were put back [L8]: no program can undo it. */
  #mark = 0;
  #marks = 0;
  #process: Process | undefined;
  #wall: { readonly atMs: number; readonly pace: number } | undefined;
  /** Fsyncs until the power fails; below 0: fails after the one. */
  #fsyncs = 0;
  #downMs = 0;
  #cancelReboot: Cancel = () => {};
  /** Faults that keep it down. */
  #holds = 0;
  #isFull = false;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.member = options.member;
    this.#card = options.clone?.card ?? Card.blank();
    this.name = options.member.name;
  }

  /** While it runs. */
  get process(): Process | undefined {
    return this.#process;
  }

  get db(): LedgerDb | undefined {
    return this.#process?.parts.db;
  }

  boot(): void {
    if (this.#process !== undefined || this.#holds > 0) return;
    const { charter, agenda, apps, broker, rng, watch, isLiar, startMs } = this.#options;
    const clock = new NodeClock(agenda, startMs);
    if (this.#wall !== undefined) clock.setWall(this.#wall.atMs, this.#wall.pace);
    const { db, store } = this.#openCard();
    try {
      const disk = this.#options.clone?.machine ?? this.name;
      const place = { disk, mark: String(this.#mark) };
      const own = { member: this.member, place, clock, rng, watch, isLiar };
      this.#process = new Process({ ...own, charter, db, store, apps, broker });
      this.#process.start();
    } catch (error) {
      clock.stop();
      if (!(error instanceof PowerCut)) throw error; // Cut while it started: the rest of it is planned.
      this.#card.end("none");
    }
  }

  /** A card that was damaged is checked; one that is not sound is replaced, and its log begun anew. */
  #openCard(): ReturnType<Card["open"]> {
    const onFsync = (): "before" | "after" | undefined => this.#atFsync();
    if (this.#card.isSuspect) {
      this.#card.isSuspect = false;
      if (!isSound(this.#card)) {
        this.#options.tell("the card is damaged: replaced");
        this.#options.cardLost();
        this.replaceCard();
      } else this.#options.tell("the damage struck nothing that is in use");
    }
    return this.#card.open(onFsync);
  }

  /** The process ends; the machine stays off. */
  powerCut(tail: Tail): void {
    if (this.#process === undefined) return;
    this.#process.end();
    this.#process = undefined;
    this.#card.end(tail);
  }

  /** Off until released as often as held. */
  hold(tail: Tail): void {
    this.#holds += 1;
    this.powerCut(tail);
  }

  release(): void {
    this.#holds -= 1;
    this.boot();
  }

  /** The power fails at one of the next fsyncs, and stays away. */
  cutAtFsync(count: number, downMs: number): void {
    this.#fsyncs = count;
    this.#downMs = downMs;
  }

  #atFsync(): "before" | "after" | undefined {
    if (this.#fsyncs === 0) return undefined;
    const isAfter = this.#fsyncs < 0;
    this.#fsyncs += isAfter ? 1 : -1;
    if (this.#fsyncs !== 0) return undefined;
    const process = this.#process;
    if (process !== undefined) process.isAlive = false; // Nothing more leaves it, though its code runs to the next pause.
    const { agenda, rng, tell } = this.#options;
    const tail = (["none", "part", "all"] as const)[Math.floor(rng.next() * 3)] ?? "none";
    agenda.after(0, () => {
      tell(`the power failed at an fsync, ${isAfter ? "after" : "before"} it was done`);
      this.hold(tail);
      this.#cancelReboot = agenda.after(this.#downMs + REBOOT_MS, () => this.release());
    });
    return isAfter ? "after" : "before";
  }

  /** Every fault of its own is over: it runs. */
  recover(): void {
    this.#cancelReboot();
    this.#fsyncs = 0;
    this.#holds = 0;
    this.boot();
  }

  setWall(atMs: number | undefined, pace: number): void {
    this.#wall = atMs === undefined ? undefined : { atMs, pace };
    const { agenda, startMs } = this.#options;
    this.#process?.parts.clock.setWall(atMs ?? startMs + agenda.nowMs, pace);
  }

  setFull(isFull: boolean): void {
    if (this.#isFull === isFull) return;
    this.#isFull = isFull;
    this.#card.setFull(isFull);
  }

  /** What is on its card now; the machine is off for a moment. */
  copyCard(): Card {
    this.hold("all");
    const copy = this.#card.copy();
    this.release();
    return copy;
  }

  /** As it is now, for `putImageBack`. */
  takeImage(): void {
    this.#image?.card.close();
    this.#image = { mark: this.#mark, card: this.copyCard() };
  }

  /** Last week's card. What was signed since and reached nobody is lost. `isExact`: byte for byte, so that nothing tells. */
  putImageBack(isExact = false): void {
    const image = this.#image;
    if (image === undefined) return;
    this.#image = undefined;
    this.hold("all");
    this.#options.cardLost();
    this.#options.tell(`the card is as it was before${isExact ? ", byte for byte" : ""}`);
    this.#card.close();
    this.#card = image.card;
    this.#card.setFull(this.#isFull);
    this.#marks += 1;
    this.#mark = isExact ? image.mark : this.#marks;
    this.release();
  }

  /** While it is off: a new card with nothing on it. */
  replaceCard(): void {
    this.#card.close();
    this.#card = Card.blank();
  }

  /** While it is off. */
  damage(change: (bytes: Uint8Array) => void): void {
    this.#card.damage(change);
  }

  close(): void {
    this.powerCut("all");
    this.#card.close();
    this.#image?.card.close();
  }
}

function isSound(card: Card): boolean {
  try {
    const { db } = card.open(() => undefined);
    return db.verify().bad.length === 0;
  } catch {
    return false; // Whatever it throws, the operator sees that it does not start.
  } finally {
    card.end("all");
  }
}
