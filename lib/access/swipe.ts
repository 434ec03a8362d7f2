/**
 * The event of one swipe as it stands in a door's log, and its replay: whoever holds the log and the
 * snapshots that it names can decide again and find an event that does not follow [A2]. It carries no
 * card number, only the keyed reference [A6]. Pure. Rules: docs/design/door.md.
 */
import { GdoError } from "../base/errors.ts";
import { type Hash, isHash } from "../base/hash.ts";
import type { Canonical } from "../codec/canonical.ts";
import { type Alarm, type ClockQuality, type Decision, decide, REASON_CODES, type ReasonCode } from "./decide.ts";
import type { FrameReason } from "./frame.ts";
import type { PolicyInForce } from "./policy.ts";

/** Act type of a swipe in an entry of the app "door". */
export const SWIPE_ACT = "swipe";

export type SwipeOutcome = "grant" | "deny" | "frame_error";

export interface SwipeEvent {
  readonly door: string;
  readonly reader: string;
  /** Wall time, ms since 1970, and how far it may be believed. */
  readonly at: number;
  readonly quality: ClockQuality;
  /** Monotonic ns of the last edge, good within one `boot`. */
  readonly mono: bigint;
  readonly boot: number;
  /** How many bits the reader sent; never which. */
  readonly bits: number;
  readonly outcome: SwipeOutcome;
  readonly reason: ReasonCode;
  readonly rule: string;
  readonly policy: Hash | null;
  readonly cred: string | null;
  readonly person: string | null;
  readonly alarm: Alarm | null;
  /** What else stood in the way; absent when nothing did. */
  readonly also?: readonly (readonly [reason: ReasonCode, rule: string])[];
  /** Last edge to decision. */
  readonly latencyUs: number;
}

type Circumstances = Omit<SwipeEvent, "outcome" | "reason" | "rule" | "policy" | "cred" | "person" | "alarm" | "also">;

/** Joins what happened with what was decided. */
export function swipeEvent(circumstances: Circumstances, decision: Decision): SwipeEvent {
  const { reason, rule, policy, credential, person, alarm, also = [] } = decision;
  const outcome = isFrameReason(reason) ? "frame_error" : decision.outcome;
  const references = { cred: credential ?? null, person: person ?? null, alarm: alarm ?? null };
  const others = also.map((each) => [each.reason, each.rule] as const);
  return {
    ...circumstances,
    outcome,
    reason,
    rule,
    policy,
    ...references,
    ...(others.length === 0 ? {} : { also: others }),
  };
}

function isFrameReason(reason: ReasonCode): reason is FrameReason {
  return reason === "frame_parity" || reason === "frame_length" || reason === "frame_fault";
}

/** The body of the act. */
export function encodeSwipe(event: SwipeEvent): Canonical {
  const isSmall = event.mono <= BigInt(Number.MAX_SAFE_INTEGER);
  const { also, ...rest } = event;
  const others = also === undefined ? {} : { also: also.map((each) => [...each]) };
  return { ...rest, ...others, mono: isSmall ? Number(event.mono) : event.mono };
}

const OUTCOMES: readonly unknown[] = ["grant", "deny", "frame_error"];
const QUALITIES: readonly unknown[] = ["system", "steered", "suspect"];
const ALARMS: readonly unknown[] = ["policy-stale", "policy-expired", "clock-suspect", "membership-grace", null];
const ALSO_MAX = 32;
const TEXT_MAX = 128;

const isText = (value: unknown): boolean => typeof value === "string" && value.length <= TEXT_MAX;
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

function areObjections(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > ALSO_MAX) return false;
  return value.every((each: unknown) => {
    if (!Array.isArray(each) || each.length !== 2) return false;
    return (REASON_CODES as readonly unknown[]).includes(each[0]) && isText(each[1]);
  });
}

/** One check a field; a body with more or fewer fields is refused. */
const CHECKS: { readonly [key in Exclude<keyof SwipeEvent, "also">]: (value: unknown) => boolean } = {
  door: isText,
  reader: isText,
  at: (value) => Number.isSafeInteger(value),
  quality: (value) => QUALITIES.includes(value),
  mono: (value) => typeof value === "bigint" || isCount(value),
  boot: isCount,
  bits: isCount,
  outcome: (value) => OUTCOMES.includes(value),
  reason: (value) => (REASON_CODES as readonly unknown[]).includes(value),
  rule: isText,
  policy: (value) => value === null || (typeof value === "string" && isHash(value)),
  cred: isTextOrNull,
  person: isTextOrNull,
  alarm: (value) => ALARMS.includes(value),
  latencyUs: isCount,
};

/** Reads the body of a swipe act; INPUT_INVALID names the field that is wrong. */
export function parseSwipe(body: Canonical): SwipeEvent {
  const isMap = typeof body === "object" && body !== null && !Array.isArray(body);
  const fields = isMap ? (body as Readonly<Record<string, Canonical>>) : {};
  const wrong = Object.entries(CHECKS).find(([key, check]) => !Object.hasOwn(fields, key) || !check(fields[key]));
  if (wrong !== undefined) throw new GdoError("INPUT_INVALID", `swipe: ${wrong[0]} is missing or malformed`);
  if (fields.also !== undefined && !areObjections(fields.also))
    throw new GdoError("INPUT_INVALID", "swipe: also is malformed");
  const strange = Object.keys(fields).find((key) => key !== "also" && !Object.hasOwn(CHECKS, key));
  if (strange !== undefined) throw new GdoError("INPUT_INVALID", `swipe: no field is called ${strange}`);
  return { ...fields, mono: BigInt(fields.mono as number | bigint) } as unknown as SwipeEvent;
}

/** The decision that must have been made, from what the event itself records. */
function redecide(event: SwipeEvent, inForce: PolicyInForce | undefined): Decision {
  const { door, at, quality, cred, reason } = event;
  const frame = isFrameReason(reason) ? ({ ok: false, reason } as const) : ({ ok: true } as const);
  return decide(inForce, { frame, door, wallMs: at, clockQuality: quality, ...(cred === null ? {} : { ref: cred }) });
}

const DECIDED = ["outcome", "reason", "rule", "policy", "cred", "person", "alarm"] as const;

/**
 * Decides again [A2]. `inForce` is the snapshot that the event names (undefined when it names none).
 * Gives undefined when the event follows, else what it says and what it should say.
 */
export function contradictionOf(event: SwipeEvent, inForce: PolicyInForce | undefined): string | undefined {
  const due = swipeEvent(event, redecide(event, inForce));
  const field = DECIDED.find((key) => event[key] !== due[key]);
  if (field !== undefined) return `${field} is ${event[field]}, but ${due[field]} follows`;
  const [said = "nothing", follows = "nothing"] = [textOf(event.also), textOf(due.also)];
  return said === follows ? undefined : `also is ${said}, but ${follows} follows`;
}

function textOf(also: SwipeEvent["also"]): string | undefined {
  return also?.map(([reason, rule]) => `${reason} (${rule})`).join(", ");
}
