/**
 * The decision at a door. Default deny [A1]; a pure function of the snapshot, the frame, the door and
 * the time with its quality [A2], so that any node can decide again what a door has logged. The steps
 * run in the order of docs/design/door.md and the first that does not pass gives the reason.
 */
import type { Hash } from "../base/hash.ts";
import type { CredentialRecord } from "./credential-table.ts";
import type { FrameReason } from "./frame.ts";
import type { Policy, PolicyInForce } from "./policy.ts";
import { type Objection, standingAt } from "./standing.ts";

/** Stable: logs, reports and translations rely on them [A1]. */
export const REASON_CODES = [
  "granted",
  "frame_parity",
  "frame_length",
  "frame_fault",
  "policy_missing",
  "policy_expired",
  "door_unknown",
  "unknown_credential",
  "credential_denied",
  "person_disabled",
  "membership_missing",
  "membership_expired",
  "level_too_low",
  "certificate_missing",
  "certificate_revoked",
  "certificate_expired",
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** How far a wall time may be believed: set by a person or NTP, driven by a line board, or doubtful. */
export type ClockQuality = "system" | "steered" | "suspect";

/** Something a person should look at, whatever the outcome. */
export type Alarm = "policy-stale" | "policy-expired" | "clock-suspect" | "membership-grace";

export interface DecisionInput {
  /** A ParsedFrame, or what a log keeps of one. */
  readonly frame: { readonly ok: true } | { readonly ok: false; readonly reason: FrameReason };
  /** Reference of the credential; present when the frame is whole. */
  readonly ref?: string;
  readonly door: string;
  readonly wallMs: number;
  readonly clockQuality: ClockQuality;
}

export interface Decision {
  readonly outcome: "grant" | "deny";
  readonly reason: ReasonCode;
  /** The rule that decided, named after the step that it is part of [A1]. */
  readonly rule: string;
  /** Name of the snapshot decided from; null when there was none, or no need of one. */
  readonly policy: Hash | null;
  readonly credential?: string;
  readonly person?: string;
  readonly alarm?: Alarm;
  /** What else stands in the way of this person at this door, so that they hear all of it at once. */
  readonly also?: readonly Objection[];
}

type Verdict = Pick<Decision, "reason" | "rule"> & Partial<Pick<Decision, "person" | "alarm" | "also">>;

/** Decides one swipe. Never throws, whatever the input; changes nothing. */
export function decide(inForce: PolicyInForce | undefined, input: DecisionInput): Decision {
  if (!input.frame.ok) return { outcome: "deny", reason: input.frame.reason, rule: "frame", policy: null };
  const credential = input.ref === undefined ? {} : { credential: input.ref };
  if (inForce === undefined)
    return { outcome: "deny", reason: "policy_missing", rule: "policy", policy: null, ...credential };
  const verdict = judge(inForce.policy, input);
  const outcome = verdict.reason === "granted" ? "grant" : "deny";
  return { outcome, policy: inForce.id, ...credential, ...verdict };
}

/** The snapshot is there and the frame is whole. */
function judge(policy: Policy, input: DecisionInput): Verdict {
  const alarm = alarmOf(policy, input);
  const card = input.ref === undefined ? undefined : policy.credentials.find(input.ref);
  const verdict = judgeLife(alarm, card) ?? judgeCard(policy, input, card);
  return alarm === undefined ? verdict : { ...verdict, alarm };
}

function alarmOf(policy: Policy, { wallMs, clockQuality }: DecisionInput): Alarm | undefined {
  if (wallMs >= policy.hardMs) return "policy-expired";
  if (wallMs >= policy.softMs) return "policy-stale";
  // A clock before the snapshot's own making is wrong: people still get in, and somebody is told.
  return clockQuality === "suspect" || wallMs < policy.issuedMs ? "clock-suspect" : undefined;
}

/** A snapshot past its hard expiry opens only to emergency credentials. */
function judgeLife(alarm: Alarm | undefined, card: CredentialRecord | undefined): Verdict | undefined {
  if (alarm !== "policy-expired" || card?.isEmergency === true) return undefined;
  return { reason: "policy_expired", rule: "policy" };
}

function judgeCard(policy: Policy, input: DecisionInput, card: CredentialRecord | undefined): Verdict {
  const door = policy.doors.get(input.door);
  if (door === undefined) return { reason: "door_unknown", rule: "door" };
  if (card === undefined) return { reason: "unknown_credential", rule: "credential" };
  const { id: person, isDisabled } = policy.people.at(card.personIndex);
  // The card before the person: a card struck out stays out while its holder is welcome.
  if (card.isDenied) return { reason: "credential_denied", rule: "credential", person };
  if (isDisabled) return { reason: "person_disabled", rule: "person", person };
  // The fire brigade pays no dues and takes no courses.
  const rule = card.isEmergency ? { minLevel: door.minLevel } : door;
  const { objections, isInGrace } = standingAt(policy, rule, card.personIndex, momentOf(policy, input));
  const [first, ...also] = objections;
  if (first !== undefined) return { ...first, person, ...(also.length === 0 ? {} : { also }) };
  const granted = { reason: "granted", rule: `level>=${door.minLevel}`, person } as const;
  return isInGrace ? { ...granted, alarm: "membership-grace" } : granted;
}

/**
 * The moment that dues and certificates are compared with. It cannot be earlier than the making of the
 * snapshot: a clock that fell back, as one without a battery does, brings nothing back that had ended by then.
 */
function momentOf({ issuedMs }: Policy, { wallMs }: DecisionInput): number {
  return Math.max(wallMs, issuedMs);
}
