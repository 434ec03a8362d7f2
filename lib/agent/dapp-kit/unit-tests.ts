/** A dapp's own unit tests, outside any container, by what its language has for that. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleTest } from "./project.ts";

const TSC = fileURLToPath(new URL("../../../../node_modules/.bin/tsc", import.meta.url)); // From dist/lib/agent/dapp-kit.
const WORDS_MAX = 64 * 1024;

export interface UnitRun {
  readonly command: string;
  readonly isPassed: boolean;
  /** What it printed. */
  readonly words: string;
}

/** Runs all that the folder's test/ has: test*.py, *.test.ts and *.sh; types of a tsconfig.json first. */
export async function runUnitTests(folder: string): Promise<UnitRun[]> {
  const tests = existsSync(join(folder, "test")) ? readdirSync(join(folder, "test")) : [];
  const runs: UnitRun[] = [];
  // Types of Node.js are there where gdo was set up for development.
  const hasTypes = existsSync(join(folder, "node_modules/@types/node")) && existsSync(TSC);
  if (hasTypes && existsSync(join(folder, "tsconfig.json"))) {
    runs.push(await perform("tsc", [TSC, "-p", folder], folder, process.execPath));
  }
  if (tests.some((name) => /^test.*\.py$/.test(name))) {
    runs.push(
      await perform("python3 -m unittest discover test", ["-m", "unittest", "discover", "test"], folder, "python3"),
    );
  }
  if (tests.some((name) => name.endsWith(".test.ts"))) runs.push(await runTypeScript(folder, tests));
  for (const name of tests.filter((each) => each.endsWith(".sh"))) {
    runs.push(await perform(`sh test/${name}`, [join("test", name)], folder, "sh"));
  }
  return runs;
}

async function runTypeScript(folder: string, tests: readonly string[]): Promise<UnitRun> {
  const built = mkdtempSync(join(tmpdir(), "gdo-dapp-test-"));
  try {
    const files: string[] = [];
    for (const name of tests.filter((each) => each.endsWith(".test.ts"))) {
      const file = join(built, `${name.slice(0, -".ts".length)}.mjs`);
      await bundleTest(join(folder, "test", name), file);
      files.push(file);
    }
    return await perform("node --test test", ["--test", ...files], folder, process.execPath);
  } catch (cause) {
    return { command: "node --test test", isPassed: false, words: (cause as Error).message };
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}

function perform(command: string, args: readonly string[], cwd: string, program: string): Promise<UnitRun> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let words = "";
  const take = (bytes: Buffer): void => {
    words = (words + bytes.toString("utf8")).slice(-WORDS_MAX);
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  return new Promise((settle) => {
    child.once("error", (error) =>
      settle({ command, isPassed: false, words: `cannot run ${program}: ${error.message}` }),
    );
    child.once("close", (status) => settle({ command, isPassed: status === 0, words }));
  });
}
