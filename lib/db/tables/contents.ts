/** Everything in a ledger that may name an object: bodies of blocks, values of states, what the device remembers. */
import { encodeCanonical } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";

const PAGE = 256;

interface StateRow {
  readonly branch: number;
  readonly app: string;
  readonly key: string;
  readonly value: Buffer;
}

/** Canonical bytes, one after the other; by pages, so that nothing is open between two steps of the caller. */
export function* contents({ raw }: Connection): Generator<Uint8Array> {
  const blocks = raw.prepare<[number], { seq: number; body: Buffer }>(
    `SELECT seq, body FROM blocks WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`,
  );
  for (let seq = 0; ; ) {
    const rows = blocks.all(seq);
    for (const { body } of rows) yield body;
    const last = rows.at(-1);
    if (last === undefined) break;
    seq = last.seq;
  }
  const states = raw.prepare<[number, string, string], StateRow>(
    `SELECT branch, app, key, value FROM state WHERE (branch, app, key) > (?, ?, ?) ORDER BY branch, app, key LIMIT ${PAGE}`,
  );
  for (let after: [number, string, string] = [-1, "", ""]; ; ) {
    const rows = states.all(...after);
    for (const { key, value } of rows) {
      yield encodeCanonical(key);
      yield value;
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = [last.branch, last.app, last.key];
  }
  const meta = raw.prepare<[], { value: string }>("SELECT value FROM meta").all();
  for (const { value } of meta) yield encodeCanonical(value);
}
