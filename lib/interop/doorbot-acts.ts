/**
 * An access list as acts of the membership dapp, cut into groups that each fit one entry. A member is one
 * person, however many cards. Pure.
 */
import type { DoorbotRow } from "./doorbot-rows.ts";
import { entryGroups } from "./entry-groups.ts";

/** One act for an entry's payload; fits the ledger's `Act`. */
export interface ImportAct {
  readonly type: "person.put" | "credential.put";
  readonly body: Readonly<Record<string, string | number>>;
}

/** For members none of whose rows says a readable level: doorbot's "none". */
const LEVEL_NONE = -1;

/**
 * Groups of acts, each for one entry, in order: a person always stands before their credentials.
 * `refOf` turns a SHA-224 (hex) into the credential's reference; the hash itself goes nowhere [A6].
 * A card without a member is left out: the door does not know it, so it is denied.
 */
export function importActs(rows: readonly DoorbotRow[], refOf: (sha224: string) => string): ImportAct[][] {
  const people = new Map<string, DoorbotRow[]>();
  for (const row of rows) {
    const held = people.get(row.member);
    if (held === undefined) people.set(row.member, [row]);
    else held.push(row);
  }
  people.delete("");
  // Rows of one card agree on the verdict by now; the first that names a member speaks for it.
  const taken = new Set<string>();
  const isFirst = ({ hash }: DoorbotRow): boolean => !taken.has(hash) && taken.add(hash).size > 0;
  return entryGroups(
    [...people].flatMap(([member, held]) => [
      personAct(member, held),
      ...held.filter(isFirst).map((row) => credentialAct(row, refOf)),
    ]),
  );
}

function personAct(member: string, held: readonly DoorbotRow[]): ImportAct {
  const levels = held.map((row) => row.level).filter((level) => level !== undefined);
  const level = levels.length === 0 ? LEVEL_NONE : Math.min(...levels);
  return { type: "person.put", body: { id: member, name: member, level, status: "active" } };
}

function credentialAct(row: DoorbotRow, refOf: (sha224: string) => string): ImportAct {
  const body = { ref: refOf(row.hash), person: row.member, status: row.verdict === "allowed" ? "active" : "denied" };
  return {
    type: "credential.put",
    body: row.reason === undefined ? body : { ...body, note: row.reason.slice(0, 200) },
  };
}
