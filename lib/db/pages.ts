/** Reading a table by pages, so that nothing is open between two steps of the caller. */
import { GdoError } from "../base/index.ts";

export interface Paging<Row, Place> {
  /** Some of the rows after a place, in order; none at the end. */
  readonly page: (after: Place) => readonly Row[];
  readonly placeOf: (row: Row) => Place;
  /** As the table orders them. */
  readonly compare: (a: Place, b: Place) => number;
}

/** All pages after `start`. LEDGER_CORRUPT where one leads back: in a damaged file they could go round for ever. */
export function* byPages<Row, Place>(
  start: Place,
  { page, placeOf, compare }: Paging<Row, Place>,
): Generator<readonly Row[]> {
  for (let after = start; ; ) {
    const rows = page(after);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = further(after, placeOf(last), compare);
  }
}

/** `next`, which must come after `before`. LEDGER_CORRUPT. */
export function further<Place>(before: Place, next: Place, compare: (a: Place, b: Place) => number): Place {
  if (compare(next, before) > 0) return next;
  throw new GdoError("LEDGER_CORRUPT", "rows are out of order", { hint: "gdo verify" });
}

/** As SQLite orders text: by its bytes. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
