/**
 * Until when people's dues are paid and their certificates hold: fixed records in one byte string, sorted by
 * person and term, searched in place. Times, never states: the door compares them with its own clock, so
 * that what lapses while it is cut off has lapsed. Pure.
 *
 *   record: index of the person (u32 big-endian) | term (u16) | until, ms since 1970 (u48)
 *
 * Term 0 is membership, term n the n-th of the snapshot's courses. 0 is a certificate that was revoked,
 * 2^48 - 1 never ends.
 */
import { GdoError } from "../base/errors.ts";

const TERM_AT = 4;
const UNTIL_AT = 6;
const TERM_RECORD_BYTES = 12;
const U32 = 2 ** 32;

export const TERM_MEMBERSHIP = 0;
/** A certificate that was taken back. */
export const UNTIL_REVOKED = 0;
/** Does not end. */
export const UNTIL_FOREVER = 2 ** 48 - 1;
export const COURSES_MAX = 65_535;

/** One term as the compiler of a snapshot gives it. */
export interface TermRow {
  readonly person: string;
  /** A course; without one it is membership. */
  readonly course?: string;
  readonly untilMs: number;
}

interface Term {
  readonly person: number;
  readonly term: number;
  readonly untilMs: number;
}

/** Packs rows; those of people or courses that the snapshot does not have are left out. INPUT_INVALID on a row that stands twice. */
export function packTerms(
  rows: readonly TermRow[],
  personIndex: (id: string) => number | undefined,
  courses: readonly string[],
): Uint8Array {
  const termOf = new Map(courses.map((course, index) => [course, index + 1]));
  const terms = rows.flatMap(({ person: id, course, untilMs }): Term[] => {
    const person = personIndex(id);
    const term = course === undefined ? TERM_MEMBERSHIP : termOf.get(course);
    return person === undefined || term === undefined ? [] : [{ person, term, untilMs }];
  });
  terms.sort((a, b) => a.person - b.person || a.term - b.term);
  const view = new DataView(new ArrayBuffer(terms.length * TERM_RECORD_BYTES));
  for (const [index, each] of terms.entries()) {
    const next = terms[index + 1];
    if (next?.person === each.person && next.term === each.term)
      throw new GdoError("INPUT_INVALID", `term ${each.term} of person ${each.person} stands twice`);
    write(view, index * TERM_RECORD_BYTES, each);
  }
  return new Uint8Array(view.buffer);
}

function write(view: DataView, at: number, { person, term, untilMs }: Term): void {
  if (!Number.isSafeInteger(untilMs) || untilMs < 0 || untilMs > UNTIL_FOREVER)
    throw new GdoError("INPUT_INVALID", `no moment: ${untilMs}`);
  view.setUint32(at, person);
  view.setUint16(at + TERM_AT, term);
  view.setUint16(at + UNTIL_AT, Math.floor(untilMs / U32));
  view.setUint32(at + UNTIL_AT + 2, untilMs % U32);
}

/** A read-only view on packed terms. */
export class TermTable {
  readonly #view: DataView;
  readonly size: number;

  /** Checks every record, since look-ups rely on the order; POLICY_INVALID. */
  constructor(bytes: Uint8Array, { people, courses }: { people: number; courses: number }) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.size = bytes.length / TERM_RECORD_BYTES;
    if (!Number.isInteger(this.size)) throw new GdoError("POLICY_INVALID", "the table of terms is cut short");
    for (let index = 0; index < this.size; index += 1) {
      const { person, term } = this.#at(index);
      const isKnown = person < people && term <= courses;
      const isAfter = index === 0 || compare(this.#at(index - 1), { person, term }) < 0;
      if (!isKnown || !isAfter)
        throw new GdoError("POLICY_INVALID", `term record ${index} is malformed or out of order`);
    }
  }

  #at(index: number): Term {
    const at = index * TERM_RECORD_BYTES;
    const untilMs = this.#view.getUint16(at + UNTIL_AT) * U32 + this.#view.getUint32(at + UNTIL_AT + 2);
    return { person: this.#view.getUint32(at), term: this.#view.getUint16(at + TERM_AT), untilMs };
  }

  /** Until when; undefined where there is nothing. Binary search. */
  until(person: number, term: number): number | undefined {
    let low = 0;
    let high = this.size - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#at(middle);
      const order = compare(found, { person, term });
      if (order === 0) return found.untilMs;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}

function compare(a: Omit<Term, "untilMs">, b: Omit<Term, "untilMs">): number {
  return a.person - b.person || a.term - b.term;
}
