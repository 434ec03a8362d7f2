/** Homes: made whole or not at all, secrets kept, one process at a time. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { lockHome } from "../../lib/agent/home/lock.ts";
import { initHome, openHome, readSecret } from "../../lib/agent/index.ts";
import { decodeBlock } from "../../lib/codec/index.ts";
import { parseGenesis } from "../../lib/ledger/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

test("a name that no charter may have is refused before anything is made", async (t) => {
  const root = join(await temporaryFolder(t), "home");
  await t.throwsAsync(initHome({ root, organisation: "", nodeName: "office" }), { message: /1 to 100 characters/ });
  await t.throwsAsync(initHome({ root, organisation: "Space", nodeName: "No Name" }), { message: /not a name/ });
  t.false(existsSync(root));
});

test("an organisation is founded with the fault model that was asked for, byzantine if none was", async (t) => {
  const folder = await temporaryFolder(t);
  const faultOf = async (name: string, more: { fault?: "crash" }): Promise<string> => {
    const root = join(folder, name);
    await initHome({ root, organisation: "Space", nodeName: "office", ...more });
    return parseGenesis(decodeBlock(new Uint8Array(readFileSync(openHome(root).charter))).d).fault;
  };
  t.is(await faultOf("one", {}), "byzantine");
  t.is(await faultOf("other", { fault: "crash" }), "crash");
});

test("an init that was interrupted can be done again; a home cannot be founded twice", async (t) => {
  const root = join(await temporaryFolder(t), "home");
  await initHome({ root, organisation: "Space", nodeName: "office" });
  rmSync(join(root, "keys", "charter.block")); // What is written last was not there yet.
  await initHome({ root, organisation: "Space", nodeName: "office" });
  await t.throwsAsync(initHome({ root, organisation: "Space", nodeName: "office" }), { message: /already a home/ });
});

test("a folder that cannot be made is one clear error, also where the recursive mkdir never returns", async (t) => {
  const error = await t.throwsAsync(initHome({ root: "/proc/none/home", organisation: "Space", nodeName: "office" }));
  t.regex(error.message, /cannot make the folder \/proc\/none/);
});

test("[A6] keys are readable by their owner alone, and refused when they are not", async (t) => {
  const root = join(await temporaryFolder(t), "home");
  await initHome({ root, organisation: "Space", nodeName: "office" });
  const paths = openHome(root);
  for (const name of readdirSync(paths.keys).filter((each) => each.endsWith(".key"))) {
    t.is(statSync(join(paths.keys, name)).mode & 0o777, 0o600, name);
    t.is(readSecret(join(paths.keys, name)).length, 32);
  }
});

test("[L6] a second holder of a home is refused and told who has it; the lock of the first ends with it", async (t) => {
  const path = join(await temporaryFolder(t), "lock");
  const unlock = lockHome(path, "the home X");
  t.throws(() => lockHome(path, "the home X"), { message: `the home X is in use by process ${process.pid}` });
  unlock();
  t.notThrows(() => lockHome(path, "the home X")());
});
