import { readFileSync } from "node:fs";
import test from "ava";
import { parseManifest } from "../../lib/dapp/index.ts";

const least = "name: tally\nversion: 1.0.0\nimage: {base: node, run: [node, /app/main.mjs]}\n";

/** The message with which a manifest is refused. */
function refusalOf(text: string): string {
  try {
    parseManifest(text);
  } catch (cause) {
    const { code, message } = cause as { code: string; message: string };
    return `${code} ${message}`;
  }
  return "accepted";
}

test("a manifest with only what it must have gets the defaults", (t) => {
  const manifest = parseManifest(least);
  t.like(manifest, {
    name: "tally",
    version: "1.0.0",
    image: { under: { base: "node" }, packages: [] },
    hasTest: false,
    class: "advisory",
  });
  t.deepEqual(manifest.run, ["node", "/app/main.mjs"]);
  t.deepEqual(manifest.limits, {
    memoryBytes: 64 * 2 ** 20,
    pids: 32,
    cpu: 0.5,
    wallMs: 10_000,
    stateBytes: 64 * 2 ** 20,
    scratchBytes: 16 * 2 ** 20,
  });
});

test("limits carry their units", (t) => {
  const { limits } = parseManifest(`${least}limits: {memory: 1GiB, wall: 2min, cpu: 2, pids: 8, scratch: 512 KiB}`);
  t.like(limits, { memoryBytes: 2 ** 30, wallMs: 120_000, cpu: 2, pids: 8, scratchBytes: 512 * 1024 });
});

test("the dapps of this repository have sound manifests", (t) => {
  for (const name of ["membership", "door"]) {
    const manifest = parseManifest(readFileSync(`images/dapps/${name}/dapp.yaml`, "utf8"));
    t.is(manifest.name, name);
    t.true(manifest.hasTest);
  }
});

test("each fault is refused and named by its key", (t) => {
  const cases: [string, string][] = [
    ["", "dapp.yaml: is not a map of keys"],
    ["- name", "dapp.yaml: is not a map of keys"],
    ["name: [", "dapp.yaml: Flow sequence in block collection"],
    ["name: a\nname: b", "dapp.yaml: Map keys must be unique at line 2, column 1:"],
    [least.replace("tally", "Tally"), "dapp.yaml: name: takes a to z"],
    [least.replace("tally", "../up"), "dapp.yaml: name: takes a to z"],
    [least.replace("1.0.0", "1.0"), "dapp.yaml: version: "],
    [least.replace("version: 1.0.0\n", ""), "dapp.yaml: version: is missing"],
    [`${least}colour: red`, "dapp.yaml: unknown key colour"],
    [`${least}limits: {memry: 64MiB}`, "dapp.yaml: limits: unknown key memry"],
    [`${least}limits: {memory: 64}`, "dapp.yaml: limits.memory: is an amount with its unit, 16MiB to 4GiB"],
    [`${least}limits: {memory: 64MB}`, "dapp.yaml: limits.memory: is an amount with its unit, 16MiB to 4GiB"],
    [`${least}limits: {memory: 1MiB}`, "dapp.yaml: limits.memory: is an amount with its unit, 16MiB to 4GiB"],
    [`${least}limits: {wall: 0s}`, "dapp.yaml: limits.wall: is an amount with its unit, 1ms to 60min"],
    [`${least}limits: {wall: 1toString}`, "dapp.yaml: limits.wall: is an amount with its unit, 1ms to 60min"],
    [`${least}limits: {pids: 0}`, "dapp.yaml: limits.pids: "],
    [`${least}reads: [tally]`, "dapp.yaml: reads: names the dapp itself"],
    [`${least}class: maybe`, "dapp.yaml: class: "],
    [`${least}accepts: {Add: schemas/a.json}`, "dapp.yaml: accepts.Add: is no act type"],
    [`${least}accepts: {add: ../a.json}`, "dapp.yaml: accepts.add: is a path in the dapp"],
    [`${least}accepts: {add: schemas/a.yaml}`, "dapp.yaml: accepts.add: is a path in the dapp"],
    [`${least}commands: {add: {schema: a.json}}`, "dapp.yaml: commands.add.right: is missing"],
    [
      `${least}commands: {add: {schema: a.json, right: May Add}}`,
      "dapp.yaml: commands.add.right: is the name of a right",
    ],
    [`${least}x: &a [1]\ny: *a`, "dapp.yaml: aliases are not allowed"],
    [least.replace("base: node, ", ""), "dapp.yaml: image: has `run`, one of `base`, `oci` and `recipe`"],
    [
      least.replace("base: node", "base: node, packages: [--x]"),
      "dapp.yaml: image.packages.0: is the name of a Debian package",
    ],
    [`# ${"x".repeat(65_536)}`, "dapp.yaml is longer than 64 KiB"],
  ];
  for (const [text, message] of cases) {
    t.true(refusalOf(text).startsWith(`DAPP_MANIFEST ${message}`), `${message} <> ${refusalOf(text)}`);
  }
});
