/** What no linter here can say: sizes of all source files, names, loose ends, the one place of the addon. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, extname, join, relative } from "node:path";

const LINES_MAX = 500;
const SKIPPED = new Set(["node_modules", "dist", "build", "coverage", ".git", ".cache", "fixtures", "corpus", "data"]);
const SOURCE = new Set([".ts", ".mjs", ".js", ".cc", ".h", ".sh", ".sql", ""]);
const TOP_LEVEL = new Set([
  ...[".ci", "bin", "docs", "firmware-scripts", "images", "lib", "native", "test"],
  ...["CMakeLists.txt", "LICENSE", "README.md", "binding.gyp", "biome.json", "knip.json"],
  ...["package-lock.json", "package.json", "tsconfig.json"],
]);
const VAGUE = /(?:^|[-_.])(?:utils?|helpers?|common|managers?)(?:[-_.]|$)/i;

/** Paths of the project's own files, relative to `root`, without what is built or installed. */
export function sourceFiles(root) {
  const files = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(path);
      else if (entry.isFile()) files.push(relative(root, path));
    }
  };
  walk(root);
  return files.sort();
}

const isSource = (path) => SOURCE.has(extname(path)) && !/(?:^|\/)(?:LICENSE|\.[a-z-]+)$/.test(path);

function faultsOfFile(path, text) {
  const faults = [];
  const lines = text.split("\n").length - 1;
  if (lines > LINES_MAX) faults.push(`${path}: ${lines} lines, at most ${LINES_MAX}`);
  if (/\b(?:TODO|FIXME|XXX)\b/.test(text)) faults.push(`${path}: a loose end; write NEEDSWORK: with an issue's number`);
  if (/\bNEEDSWORK\b(?!:? .*#\d+)/.test(text)) faults.push(`${path}: NEEDSWORK without an issue's number (#N)`);
  if (/^lib\//.test(path) && path !== "lib/addon.ts" && /\bgdo\.node\b/.test(text)) {
    faults.push(`${path}: only lib/addon.ts loads the addon`);
  }
  return faults;
}

/** Is `name` in the lock where a package at `path` would find it? */
function isLocked(packages, path, name) {
  const inside = path === "" ? "" : `${path}/`;
  if (packages[`${inside}node_modules/${name}`] !== undefined) return true;
  return path !== "" && isLocked(packages, path.slice(0, Math.max(0, path.lastIndexOf("/node_modules/"))), name);
}

/** npm leaves out of the lock what it could not see, and `npm ci` then refuses it; docs/adr/0006. */
function faultsOfLock(root) {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) => {
    const absent = Object.keys(optionalDependencies).filter((name) => !isLocked(packages, path, name));
    return absent.map((name) => `package-lock.json: ${name}, which ${path} names, has no entry`);
  });
}

/** A script or a profile left behind at the top is committed sooner or later. */
function faultsOfTop(root) {
  const isKnown = (name) => TOP_LEVEL.has(name) || SKIPPED.has(name) || /^\.[a-z-]+$|\.log$/.test(name);
  const strangers = readdirSync(root).filter((name) => !isKnown(name));
  return strangers.map((name) => `${name}: not a part of the top level; move it into a folder, or delete it`);
}

/** One line for each fault. */
export function checkStructure(root) {
  const faults = sourceFiles(root).flatMap((path) => {
    const names = path.split("/").filter((name) => VAGUE.test(name));
    const named = names.map((name) => `${path}: "${name}" says nothing; name what it holds`);
    const isReadable = isSource(path) && basename(path) !== "structure.mjs";
    return isReadable ? [...named, ...faultsOfFile(path, readFileSync(join(root, path), "utf8"))] : named;
  });
  return [...faults, ...faultsOfTop(root), ...faultsOfLock(root)];
}
