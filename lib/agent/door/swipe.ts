/**
 * One swipe, from frame to strike: parse, decide, append, energise, in that order [A3]. A grant that
 * cannot be logged opens nothing unless the door is configured so.
 */
import {
  type ClockQuality,
  type CredentialMac,
  credentialRef,
  type Decision,
  decide,
  encodeSwipe,
  type ParsedFrame,
  type PolicyInForce,
  parseFrame,
  SWIPE_ACT,
  swipeEvent,
} from "../../access/index.ts";
import type { Clock, Log } from "../../base/index.ts";
import type { FrameReport, ReaderFrame } from "../../device/index.ts";
import type { DoorLatch } from "./latch.ts";
import type { DoorLog } from "./log.ts";

export interface SwipeContext {
  readonly log: Log;
  readonly mac: CredentialMac;
  readonly doorLog: Pick<DoorLog, "append">;
  readonly boot: number;
  readonly clockQuality: ClockQuality;
  /** A clock that nothing steers, for measuring. */
  readonly stopwatch: Clock;
  readonly onLogFailure: "deny" | "open";
  inForce(): PolicyInForce | undefined;
}

/** The door at which a reader hangs. */
export interface DoorPoint {
  readonly id: string;
  readonly latch: Pick<DoorLatch, "grant">;
  readonly unlockMs: number;
}

const NS_PER_US = 1000n;

function microseconds(fromNs: bigint, toNs: bigint): number {
  return Math.max(0, Number((toNs - fromNs) / NS_PER_US));
}

/** Deals with one frame at one door; the report goes back to whoever plays the hardware. */
export async function handleSwipe(context: SwipeContext, door: DoorPoint, frame: ReaderFrame): Promise<FrameReport> {
  const { stopwatch } = context;
  const startNs = stopwatch.monoNs();
  const decision = decideFrame(context, door.id, frame);
  const decidedNs = stopwatch.monoNs();
  const latencyUs = microseconds(frame.lastEdgeStopwatchNs, decidedNs);
  const logged = record(context, { door: door.id, frame, latencyUs }, decision);
  const mayOpen = decision.outcome === "grant" && (logged !== null || context.onLogFailure === "open");
  const isOpen = mayOpen && (await unlock(context, door));
  const edgeToStrikeUs = isOpen ? microseconds(frame.lastEdgeStopwatchNs, stopwatch.monoNs()) : null;
  const reasons = [decision.reason, ...(decision.also ?? []).map(({ reason }) => reason)];
  return { logged, edgeToStrikeUs, decisionUs: microseconds(startNs, decidedNs), reasons };
}

function decideFrame(context: SwipeContext, door: string, { bits, fault, wallMs }: ReaderFrame): Decision {
  const frame: ParsedFrame = parseFrame(bits, fault);
  const ref = frame.ok ? { ref: credentialRef(context.mac, frame.credential) } : {};
  return decide(context.inForce(), { frame, ...ref, door, wallMs, clockQuality: context.clockQuality });
}

interface Seen {
  readonly door: string;
  readonly frame: ReaderFrame;
  readonly latencyUs: number;
}

/** The entry's number, or null when it could not be kept. */
function record(context: SwipeContext, { door, frame, latencyUs }: Seen, decision: Decision): number | null {
  const { boot, clockQuality: quality } = context;
  const { reader, wallMs: at, lastEdgeNs: mono, bits } = frame;
  const event = swipeEvent({ door, reader, at, quality, mono, boot, bits: bits.length, latencyUs }, decision);
  try {
    return context.doorLog.append({ type: SWIPE_ACT, body: encodeSwipe(event) }).n;
  } catch (cause) {
    const then = context.onLogFailure === "open" ? "grants open unlogged" : "nothing opens";
    context.log.error(`alarm: the door's log cannot be written; ${then}`, { door, cause: String(cause) });
    return null;
  }
}

async function unlock({ log }: SwipeContext, { id, latch, unlockMs }: DoorPoint): Promise<boolean> {
  try {
    return await latch.grant(unlockMs);
  } catch (cause) {
    log.error("a granted door did not open", { door: id, cause: String(cause) });
    return false;
  }
}
