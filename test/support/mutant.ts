/** Mutants of compiled code: a copy of a folder of dist/lib in which one piece of one file is replaced. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { ExecutionContext } from "ava";

const LIB = fileURLToPath(new URL("../../lib", import.meta.url));

export interface Edit {
  readonly file: string;
  /** Must occur exactly once, so that a mutant never silently equals the original. */
  readonly from: string;
  readonly to: string;
}

/** What `file` of a folder of lib exports once edited. The copy lies beside it, so that its imports hold. */
export async function mutantOf<Module>(
  t: ExecutionContext,
  folder: string,
  file: string,
  edits: readonly Edit[],
): Promise<Module> {
  const original = join(LIB, folder);
  const copy = mkdtempSync(join(dirname(original), `.mutant-${basename(original)}-`));
  t.teardown(() => rmSync(copy, { recursive: true }));
  cpSync(original, copy, { recursive: true });
  for (const { file: edited, from, to } of edits) {
    const path = join(copy, edited);
    const pieces = readFileSync(path, "utf8").split(from);
    if (pieces.length !== 2) throw new Error(`${edited} has ${pieces.length - 1} times: ${from}`);
    writeFileSync(path, pieces.join(to));
  }
  return (await import(pathToFileURL(join(copy, file)).href)) as Module;
}
