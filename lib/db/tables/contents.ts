/** Everything in a ledger that may name an object: bodies of blocks, values of states, what the device remembers. */
import { encodeCanonical } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";
import { byPages, compareText } from "../pages.ts";

const PAGE = 256;

interface StateRow {
  readonly branch: number;
  readonly app: string;
  readonly key: string;
  readonly value: Buffer;
}

type StatePlace = [branch: number, app: string, key: string];

const seqOf = ({ seq }: { readonly seq: number }): number => seq;
const placeOf = ({ branch, app, key }: StateRow): StatePlace => [branch, app, key];
const compareStates = (a: StatePlace, b: StatePlace): number =>
  a[0] - b[0] || compareText(a[1], b[1]) || compareText(a[2], b[2]);

/** Canonical bytes, one after the other; by pages, so that nothing is open between two steps of the caller. */
export function* contents({ raw }: Connection): Generator<Uint8Array> {
  const blocks = raw.prepare<[number], { seq: number; body: Buffer }>(
    `SELECT seq, body FROM blocks WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`,
  );
  const bySeq = {
    page: (after: number) => blocks.all(after),
    placeOf: seqOf,
    compare: (a: number, b: number) => a - b,
  };
  for (const rows of byPages(0, bySeq)) for (const { body } of rows) yield body;
  const states = raw.prepare<[number, string, string], StateRow>(
    `SELECT branch, app, key, value FROM state WHERE (branch, app, key) > (?, ?, ?) ORDER BY branch, app, key LIMIT ${PAGE}`,
  );
  const byKey = { page: (after: StatePlace) => states.all(...after), placeOf, compare: compareStates };
  for (const rows of byPages<StateRow, StatePlace>([-1, "", ""], byKey)) {
    for (const { key, value } of rows) {
      yield encodeCanonical(key);
      yield value;
    }
  }
  const meta = raw.prepare<[], { value: string }>("SELECT value FROM meta").all();
  for (const { value } of meta) yield encodeCanonical(value);
}
