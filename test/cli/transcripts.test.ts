import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { matches, run, settled, stepsOf } from "../support/transcript.ts";

const PROJECT = new URL("../../../", import.meta.url); // From dist/test/cli.
const PAGES = fileURLToPath(new URL("test/cli/", PROJECT));
const binFolder = fileURLToPath(new URL("bin", PROJECT));

for (const page of readdirSync(PAGES).filter((name) => name.endsWith(".md"))) {
  test.serial(`transcript ${page}`, (t) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "gdo-cli-")));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const steps = stepsOf(readFileSync(join(PAGES, page), "utf8"));
    t.true(steps.length > 0, "a page without commands shows nothing");
    for (const step of steps) {
      const actual = run(step, { folder, binFolder });
      const expected = step.expected.trimEnd();
      const isSame = matches(actual, expected);
      if (!isSame) t.is(actual, expected, `${page}:${step.line}: $ ${step.command}`);
      if (!isSame) return;
    }
  });
}

test("a transcript that differs in one line, one more line or the status does not match", (t) => {
  t.true(matches("a 1 b\nc", "a [..] b\nc"));
  t.false(matches("a 1 b\nd", "a [..] b\nc"));
  t.false(matches("a\nb", "a"));
  t.false(matches("a\n[1]", "a"));
  t.false(matches("a.b", "axb"));
});

test("hashes, times and the folder are taken out of what a run printed", (t) => {
  t.is(settled(`${"ab".repeat(32)} 2026-01-02 03:04:05 /tmp/x/home\n`, "/tmp/x"), "HASH TIME DIR/home");
});
