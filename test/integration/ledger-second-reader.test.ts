/** The ledger's vectors are read by a second implementation, written from docs/design/ledger.md alone. */
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "ava";
import { temporaryFolder } from "../support/temporary-folder.ts";

const TEST_FOLDER = new URL("../../../test/", import.meta.url);
const READER = fileURLToPath(new URL("second-reader/read_ledger.py", TEST_FOLDER));
const FIXTURES = fileURLToPath(new URL("fixtures", TEST_FOLDER));

function read(folder: string, ...parts: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync("python3", ["-B", READER, folder, ...parts], { encoding: "utf8" });
  return { status, output: stdout + stderr };
}

test("second reader: values, keys, blocks, payloads, seeds, orders, roots, a small graph and what merges take read as they are written", (t) => {
  const { status, output } = read(FIXTURES);
  t.is(status, 0, output);
  t.regex(output, /^100 graph$/m);
  t.regex(output, /^335 taking$/m);
});

/** What stands in a vector file, and what it is made; the part of the reader that must notice. */
const BENT: readonly (readonly [file: string, pattern: RegExp, other: string, differs: RegExp, part: string])[] = [
  ["ledger/graph.json", /"seed": "../, '"seed": "zz', /graph: seed$/m, "graph"],
  ["ledger/graph.json", /("order": \[\s*)("\w+"),(\s*)("\w+")/, "$1$4,$3$2", /graph: order$/m, "graph"],
  ["ledger/taking.json", /("taken": \[\s*)"\w+"/, '$1"00"', /taking: taken$/m, "taking"],
  ["ledger/taking.json", /("certificate": \{\s*"r": )2/, "$10", /taking: certificate$/m, "taking"],
  ["ledger/order-and-roots.json", /"keys": 33/, '"keys": 34', /state roots: 34 keys/, "orders"],
  ["ledger/blocks.json", /"text": "Grüße/, '"text": "Gruesse', /payload of first entry/, "blocks"],
  ["codec/refused-keys.json", /"hex": "01(00){31}"/, `"hex": "03${"00".repeat(31)}"`, /keys refused: 03/, "keys"],
];

test("second reader: a vector that is changed is noticed", async (t) => {
  for (const [file, pattern, other, differs, part] of BENT) {
    const folder = join(await temporaryFolder(t), "fixtures");
    cpSync(FIXTURES, folder, { recursive: true });
    const text = readFileSync(join(folder, file), "utf8");
    const bent = text.replace(pattern, other);
    t.not(bent, text, file);
    writeFileSync(join(folder, file), bent);
    const { status, output } = read(folder, part);
    const found = output.split("\n").filter((line) => line.startsWith("differs"));
    t.regex(found.join("\n"), differs, `${file}\n${output}`);
    t.is(status, found.length === 0 ? 0 : 1);
  }
});
