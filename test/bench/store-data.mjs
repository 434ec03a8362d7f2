/**
 * Real data in several versions, as the registries serve it today: packages of Debian and npm, fetched by
 * their own clients, kept in the user's cache, unpacked and packed again as tar files that are the same
 * wherever they are made. A version that has gone from the archive is replaced by the next newest.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gdo-bench");
const FIXED = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
const DEBIAN_KERNELS = ["47", "53", "55", "56"];
const ESBUILDS = ["0.27.6", "0.27.7", "0.28.0", "0.28.1"];

export const DATA_SETS = [
  { name: "kernel", what: "Debian kernel packages", fetch: () => debianPackages("linux-image-6.1.0-", "-cloud-amd64") },
  {
    name: "source",
    what: "Debian kernel header packages",
    fetch: () => debianPackages("linux-headers-6.1.0-", "-common"),
  },
  { name: "binary", what: "esbuild's package for Linux", fetch: () => npmPackages("@esbuild/linux-x64", ESBUILDS) },
];

/** Folders 1, 2 … below `folder`, each with one version's tar; oldest first. */
export function makeData(set, folder) {
  return set.fetch().map(({ version, unpack }, index) => {
    const contents = join(folder, "contents");
    const dir = join(folder, set.name, String(index + 1));
    mkdirSync(contents, { recursive: true });
    mkdirSync(dir, { recursive: true });
    unpack(contents);
    const file = join(dir, "image.tar");
    execFileSync("tar", [...FIXED, "-C", contents, "-cf", file, "."]);
    rmSync(contents, { recursive: true });
    return { version, file };
  });
}

/** The wanted versions that the archive still has, and the newest others in place of the rest. */
function choose(wanted, offered) {
  const held = wanted.filter((version) => offered.includes(version));
  const others = offered.filter((version) => !held.includes(version));
  const more = others.slice(others.length - (wanted.length - held.length));
  return offered.filter((version) => held.includes(version) || more.includes(version));
}

function debianPackages(prefix, suffix) {
  const pattern = `^${prefix.replaceAll(".", "[.]")}[0-9]+${suffix}$`;
  const names = execFileSync("apt-cache", ["search", "--names-only", pattern]).toString();
  const numbers = [...names.matchAll(/^\S+/gm)].map(([name]) => name.slice(prefix.length, -suffix.length));
  const chosen = choose(
    DEBIAN_KERNELS,
    numbers.toSorted((a, b) => a - b),
  );
  return chosen.map((number) => debianPackage(`${prefix}${number}${suffix}`));
}

function debianPackage(name) {
  const cache = join(CACHE, "debs");
  mkdirSync(cache, { recursive: true });
  const find = () => readdirSync(cache).find((file) => file.startsWith(`${name}_`));
  if (find() === undefined) spawnSync("apt-get", ["download", "-qq", name], { cwd: cache });
  const file = find();
  if (file === undefined) throw new Error(`apt-get could not download ${name}`);
  return {
    version: file.replace(/\.deb$/, ""),
    unpack: (to) => execFileSync("dpkg-deb", ["-x", join(cache, file), to]),
  };
}

function npmPackages(name, wanted) {
  const versions = JSON.parse(execFileSync("npm", ["view", name, "versions", "--json"]).toString());
  const releases = versions.filter((version) => /^[0-9.]+$/.test(version));
  return choose(wanted, releases).map((version) => npmPackage(name, version));
}

function npmPackage(name, version) {
  const cache = join(CACHE, "npm");
  mkdirSync(cache, { recursive: true });
  const file = join(cache, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  if (!existsSync(file))
    execFileSync("npm", ["pack", "--silent", "--ignore-scripts", `${name}@${version}`], { cwd: cache });
  return { version: `${name}@${version}`, unpack: (to) => execFileSync("tar", ["-C", to, "-xzf", file]) };
}
