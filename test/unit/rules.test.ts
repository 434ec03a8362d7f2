/**
 * Rules of the design pages have a letter and a number. Whatever cites one must cite one that exists,
 * and a rule that the code says it keeps must be named by a test.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";

const CITED = /\[([LTSDA]\d+)\]/g;
const STATED = /\*\*\[([LTSDA]\d+)\]\*\*/g; // A page states a rule where its number is bold.
const CODE = /\.(?:ts|mjs|cc|h|sh|sql)$/;

function filesUnder(folder: string, kind: RegExp): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => kind.test(path));
}

/** Rule → the files that match it. */
function rulesIn(paths: readonly string[], pattern: RegExp): Map<string, string[]> {
  const rules = new Map<string, string[]>();
  for (const path of paths) {
    for (const [, rule = ""] of readFileSync(path, "utf8").matchAll(pattern)) {
      rules.set(rule, [...(rules.get(rule) ?? []), path]);
    }
  }
  return rules;
}

const isTest = (path: string): boolean => /^test\/|\.test\.ts$/.test(path);
const code = ["lib", "native", "images", "test"].flatMap((folder) => filesUnder(folder, CODE));
const stated = rulesIn(filesUnder("docs/design", /\.md$/), STATED);

test("rules: every rule that code or a test cites is stated by a design page", (t) => {
  const cited = rulesIn(code, CITED);
  const unknown = [...cited].filter(([rule]) => !stated.has(rule));
  t.deepEqual(unknown, []);
});

test("rules: every rule that code cites is named by a test", (t) => {
  const kept = rulesIn(
    code.filter((path) => !isTest(path)),
    CITED,
  );
  const tested = rulesIn(code.filter(isTest), CITED);
  const untested = [...kept].filter(([rule]) => !tested.has(rule));
  t.deepEqual(untested, []);
});

test("rules: no rule is stated twice", (t) => {
  t.deepEqual(
    [...stated].filter(([, pages]) => pages.length > 1),
    [],
  );
});
