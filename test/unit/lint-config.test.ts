/**
 * The linter keeps the house's import rules: each deliberate violation below must be found, and its
 * lawful neighbour must pass. The files are written to a copy of the tree's folders, so that Biome
 * reads the real biome.json and its own words for the fault are compared.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "ava";

type Case = readonly [path: string, code: string];

const IMPORT = "lint/style/noRestrictedImports";
const GLOBAL = "lint/style/noRestrictedGlobals";
const PROPERTY = "lint/nursery/noJsRestrictedProperties";

const use = (module: string): string => `import { x } from "${module}";\n\nexport const y = x;\n`;
const imports = (path: string, ...modules: string[]): Case[] => modules.map((module) => [path, use(module)]);

const LONG_FILE = Array.from({ length: 501 }, (_, line) => `export const a${line} = ${line};\n`).join("");

/** [path, code] that the named rule must refuse. */
const REFUSED: Readonly<Record<string, readonly Case[]>> = {
  [IMPORT]: [
    ...imports("lib/base/a.ts", "../codec/index.ts", "node:fs", "zod"),
    ...imports("lib/addon.ts", "./codec/index.ts", "zod"),
    ...imports("lib/codec/a.ts", "../ledger/index.ts", "../store/index.ts", "node:fs", "better-sqlite3"),
    ...imports("lib/store/a.ts", "../ledger/index.ts", "../db/index.ts", "node:child_process", "../codec/keys.ts"),
    ...imports("lib/store/pack/a.ts", "../../db/index.ts", "../../codec/keys.ts", "../../access/a.ts"),
    ...imports("lib/ledger/a.ts", "node:crypto", "node:fs", "../addon.ts", "../db/index.ts", "../codec/keys.ts"),
    ...imports("lib/ledger/a.ts", "./../db/index.ts", "../../lib/db/index.ts", "../sync/index.ts", "zod"),
    ...imports(
      "lib/ledger/consensus/a.ts",
      "node:crypto",
      "../../db/index.ts",
      "../../codec/keys.ts",
      "../../addon.ts",
    ),
    ...imports(
      "lib/node/a.ts",
      "node:fs",
      "../db/index.ts",
      "../store/index.ts",
      "../dapp/index.ts",
      "../codec/keys.ts",
    ),
    ...imports("lib/db/a.ts", "../store/index.ts", "../sync/index.ts", "../agent/index.ts", "node:child_process"),
    ...imports("lib/db/tables/a.ts", "../../store/index.ts", "../../sync/index.ts", "node:child_process"),
    ...imports("lib/node/merging/a.ts", "../../db/index.ts", "../../../lib/db/index.ts", "node:fs"),
    ...imports("lib/sync/a.ts", "node:net", "mqtt", "aedes", "../db/index.ts", "../store/index.ts"),
    ...imports("lib/sync/step/a.ts", "node:crypto", "mqtt", "../../store/index.ts", "../../ledger/order.ts"),
    ...imports("lib/sync/mqtt.ts", "../db/index.ts", "node:child_process", "node:fs"),
    ...imports(
      "lib/dapp/a.ts",
      "node:child_process",
      "../addon.ts",
      "../store/index.ts",
      "../access/index.ts",
      "better-sqlite3",
    ),
    ...imports("lib/dapp/plan.ts", "node:fs", "yaml"),
    ...imports("lib/dapp/protocol/a.ts", "node:crypto", "node:zlib"),
    ...imports("lib/dapp/image/a.ts", "node:child_process", "../../store/index.ts"),
    ...imports("lib/access/a.ts", "node:crypto", "../codec/index.ts", "../codec/keys.ts", "../device/index.ts"),
    ...imports("lib/device/a.ts", "../access/index.ts", "../db/index.ts", "node:child_process", "mqtt"),
    ...imports("lib/interop/oci/a.ts", "../../db/index.ts", "../../agent/index.ts", "node:child_process"),
    ...imports("lib/interop/a.ts", "../db/index.ts", "../agent/index.ts", "../sync/index.ts"),
    ...imports("lib/interop/books/a.ts", "../../db/index.ts", "../../agent/index.ts", "node:child_process"),
    ...imports("lib/agent/a.ts", "../cli/main.ts", "../db/schema.ts", "better-sqlite3", "onoff", "mqtt"),
    ...imports("lib/agent/demo/a.ts", "../../cli/main.ts", "../../store/pack/writer.ts"),
    ...imports("lib/simulate/a.ts", "../agent/index.ts", "../cli/main.ts", "../db/schema.ts", "node:fs", "mqtt"),
    ...imports("lib/simulate/world/a.ts", "../../agent/node.ts", "../../db/schema.ts", "better-sqlite3"),
    ...imports("lib/cli/a.ts", "../db/index.ts", "../store/index.ts", "../sync/index.ts", "../agent/home.ts"),
    ...imports("lib/cli/commands/a.ts", "../../db/index.ts", "../../agent/home/home.ts", "better-sqlite3"),
    ...imports("lib/cli/commands/store/a.ts", "../../../db/index.ts", "../../../agent/home/home.ts", "better-sqlite3"),
    ...imports("images/dapps/door/a.ts", "../../../lib/codec/index.ts", "../../../lib/db/index.ts", "node:fs"),
    ...imports("images/dapps/door/a.ts", "../membership/membership.ts", "../../sdk/serve.ts", "node:child_process"),
    ...imports("images/dapps/accounting/a.ts", "node:child_process", "node:fs"),
    ...imports("images/dapps/accounting/ledger-program.ts", "node:net", "../door/door.ts"),
    ...imports("images/sdk/a.ts", "../../lib/codec/index.ts", "../dapps/door/main.ts", "node:fs"),
    ...imports("lib/unheard-of/a.ts", "../db/index.ts", "node:child_process"),
    ["lib/ledger/b.ts", 'export * from "../db/index.ts";\n'],
    ["lib/ledger/c.ts", 'export const y = await import("../db/index.ts");\n'],
    ["lib/ledger/d.ts", 'import type { X } from "../db/index.ts";\n\nexport type Y = X;\n'],
  ],
  [GLOBAL]: [
    ["lib/ledger/date.ts", "export const now = Date.now();\n"],
    ["lib/sync/step/timer.ts", "setTimeout(() => {}, 1);\n"],
    ["lib/device/interval.ts", "setInterval(() => {}, 1);\n"],
    ["lib/store/hash.ts", "export const id = crypto.randomUUID();\n"],
    ["images/dapps/door/date.ts", "export const now = new Date();\n"],
    ["lib/dapp/host.ts", "export const now = performance.now();\n"],
  ],
  [PROPERTY]: [
    ["lib/ledger/random.ts", "export const number = Math.random();\n"],
    ["lib/access/hrtime.ts", "export const now = process.hrtime.bigint();\n"],
    ["lib/access/global.ts", "export const now = globalThis.Date.now();\n"],
  ],
  "lint/style/noProcessEnv": [["lib/store/env.ts", "export const home = process.env.HOME;\n"]],
  "lint/style/noDefaultExport": [["lib/store/default.ts", "export default 1;\n"]],
  "lint/style/useFilenamingConvention": [["lib/store/ChunkStore.ts", "export const x = 1;\n"]],
  "lint/style/noEnum": [["lib/store/enum.ts", "export enum Kind {\n  A,\n}\n"]],
  "lint/style/noExcessiveLinesPerFile": [["lib/store/long.ts", LONG_FILE]],
  "lint/complexity/noExcessiveLinesPerFunction": [
    ["lib/store/function.ts", `export function f(): void {\n${"  f();\n".repeat(71)}}\n`],
  ],
  "lint/complexity/useMaxParams": [
    ["lib/store/params.ts", "export const f = (a: 1, b: 1, c: 1, d: 1, e: 1): number => a + b + c + d + e;\n"],
  ],
  "lint/nursery/noFloatingPromises": [["lib/store/floating.ts", "async function f(): Promise<void> {}\n\nf();\n"]],
  "lint/nursery/useExhaustiveSwitchCases": [
    ["lib/store/switch.ts", 'export function f(a: "a" | "b"): void {\n  switch (a) {\n    case "a":\n  }\n}\n'],
  ],
  "lint/suspicious/noImportCycles": [
    ["lib/store/cycle-one.ts", 'import { two } from "./cycle-two.ts";\n\nexport const one = () => two;\n'],
    ["lib/store/cycle-two.ts", 'import { one } from "./cycle-one.ts";\n\nexport const two = () => one;\n'],
  ],
};

