/**
 * Rules of the design pages have a letter and a number. Whatever cites one must cite one that exists,
 * and a rule that the code says it keeps must be named by a test.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";

const CITED = /\[([LTSDAN]\d+)\]/g;
const STATED = /\*\*\[([LTSDAN]\d+)\]\*\*/g; // A page states a rule where its number is bold.
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

/** One line for each rule that is not among `known`: the rule and where it stands. */
function strangers(rules: Map<string, string[]>, known: Map<string, string[]>): string[] {
  const unknown = [...rules].filter(([rule]) => !known.has(rule));
  return unknown.map(([rule, paths]) => `${rule}: ${[...new Set(paths)].join(", ")}`).toSorted();
}

test("rules: every rule that code or a test cites is stated by a design page", (t) => {
  t.deepEqual(strangers(rulesIn(code, CITED), stated), []);
});

test("rules: every rule that code cites is named by a test", (t) => {
  const keepers = code.filter((path) => !isTest(path));
  const tests = code.filter(isTest);
  t.deepEqual(strangers(rulesIn(keepers, CITED), rulesIn(tests, CITED)), []);
});

test("rules: no rule is stated twice", (t) => {
  const twice = [...stated].filter(([, pages]) => pages.length > 1);
  t.deepEqual(twice, []);
});
