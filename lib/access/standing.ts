/**
 * What a person lacks at a door: dues, level, certificates, in this order, each with its reason and its rule.
 * Pure: the moment is handed in. Rules: docs/design/door.md.
 */
import type { ReasonCode } from "./decide.ts";
import type { DoorRule, Policy } from "./policy.ts";
import { TERM_MEMBERSHIP, UNTIL_REVOKED } from "./terms-table.ts";

/** One thing that stands in the way. */
export interface Objection {
  readonly reason: ReasonCode;
  readonly rule: string;
}

export interface Standing {
  /** Empty: nothing does. */
  readonly objections: readonly Objection[];
  /** Dues have lapsed and the door's time of grace has not. */
  readonly isInGrace: boolean;
}

/** `person` is an index into the snapshot's people. */
export function standingAt(policy: Policy, rule: DoorRule, person: number, atMs: number): Standing {
  const { level } = policy.people.at(person);
  const { minLevel, graceMs, certificates = [] } = rule;
  const paidMs = graceMs === undefined ? undefined : policy.terms.until(person, TERM_MEMBERSHIP);
  const objections = [
    ...(graceMs === undefined ? [] : duesObjection(paidMs, graceMs, atMs)),
    ...(level < minLevel ? [{ reason: "level_too_low", rule: `level>=${minLevel}` } as const] : []),
    ...certificates.flatMap((course) => certificateObjection(policy, course, person, atMs)),
  ];
  return { objections, isInGrace: paidMs !== undefined && paidMs <= atMs };
}

function duesObjection(paidMs: number | undefined, graceMs: number, atMs: number): Objection[] {
  if (paidMs === undefined) return [{ reason: "membership_missing", rule: "membership" }];
  return atMs < paidMs + graceMs ? [] : [{ reason: "membership_expired", rule: "membership" }];
}

function certificateObjection(policy: Policy, course: string, person: number, atMs: number): Objection[] {
  const untilMs = policy.terms.until(person, policy.courses.indexOf(course) + 1);
  const rule = `certificate:${course}`;
  if (untilMs === undefined) return [{ reason: "certificate_missing", rule }];
  if (untilMs === UNTIL_REVOKED) return [{ reason: "certificate_revoked", rule }];
  return untilMs <= atMs ? [{ reason: "certificate_expired", rule }] : [];
}