/** [path, code] that nothing may be said about. */
const ALLOWED: readonly Case[] = [
  ...imports("lib/base/rng.ts", "node:crypto", "./bytes.ts"),
  ...imports("lib/addon.ts", "./base/index.ts", "node:module"),
  ...imports("lib/codec/a.ts", "../base/index.ts", "../addon.ts", "node:crypto", "./canonical.ts"),
  ...imports("lib/store/a.ts", "../base/index.ts", "../addon.ts", "../codec/index.ts", "node:fs/promises"),
  ...imports("lib/store/pack/a.ts", "../../base/index.ts", "../../addon.ts", "../blob.ts", "../tree/a.ts", "./b.ts"),
  ...imports("lib/ledger/a.ts", "../base/index.ts", "../codec/index.ts", "./order.ts"),
  ...imports("lib/ledger/consensus/a.ts", "../../base/index.ts", "../vote.ts", "./b.ts"),
  ...imports("lib/node/a.ts", "../ledger/index.ts", "../base/index.ts", "./own-log.ts"),
  ...imports("lib/db/a.ts", "../ledger/index.ts", "better-sqlite3", "node:fs"),
  ...imports("lib/sync/a.ts", "../ledger/index.ts", "./step/index.ts"),
  ...imports("lib/sync/mqtt.ts", "mqtt"),
  ...imports("lib/sync/broker.ts", "aedes", "node:net"),
  ...imports("lib/dapp/runc.ts", "node:child_process", "../ledger/index.ts", "../addon.ts"),
  ...imports("lib/dapp/container/runc-command.ts", "node:child_process", "../runtime.ts"),
  ...imports("lib/dapp/image/a.ts", "node:crypto", "node:zlib", "../host.ts"),
  ...imports("lib/access/a.ts", "../codec/canonical.ts", "../base/bytes.ts", "../ledger/index.ts"),
  ...imports("lib/device/a.ts", "../addon.ts", "onoff", "node:net"),
  ...imports("lib/interop/oci/a.ts", "../../dapp/index.ts", "./b.ts", "zod", "node:crypto", "node:zlib"),
  ...imports("lib/interop/a.ts", "../store/index.ts", "../dapp/index.ts", "zod"),
  ...imports("lib/agent/a.ts", "../db/index.ts", "../access/index.ts", "node:child_process", "pino", "../addon.ts"),
  ...imports("lib/agent/demo/a.ts", "../../sync/index.ts", "../home.ts", "node:child_process"),
  ...imports("lib/simulate/a.ts", "../db/index.ts", "../sync/index.ts", "./world/world.ts"),
  ...imports("lib/simulate/world/a.ts", "../../db/index.ts", "../faults/fault.ts", "./node.ts"),
  ...imports(
    "lib/cli/a.ts",
    "../agent/index.ts",
    "../simulate/index.ts",
    "../interop/index.ts",
    "commander",
    "./commands/log.ts",
  ),
  ...imports("lib/cli/commands/a.ts", "../../agent/index.ts", "../command.ts", "picocolors"),
  ...imports("lib/cli/commands/store/a.ts", "../../../agent/index.ts", "../../command.ts", "../../text/graph.ts"),
  ...imports("lib/db/tables/a.ts", "../../ledger/index.ts", "../schema.ts", "better-sqlite3"),
  ...imports("lib/node/merging/a.ts", "../../ledger/index.ts", "../ports.ts", "./build.ts"),
  ...imports("images/dapps/door/a.ts", "../../../lib/access/index.ts", "../../sdk/index.ts", "./b.ts"),
  ...imports("images/dapps/accounting/ledger-program.ts", "node:child_process", "node:fs", "./judge.ts"),
  ...imports("images/sdk/a.ts", "../../lib/codec/canonical.ts", "./types.ts", "node:readline"),
  ...imports("images/dapps/door/a.test.ts", "../../../lib/db/index.ts", "node:fs"),
  ["lib/base/clock.ts", "export const now = (): number => Date.now();\n"],
  ["lib/agent/env.ts", "export const home = process.env.HOME;\n"],
  ["test/unit/time.test.ts", "export const now = Date.now();\n"],
];

