/**
 * Packs the compiled modules of dist/lib, and some packages that they use, into a few files in dist/bundle: a command then
 * resolves and reads a dozen files instead of hundreds, which on a small computer with a slow card is most of its
 * time. What a command imports late stays in files of its own. bin/gdo takes the bundle unless dist/lib is newer.
 */
import { readFileSync, renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const dist = new URL("../dist/", import.meta.url);

/** Packages that commands load at once, in many files. The others stay where they are: native, or loaded late and whole. */
const PACKED = ["commander", "picocolors", "yaml", "zod"];

const { dependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

/** Until it is whole: half a bundle would be taken for one. */
const fresh = new URL("bundle.new/", dist);

rmSync(fresh, { recursive: true, force: true });
await build({
  entryPoints: { "cli/main": fileURLToPath(new URL("lib/cli/main.js", dist)) },
  outdir: fileURLToPath(fresh),
  chunkNames: "cli/[name]-[hash]",
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "linked",
  sourcesContent: false,
  external: Object.keys(dependencies).filter((name) => !PACKED.includes(name)),
  // Packages in the older module form call require for Node's own modules.
  banner: {
    js: 'import { createRequire as $createRequire } from "node:module"; const require = $createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
rmSync(new URL("bundle/", dist), { recursive: true, force: true });
renameSync(fresh, new URL("bundle/", dist));
