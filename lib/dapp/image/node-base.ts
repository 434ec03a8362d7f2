/**
 * The base image `node`: this machine's Node.js, the libraries and the loader that it names, and the few
 * files that programs expect to find. Nothing else: no shell, no package, no other program.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { elfNeeds } from "./elf.ts";
import { makeSkeleton } from "./skeleton.ts";

/** Where the program stands in the image; in the PATH of every container. */
const NODE_PATH = "/usr/bin/node";

/** A library of this process: by name, and where it was loaded from. */
type Loaded = ReadonlyMap<string, string>;

/**
 * Writes the image's files into a new folder, ready to be put as a tree. IO when a library that the
 * program names was not loaded by this very process, which runs the same program.
 */
export function makeNodeBase(folder: string): void {
  makeSkeleton(folder);
  const program = realpathSync(process.execPath);
  place(folder, program, NODE_PATH);
  const { loader, libraries } = librariesOf(program, loadedLibraries());
  if (loader !== undefined) place(folder, loader, loader);
  // All beside libc: that folder is one that the loader searches by itself, whatever the machine's layout.
  const libc = [...libraries.values()].find((path) => basename(path).startsWith("libc.")) ?? loader;
  const home = libc === undefined ? "/usr/lib" : dirname(libc);
  for (const [name, path] of libraries) if (path !== loader) place(folder, path, join(home, name));
  for (const path of externalBuiltins([program, ...libraries.values()])) place(folder, path, path);
}

function place(folder: string, from: string, to: string): void {
  const target = join(folder, to);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(realpathSync(from), target);
}

/**
 * What this process has loaded, by the report that Node.js makes of itself. It runs the same program, so
 * every library that the program needs is in it, resolved by the machine's own loader.
 */
function loadedLibraries(): Loaded {
  const report = process.report.getReport() as unknown as { sharedObjects: string[] };
  return new Map(report.sharedObjects.filter((path) => path.startsWith("/")).map((path) => [basename(path), path]));
}

/** Everything that the program needs, and that its libraries need in turn. */
function librariesOf(program: string, loaded: Loaded): { loader: string | undefined; libraries: Map<string, string> } {
  const { loader, libraries: named } = elfNeeds(readFileSync(program));
  const libraries = new Map<string, string>();
  const open = [...named];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const path = loaded.get(name);
    if (libraries.has(name) || path === undefined) continue; // Not loaded, so not needed to run.
    libraries.set(name, path);
    open.push(...elfNeeds(readFileSync(path)).libraries);
  }
  return { loader, libraries };
}

const EXTERNAL_BUILTIN = /\/usr\/share\/nodejs\/[\w./-]+?\.js/g;
const EXTERNAL_BUILTIN_START = "/usr/share/nodejs/";

/** Debian's Node.js keeps some of its own modules in files, whose paths stand in the program. */
function externalBuiltins(programs: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const program of programs) {
    const bytes = readFileSync(program);
    for (
      let at = bytes.indexOf(EXTERNAL_BUILTIN_START);
      at !== -1;
      at = bytes.indexOf(EXTERNAL_BUILTIN_START, at + 1)
    ) {
      const [path] = bytes.toString("latin1", at, at + 256).match(EXTERNAL_BUILTIN) ?? [];
      if (path !== undefined && existsSync(path)) found.add(path);
    }
  }
  return found;
}
