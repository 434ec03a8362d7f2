/** Patterns of .gdoignore against git's own opinion on the same lines in a .gitignore. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { matchesPattern, parseIgnoreFile } from "../../lib/store/capture/ignore-pattern.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const PIECES = ["a", "b", "ab", "*", "**", "?", "/", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "[[:alpha:]]", "[", "]"];
const MORE = ["!", "#", "\\", "\\*", "\\!", " ", "\\ ", ".", "-", "[a\\]]", "[b-]", "[[:nope:]]", "\r", "[a/b]"];
const line = fc.array(fc.constantFrom(...PIECES, "/", "a", "**/", "/**", ...MORE), { minLength: 1, maxLength: 6 });
/**
 * Where `**` follows a plain character, git leaves that character out of the match and finds more than its
 * page says; `**` before an escaped slash is not the `**` before a slash.
 */
const GIT_QUIRK = /[^/]\*\*|\\\//;
const lines = fc.array(
  line.map((pieces) => pieces.join("")).filter((text) => !GIT_QUIRK.test(text)),
  { minLength: 1, maxLength: 4 },
);
const PATHS = [
  "a",
  "b",
  "ab",
  "c",
  "-",
  "a b",
  "a ",
  "*",
  "]",
  "!a",
  "#",
  "d/a",
  "d/b",
  "d/ab",
  "d/e/a",
  "a/b",
  "b/a/b",
  "d/e/ab",
];

/** What a later pattern says holds; what lies in an ignored folder is ignored. */
function isIgnored(text: string, path: string): boolean {
  const patterns = parseIgnoreFile(Buffer.from(text));
  const names = path.split("/");
  return names.some((_, index) => {
    const upTo = names.slice(0, index + 1);
    const last = patterns.findLast((pattern) => matchesPattern(pattern, upTo, index + 1 < names.length));
    return last !== undefined && !last.isNegated;
  });
}

test("any patterns leave out what git ignores by them", async (t) => {
  const base = await temporaryFolder(t);
  execFileSync("git", ["init", "-q", base]);
  const repositories = PATHS.filter((path) => !PATHS.some((other) => other.startsWith(`${path}/`)));
  for (const path of repositories) {
    mkdirSync(join(base, dirname(path)), { recursive: true });
    writeFileSync(join(base, path), "");
  }
  const property = fc.property(lines, (patterns) => {
    const text = patterns.join("\n");
    writeFileSync(join(base, ".git/info/exclude"), text);
    const listed = execFileSync("git", ["-C", base, "ls-files", "-z", "--others", "--exclude-standard"]);
    const kept = repositories.filter((path) => !isIgnored(text, path));
    t.deepEqual(kept.toSorted(), listed.toString().split("\0").filter(Boolean).toSorted(), JSON.stringify(text));
  });
  fc.assert(property, { numRuns: 300 });
});

test("a pattern made to be slow is not", (t) => {
  const [pattern] = parseIgnoreFile(Buffer.from(`${"*a".repeat(100)}b`));
  t.false(matchesPattern(pattern!, ["a".repeat(255)], false));
  const [deep] = parseIgnoreFile(Buffer.from(`${"**/a/".repeat(60)}b`));
  t.false(matchesPattern(deep!, new Array(2000).fill("a"), false));
});
