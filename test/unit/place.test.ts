/** What tells a home from its copies: the mark, for every way in which files are copied [L8]. */
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { findPlace, type Memory } from "../../lib/agent/home/place.ts";
import { decideStart } from "../../lib/ledger/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A home's memory is a file in it, so that it is copied along. */
function memoryIn(home: string): Memory {
  const path = join(home, "memory.json");
  const all = (): Record<string, string> => JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  return {
    meta: (key) => all()[key],
    setMeta: (key, value) => writeFileSync(path, JSON.stringify({ ...all(), [key]: value })),
  };
}

/** One start of a home; the facts that have changed since the last one. */
function start(home: string): readonly string[] {
  const memory = memoryIn(home);
  const found = findPlace(join(home, "node.mark"), memory);
  const kept = memory.meta("own.place");
  const decision = decideStart(
    { l: kept === undefined ? undefined : "a1", place: kept && JSON.parse(kept) },
    found.place,
  );
  memory.setMeta("own.place", JSON.stringify(found.renew()));
  return decision.type === "moved" ? decision.facts : [];
}

async function newHome(t: Parameters<typeof temporaryFolder>[0]): Promise<string> {
  const home = await temporaryFolder(t);
  writeFileSync(join(home, "memory.json"), "{}");
  t.deepEqual(start(home), []);
  return home;
}

test("[L8] a restart finds the mark that the last start made", async (t) => {
  const home = await newHome(t);
  for (let each = 0; each < 3; each += 1) t.deepEqual(start(home), []);
});

test("[L8] a copy of the home has another mark; the original keeps its own", async (t) => {
  const home = await newHome(t);
  const copy = join(await temporaryFolder(t), "copy");
  execFileSync("cp", ["-a", home, copy]);
  t.deepEqual(start(copy), ["mark"]);
  t.deepEqual(start(copy), []);
  t.deepEqual(start(home), []);
});

test("[L8] a home that was put back has another mark, also over the files that are there", async (t) => {
  const home = await newHome(t);
  const backup = join(await temporaryFolder(t), "backup");
  execFileSync("cp", ["-a", home, backup]);
  execFileSync("cp", ["-a", `${backup}/.`, home]); // In place, within the same run.
  t.deepEqual(start(home), ["mark"]);
  start(home);
  execFileSync("cp", ["-a", `${backup}/.`, home]);
  t.deepEqual(start(home), ["mark"]);
  rmSync(home, { recursive: true });
  cpSync(backup, home, { recursive: true, preserveTimestamps: true });
  t.deepEqual(start(home), ["mark"]);
});

test("[L8] a database that was put back alone does not fit the mark", async (t) => {
  const home = await newHome(t);
  const memory = readFileSync(join(home, "memory.json"));
  start(home);
  writeFileSync(join(home, "memory.json"), memory);
  t.deepEqual(start(home), ["mark"]);
});

test("[L8] [L17] a home that lost its database still knows that it has run", async (t) => {
  const home = await newHome(t);
  writeFileSync(join(home, "memory.json"), "{}");
  t.true(findPlace(join(home, "node.mark"), memoryIn(home)).hasRun);
  t.false(findPlace(join(await temporaryFolder(t), "node.mark"), memoryIn(home)).hasRun);
});

test("[L8] a mark that is lost or was changed counts as another", async (t) => {
  const home = await newHome(t);
  rmSync(join(home, "node.mark"));
  t.deepEqual(start(home), ["mark"]);
  appendFileSync(join(home, "node.mark"), "x");
  t.deepEqual(start(home), ["mark"]);
});

test("[L8] a crash between the mark and the word of it is no copy", async (t) => {
  const home = await newHome(t);
  findPlace(join(home, "node.mark"), memoryIn(home)).renew(); // And nothing is remembered of it.
  t.deepEqual(start(home), []);
});
