/** docs/errors.md and the table of error codes list each other, with the same exit statuses. */
import { readFileSync } from "node:fs";
import test from "ava";
import { ERROR_CODES } from "../../lib/base/index.ts";

/** Rows of the page's tables: `| CODE | status | ...`. */
function documented(): [code: string, status: number][] {
  const rows = readFileSync("docs/errors.md", "utf8").matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm);
  return [...rows].map(([, code, status]) => [code ?? "", Number(status)]);
}

test("errors: the page names each code once", (t) => {
  const codes = documented().map(([code]) => code);
  t.deepEqual(codes, [...new Set(codes)]);
  t.deepEqual(codes.toSorted(), Object.keys(ERROR_CODES).toSorted());
});

test("errors: the page gives the exit status that the code gives", (t) => {
  t.deepEqual(Object.fromEntries(documented()), { ...ERROR_CODES });
});

test("errors: no two codes share an exit status, and each fits one byte", (t) => {
  const statuses: number[] = Object.values(ERROR_CODES);
  t.is(new Set(statuses).size, statuses.length);
  t.true(statuses.every((status) => status >= 1 && status <= 125)); // Above that, shells speak for themselves.
});
