/**
 * `npm test`: the checks, then every compiled test in its own process, then one line with the counts.
 * With CI=true a skipped test counts as failed: there, everything that a test needs must be present.
 */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { runChecks } from "./check.mjs";
import { sourceFiles } from "./structure.mjs";

const REPORT = "build/tests.tap";
const root = new URL("../../", import.meta.url).pathname;
const areSkipsFaults = process.env.CI === "true";

/**
 * Compiled names of the test files that exist now; dist/ may still hold some that are gone. The examples have
 * tests of their own, for node:test: `gdo dapp test` runs them.
 */
function testFiles() {
  const isTest = (path) => /^(?:test|images\/dapps)\/.*\.test\.ts$/.test(path);
  return sourceFiles(root)
    .filter(isTest)
    .map((path) => `dist/${path.replace(/\.ts$/, ".js")}`);
}

/** Counts the results in a TAP stream; shows what failed, with its details, and what was skipped. */
class TapReader {
  passed = 0;
  failed = 0;
  skipped = 0;
  #planned;
  #isShowing = false;

  line(text) {
    const result = /^(not )?ok \d+(?: - )?(.*)$/.exec(text);
    if (result !== null) this.#result(result[1] === undefined, result[2]);
    else if (/^1\.\.\d+/.test(text)) this.#planned = Number(text.slice(3).split(" ")[0]);
    else if (this.#isShowing && /^\s/.test(text)) console.log(text);
  }

  /** Adds the fault that no line of the stream told: it broke off, or ava failed on its own. */
  end(status) {
    const counted = this.passed + this.failed + this.skipped;
    const isWhole = this.#planned !== undefined && (this.failed > 0 || this.#planned === counted);
    if (isWhole && (status === 0 || this.failed > 0)) return;
    this.failed += 1;
    console.log(`FAIL test run: ${isWhole ? `ended with status ${status}` : "broke off before its end"}`);
  }

  #result(isOk, title) {
    const isSkipped = /# (?:SKIP|todo)/i.test(title);
    const isFault = !isOk || (isSkipped && areSkipsFaults);
    this.#isShowing = isFault;
    if (isFault) this.failed += 1;
    else if (isSkipped) this.skipped += 1;
    else this.passed += 1;
    if (isFault) console.log(`FAIL ${title}`);
    else if (isSkipped) console.log(`skip ${title}`);
  }
}

function runAva(files) {
  mkdirSync(`${root}build`, { recursive: true });
  const report = createWriteStream(root + REPORT);
  const tap = new TapReader();
  return new Promise((resolve) => {
    const child = spawn("node_modules/.bin/ava", ["--tap", ...files], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (text) => {
      report.write(`${text}\n`);
      tap.line(text);
    });
    child.on("close", (status) => {
      report.end();
      tap.end(status);
      resolve(tap);
    });
  });
}

const checks = await runChecks();
const files = testFiles();
console.log(`     tests: ${files.length} files; each result is in ${REPORT}`);
const tests = await runAva(files);
const failed = checks.failed + tests.failed;
const skips = tests.skipped === 0 ? "" : `, ${tests.skipped} skipped`;
console.log(`${checks.passed + tests.passed} passed, ${failed} failed${skips}`);
process.exitCode = failed === 0 ? 0 : 1;