interface Diagnostic {
  readonly category: string;
  readonly severity: string;
  readonly location: { readonly path: string | { readonly file: string } };
}

/** Writes the files to a new tree under the real configuration, lints them at once, and sorts what was said by path. */
async function faultsOf(cases: readonly Case[]): Promise<Map<string, string[]>> {
  const root = await mkdtemp(join(tmpdir(), "gdo-lint-"));
  for (const name of ["biome.json", "package.json"]) await copyFile(name, join(root, name));
  for (const [path, code] of cases) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), code);
  }
  const diagnostics = await lint(root);
  await rm(root, { recursive: true });
  const faults = new Map<string, string[]>(cases.map(([path]) => [path, []]));
  for (const { category, location } of diagnostics) {
    const path = typeof location.path === "string" ? location.path : location.path.file;
    faults.get(path)?.push(category);
  }
  return faults;
}

function lint(root: string): Promise<Diagnostic[]> {
  const biome = join(process.cwd(), "node_modules/.bin/biome");
  const args = ["lint", "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none", "."];
  return new Promise((resolve, reject) => {
    execFile(biome, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (_, output, complaint) => {
      if (output === "") reject(new Error(complaint));
      else resolve((JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics);
    });
  });
}

/** Splits the cases into rounds in which no path stands twice. */
function rounds(cases: readonly Case[]): Case[][] {
  const laid: Case[][] = [];
  const seen = new Map<string, number>();
  for (const one of cases) {
    const round = seen.get(one[0]) ?? 0;
    seen.set(one[0], round + 1);
    laid[round] = [...(laid[round] ?? []), one];
  }
  return laid;
}

async function check(cases: readonly Case[], judge: (one: Case, faults: string[]) => void): Promise<void> {
  for (const round of rounds(cases)) {
    const faults = await faultsOf(round);
    for (const one of round) judge(one, faults.get(one[0]) ?? []);
  }
}

for (const [rule, cases] of Object.entries(REFUSED)) {
  test.serial(`lint: ${rule} refuses each violation`, async (t) => {
    await check(cases, ([path, code], faults) => t.deepEqual([...new Set(faults)], [rule], `${path}: ${code}`));
  });
}

test.serial("lint: what house.md allows passes", async (t) => {
  await check(ALLOWED, ([path, code], faults) => t.deepEqual(faults, [], `${path}: ${code}`));
});
