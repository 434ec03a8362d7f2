/**
 * What one row of a doorbot access list is worth, whichever format it came in. Default deny [A1]: only
 * a row that is right in every part allows. No text made here holds a card's hash: SHA-224 of 24 bits is
 * undone in seconds, so it is as secret as the number itself [A6]. Pure.
 */

import { utf8 } from "../base/index.ts";

/** One card of the list. */
export interface DoorbotRow {
  readonly line: number;
  /** NFC. Empty when the row names nobody, or in a way in which nobody can be called. */
  readonly member: string;
  /** -2 to 4; undefined when the row does not say it. */
  readonly level: number | undefined;
  /** SHA-224 of the card's ten-digit number, 56 hex digits. */
  readonly hash: string;
  readonly verdict: "allowed" | "denied";
  /** Why an odd row is denied. */
  readonly reason?: string;
}

/** An odd row: where, what, and what became of it. */
export interface DoorbotProblem {
  readonly line: number;
  readonly what: string;
  /** `denied`: its card is. `ignored`: the row counts for nothing. `lowered`: its level is. */
  readonly effect: "denied" | "ignored" | "lowered";
}

/** A row as read, before judgement. `faults` are what the reader itself found wrong with it. */
export interface ReadRow {
  readonly line: number;
  readonly member: string | undefined;
  readonly level: string | number | undefined;
  readonly allowed: string | boolean | undefined;
  /** The field in which the hash belongs, or whatever text it may be told from. */
  readonly hash: string | undefined;
  readonly faults: readonly string[];
}

export interface JudgedRow {
  readonly row?: DoorbotRow;
  readonly problem?: DoorbotProblem;
}

export const DOORBOT_LEVEL_MIN = -2;
export const DOORBOT_LEVEL_MAX = 4;
/** What the membership dapp takes as a person's id, in UTF-8. */
export const MEMBER_BYTES_MAX = 64;

const HASH = /^[0-9a-f]{56}$/;
const HASH_LIKE = /(?<![0-9A-Za-z])[0-9a-fA-F]{56}(?![0-9A-Za-z])/g;

/** Judges one row by itself. A row from which no hash can be told names no card and is ignored. */
export function judgeRow(read: ReadRow): JudgedRow {
  const member = (read.member ?? "").normalize("NFC");
  const level = levelOf(read.level);
  const faults = [...read.faults, ...(read.faults.length === 0 ? fieldFaults(read, member, level) : [])];
  const hash = tellHash(read.hash ?? "");
  const { line } = read;
  if (hash === undefined) return { problem: { line, what: faults.join("; "), effect: "ignored" } };
  const row = { line, member: memberFault(member) === undefined ? member : "", level, hash };
  if (faults.length === 0) return { row: { ...row, verdict: read.allowed === "allowed" ? "allowed" : "denied" } };
  const reason = faults.join("; ");
  return { row: { ...row, verdict: "denied", reason }, problem: { line, what: reason, effect: "denied" } };
}

function fieldFaults(read: ReadRow, member: string, level: number | undefined): string[] {
  const faults: string[] = [];
  if (!HASH.test(read.hash ?? "")) faults.push("the card's hash is not 56 lower-case hex digits");
  if (read.allowed !== "allowed" && read.allowed !== "denied")
    faults.push(`allowed is ${show(read.allowed)}, neither "allowed" nor "denied"`);
  if (level === undefined)
    faults.push(
      `the level is ${show(read.level)}, not a whole number from ${DOORBOT_LEVEL_MIN} to ${DOORBOT_LEVEL_MAX}`,
    );
  const fault = memberFault(member);
  if (fault !== undefined) faults.push(fault);
  return faults;
}

/** Why nobody can be called that. */
function memberFault(member: string): string | undefined {
  if (member === "") return "the member's name is empty";
  if (/[\uFFFD\p{Surrogate}]/u.test(member)) return "the member's name is not UTF-8";
  return utf8(member).length > MEMBER_BYTES_MAX
    ? `the member's name has more than ${MEMBER_BYTES_MAX} bytes`
    : undefined;
}

function levelOf(level: string | number | undefined): number | undefined {
  const value = typeof level === "string" && /^(?:0|-?[1-9][0-9]?)$/.test(level) ? Number(level) : level;
  if (typeof value !== "number" || !Number.isInteger(value)) return undefined;
  if (value < DOORBOT_LEVEL_MIN || value > DOORBOT_LEVEL_MAX) return undefined;
  return value === 0 ? 0 : value; // JSON has a -0.
}

/** The one hash in a text, if there is exactly one; good enough to deny a card, never to allow it. */
function tellHash(text: string): string | undefined {
  const found = new Set((text.match(HASH_LIKE) ?? []).map((hash) => hash.toLowerCase()));
  return found.size === 1 ? [...found][0] : undefined;
}

/** A shifted row may have a card's number or hash in any field, so only harmless values are shown [A6]. */
function show(value: string | number | boolean | undefined): string {
  if (value === undefined) return "missing";
  if (typeof value === "boolean") return String(value);
  return /^(?:[A-Za-z ]{0,16}|-?[0-9]{1,3})$/.test(String(value)) ? JSON.stringify(String(value)) : "something else";
}
