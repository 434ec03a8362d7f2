/**
 * Builds the dapps of this folder: each dapps/NAME becomes dist/dapps/NAME, the tree that is merged over
 * its base image: dapp.yaml, schemas/ and the program in one file, app/main.mjs.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const sources = new URL("dapps/", import.meta.url);
const results = new URL("../dist/dapps/", import.meta.url);

async function buildDapp(name) {
  const source = new URL(`${name}/`, sources);
  const result = new URL(`${name}/`, results);
  rmSync(result, { recursive: true, force: true });
  mkdirSync(new URL("app/", result), { recursive: true });
  await build({
    entryPoints: [fileURLToPath(new URL("main.ts", source))],
    outfile: fileURLToPath(new URL("app/main.mjs", result)),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "warning",
  });
  for (const part of ["dapp.yaml", "schemas"]) {
    if (existsSync(new URL(part, source))) cpSync(new URL(part, source), new URL(part, result), { recursive: true });
  }
}

const names = readdirSync(sources, { withFileTypes: true }).filter((entry) => entry.isDirectory());
await Promise.all(names.map(({ name }) => buildDapp(name)));
