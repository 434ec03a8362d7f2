/** A new dapp from an example: a folder that works, with its tests. */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PROJECT } from "../../addon.ts";
import { GdoError } from "../../base/index.ts";
import { parseManifest } from "../../dapp/index.ts";

const EXAMPLES = new URL("images/examples/", PROJECT);

const EXAMPLE_OF = { python: "python", ts: "typescript", shell: "shell", c: "c" } as const;

/** For editors and `tsc`; no part of the dapp. */
const TS_CONFIG = {
  compilerOptions: {
    target: "es2023",
    module: "nodenext",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    types: ["node"],
    allowImportingTsExtensions: true,
    skipLibCheck: true,
  },
  include: ["src", "test"],
};

/** Makes the folder NAME in `under`; its path. USAGE for an unknown language, INPUT_INVALID for a bad name or one taken. */
export function newDapp(name: string, language: string, under: string): string {
  if (!isLanguage(language))
    throw new GdoError("USAGE", `--language takes ${Object.keys(EXAMPLE_OF).join(", ")}, not '${language}'`);
  const folder = resolve(under, name);
  const template = fileURLToPath(new URL(`${EXAMPLE_OF[language]}/`, EXAMPLES));
  const manifest = readFileSync(join(template, "dapp.yaml"), "utf8").replace(/^name: .*$/m, `name: ${name}`);
  try {
    parseManifest(manifest);
  } catch (cause) {
    throw new GdoError("INPUT_INVALID", (cause as Error).message.replace("dapp.yaml: ", ""), { cause });
  }
  if (existsSync(folder)) throw new GdoError("INPUT_INVALID", `${folder} is there already`);
  mkdirSync(folder, { recursive: true });
  cpSync(fileURLToPath(new URL("contract/", EXAMPLES)), folder, { recursive: true });
  cpSync(template, folder, { recursive: true, filter: (path) => !path.endsWith("__pycache__") });
  writeFileSync(join(folder, "dapp.yaml"), manifest);
  if (language === "ts") linkSdk(folder);
  return folder;
}

function isLanguage(text: string): text is keyof typeof EXAMPLE_OF {
  return Object.hasOwn(EXAMPLE_OF, text);
}

function linkSdk(folder: string): void {
  writeFileSync(join(folder, "tsconfig.json"), `${JSON.stringify(TS_CONFIG, null, 2)}\n`);
  writeFileSync(join(folder, "package.json"), `${JSON.stringify({ private: true, type: "module" }, null, 2)}\n`);
  writeFileSync(join(folder, ".gitignore"), "node_modules/\n");
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(fileURLToPath(PROJECT), join(folder, "node_modules/gdo"));
  symlinkSync(fileURLToPath(new URL("node_modules/@types", PROJECT)), join(folder, "node_modules/@types"));
}
