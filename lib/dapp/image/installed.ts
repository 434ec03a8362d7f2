/**
 * Packages that are installed on this machine, as sources for images: no network is needed. Only what is
 * as Debian made it counts, by the sums that dpkg keeps: what an administrator changed, settings above
 * all, may be no one else's business.
 */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { GdoError } from "../../base/index.ts";
import { type Closure, closureOf, type DebianPackage, isWanted, parsePackages } from "./debian.ts";
import { checkedMode, type ImageTree } from "./tree.ts";

const DPKG_DIR = "/var/lib/dpkg";

/** Where packages and their files come from. */
export interface PackageSource {
  /** The packages named and what they need. */
  closure(names: readonly string[]): Closure;
  /** Lays a package's files into an image. INPUT_INVALID for a file that is not as the package has it. */
  place(wanted: DebianPackage, image: ImageTree): void;
}

export class InstalledPackages implements PackageSource {
  readonly #dpkg: string;
  readonly #root: string;
  readonly #packages: readonly DebianPackage[];

  /** `architecture` as Debian calls it; `root` is "/" but for tests. No dpkg: no packages. */
  constructor(architecture: string, root = "/") {
    this.#root = root;
    this.#dpkg = join(root, DPKG_DIR);
    const status = join(this.#dpkg, "status");
    this.#packages = existsSync(status) ? parsePackages(readFileSync(status, "utf8"), architecture) : [];
  }

  closure(names: readonly string[]): Closure {
    return closureOf(names, this.#packages);
  }

  place(wanted: DebianPackage, image: ImageTree): void {
    const sums = new Map([...this.#sums(wanted), ...wanted.settings]);
    for (const path of this.#paths(wanted)) {
      const from = join(this.#root, path);
      const stats = lstatSync(from, { throwIfNoEntry: false });
      if (stats === undefined) throw changed(wanted, path);
      if (stats.isDirectory()) image.putFolder(path);
      else if (stats.isSymbolicLink()) image.put(path, { type: "link", target: readlinkSync(from) });
      else if (sums.get(path) === md5(from)) {
        image.put(path, { type: "file", mode: checkedMode(stats.mode), content: { path: from } });
      } else throw changed(wanted, path);
    }
  }

  #paths(wanted: DebianPackage): string[] {
    return this.#info(wanted, "list")
      .split("\n")
      .filter((path) => path !== "" && path !== "/." && isWanted(path));
  }

  /** Path → MD5. Lines are "sum  path", the path without its first slash. */
  #sums(wanted: DebianPackage): [string, string][] {
    const lines = this.#info(wanted, "md5sums").split("\n");
    return lines.filter((line) => line.length > 34).map((line) => [`/${line.slice(34)}`, line.slice(0, 32)]);
  }

  #info({ name, architecture }: DebianPackage, kind: string): string {
    const names = [`${name}:${architecture}.${kind}`, `${name}.${kind}`];
    const found = names.map((each) => join(this.#dpkg, "info", each)).find((path) => existsSync(path));
    return found === undefined ? "" : readFileSync(found, "utf8");
  }
}

function changed({ name }: DebianPackage, path: string): GdoError {
  const hint = `as root: apt-get install --reinstall ${name}`;
  return new GdoError("INPUT_INVALID", `${path} is not as the Debian package ${name} has it`, { hint });
}

function md5(path: string): string {
  return createHash("md5").update(readFileSync(path)).digest("hex");
}
