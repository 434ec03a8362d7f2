/**
 * A dapp's folder as its author has it: what is installed (dapp.yaml, app/, schemas/, …) beside what it is
 * made from (src/) and tried with (test/). Programs in src/ are built when the folder is staged.
 */
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PROJECT } from "../../addon.ts";
import { GdoError } from "../../base/index.ts";
import { Contract, type Manifest, namedSchemas, parseManifest, typesModule } from "../../dapp/index.ts";

const SDK = fileURLToPath(new URL("dist/images/sdk/index.js", PROJECT));
const TESTING = new URL("dist/images/sdk/testing.js", PROJECT).href;
/** Names that a dapp's author keeps beside it and that are no part of it. */
const NOT_INSTALLED = new Set(["src", "test", "node_modules", "package.json", "tsconfig.json", "README.md"]);

const run = promisify(execFile);

export interface DappProject {
  readonly folder: string;
  readonly manifest: Manifest;
}

/** DAPP_MANIFEST when the folder holds no dapp, or its schemas are not ones that a dapp may have. */
export async function openProject(folder: string): Promise<DappProject> {
  const path = join(folder, "dapp.yaml");
  if (!existsSync(path))
    throw new GdoError("DAPP_MANIFEST", `there is no dapp.yaml in ${folder}`, { hint: "gdo dapp new NAME" });
  const manifest = parseManifest(readFileSync(path, "utf8"));
  await Contract.load(manifest, textIn(folder));
  return { folder: resolve(folder), manifest };
}

function textIn(folder: string): (path: string) => Promise<string> {
  return async (path) => readFileSync(join(folder, path), "utf8");
}

/** The folder as it is installed, somewhere else; the caller removes it. INPUT_INVALID when a program cannot be built. */
export async function stageProject({ folder }: Pick<DappProject, "folder">): Promise<string> {
  const staged = mkdtempSync(join(tmpdir(), "gdo-dapp-"));
  try {
    for (const name of readdirSync(folder)) {
      if (NOT_INSTALLED.has(name) || name.startsWith(".")) continue;
      cpSync(join(folder, name), join(staged, name), {
        recursive: true,
        filter: (path) => !path.endsWith("__pycache__"),
      });
    }
    mkdirSync(join(staged, "app"), { recursive: true });
    if (existsSync(join(folder, "src/main.ts")))
      await bundle(join(folder, "src/main.ts"), join(staged, "app/main.mjs"));
    if (existsSync(join(folder, "src/main.c"))) await compileC(join(folder, "src"), join(staged, "app/main"));
    return staged;
  } catch (error) {
    rmSync(staged, { recursive: true, force: true });
    throw error;
  }
}

/** One file with everything in it, as dist/dapps has it. */
async function bundle(source: string, to: string): Promise<void> {
  const { build } = await import("esbuild");
  const alias = { "gdo/sdk": SDK };
  const common = { bundle: true, platform: "node", format: "esm", target: "node20", logLevel: "silent" } as const;
  try {
    await build({ ...common, entryPoints: [source], outfile: to, alias });
  } catch (cause) {
    throw new GdoError("INPUT_INVALID", (cause as Error).message, { cause });
  }
}

async function compileC(folder: string, to: string): Promise<void> {
  const sources = readdirSync(folder).filter((name) => name.endsWith(".c"));
  const flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static"];
  try {
    await run("cc", [...flags, "-o", to, ...sources.map((name) => join(folder, name))]);
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const words = isMissing ? "there is no C compiler" : ((cause as { stderr?: string }).stderr ?? String(cause));
    throw new GdoError("INPUT_INVALID", words.trim(), {
      cause,
      ...(isMissing ? { hint: "apt install gcc libc6-dev" } : {}),
    });
  }
}

/** A test in TypeScript as a file that Node.js runs; what it says of its own place stays true. */
export async function bundleTest(source: string, to: string): Promise<void> {
  const { build } = await import("esbuild");
  const { href } = new URL(`file://${source}`);
  await build({
    ...({ bundle: true, platform: "node", format: "esm", target: "node20", logLevel: "silent" } as const),
    entryPoints: [source],
    outfile: to,
    alias: { "gdo/sdk": new URL(`file://${SDK}`).href, "gdo/testing": TESTING },
    external: ["file:*"],
    define: { "import.meta.url": JSON.stringify(href) },
  });
}

/** Writes src/acts.ts anew where it is out of date; whether it was. Of a project without TypeScript nothing. */
export async function writeTypes({ folder, manifest }: DappProject): Promise<boolean> {
  if (!existsSync(join(folder, "src/main.ts"))) return false;
  const { acts, commands } = await namedSchemas(manifest, textIn(folder));
  const path = join(folder, "src/acts.ts");
  const text = typesModule(acts, commands, "gdo/sdk");
  if (existsSync(path) && readFileSync(path, "utf8") === text) return false;
  writeFileSync(path, text);
  return true;
}
