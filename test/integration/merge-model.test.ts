/** The model of propose, attest, lock and commit, searched through by Spin: agreement, and what it hangs on. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { temporaryFolder } from "../support/temporary-folder.ts";

const run = promisify(execFile);
const MODEL = fileURLToPath(new URL("../../../test/model/merge.pml", import.meta.url));
const DEPTH_MAX = 1_000;

/** The verifier's own summary of its search. */
async function search(t: ExecutionContext, ...macros: string[]): Promise<{ errors: number; isWhole: boolean }> {
  const cwd = await temporaryFolder(t);
  await run("spin", [...macros, "-a", MODEL], { cwd });
  await run("gcc", ["-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"], { cwd });
  // Invalid ends are none here: a validator may stop anywhere.
  const { stdout } = await run(join(cwd, "pan"), ["-E", `-m${DEPTH_MAX}`], { cwd });
  const errors = /errors: (\d+)/.exec(stdout)?.[1];
  t.not(errors, undefined, stdout);
  return { errors: Number(errors), isWhole: !/not completed|too small|max search depth/.test(stdout) };
}

test("[L16] no two merges are final among four validators of whom one lies, in any run of three rounds", async (t) => {
  t.deepEqual(await search(t), { errors: 0, isWhole: true });
});

for (const macro of ["NO_LOCK", "OLD_PROOF", "FORGET", "ONE_PHASE", "LATE_COMMIT"]) {
  test(`ledger: the model fails with ${macro}`, async (t) => {
    t.is((await search(t, `-D${macro}`)).errors, 1);
  });
}
