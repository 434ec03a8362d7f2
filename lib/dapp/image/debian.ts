/**
 * Debian's packages: what their paragraphs say of each other, and which of their files an image has use
 * for. Pure; the form is that of dpkg's status file and of a package's control file.
 */
import { GdoError } from "../../base/index.ts";

/** One package, as far as images need it. */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Each clause is a choice of names; one of each is needed. */
  readonly needs: readonly (readonly string[])[];
  readonly provides: readonly string[];
  /** False for what was removed and left its settings. */
  readonly isInstalled: boolean;
  /** Settings by path, with the MD5 that the package gives them. */
  readonly settings: ReadonlyMap<string, string>;
}

/** Node.js's name of an architecture → Debian's. */
export const DEBIAN_ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", arm: "armhf" };

/** They serve the installing of packages, which does not happen in an image. */
const FOR_INSTALLING = new Set([
  ...["adduser", "cdebconf", "debconf", "debconf-2.0", "debianutils", "dpkg", "init-system-helpers", "install-info"],
  ...["lsb-base", "passwd", "sensible-utils", "sysvinit-utils", "ucf"],
]);

/** Packages of one architecture, out of paragraphs that are separated by empty lines. */
export function parsePackages(text: string, architecture: string): DebianPackage[] {
  return text
    .split(/\n\n+/)
    .map(fieldsOf)
    .flatMap((fields) => {
      const name = fields.get("package");
      const ours = fields.get("architecture") ?? "";
      return name === undefined || (ours !== architecture && ours !== "all") ? [] : [packageOf(name, ours, fields)];
    });
}

function packageOf(name: string, architecture: string, fields: ReadonlyMap<string, string>): DebianPackage {
  const clauses = [fields.get("pre-depends"), fields.get("depends")].flatMap(clausesOf);
  const status = fields.get("status");
  const settings = (fields.get("conffiles") ?? "").split("\n").map((line) => line.trim().split(" "));
  return {
    name,
    version: fields.get("version") ?? "",
    architecture,
    needs: clauses.map((clause) => clause.split("|").map(nameOf)),
    provides: clausesOf(fields.get("provides")).map(nameOf),
    isInstalled: status === undefined || status.endsWith(" installed"),
    settings: new Map(settings.flatMap(([path, md5]) => (path && md5 ? [[path, md5] as const] : []))),
  };
}

/** Field names in lower case; lines that go on are kept as lines. */
function fieldsOf(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = "";
  for (const line of paragraph.split("\n")) {
    const [, name, value] = line.match(/^([A-Za-z][\w-]*):\s*(.*)$/) ?? [];
    if (name !== undefined) {
      last = name.toLowerCase();
      fields.set(last, value ?? "");
    } else if (/^[ \t]/.test(line)) fields.set(last, `${fields.get(last)}\n${line.trim()}`);
  }
  return fields;
}

function clausesOf(value: string | undefined): string[] {
  return (value ?? "")
    .split(",")
    .map((clause) => clause.trim())
    .filter((clause) => clause !== "");
}

/** Without version, architecture and profile, as in "python3:any (>= 3.9)". */
function nameOf(choice: string): string {
  return choice.trim().split(/[\s:([]/)[0] ?? "";
}

export interface Closure {
  /** By name. */
  readonly packages: readonly DebianPackage[];
  /** Names that none of the packages has or provides. */
  readonly missing: readonly string[];
}

/** The packages named, and all that they need in turn, but for what serves installing alone. */
export function closureOf(names: readonly string[], known: readonly DebianPackage[]): Closure {
  const byName = providers(known.filter(({ isInstalled }) => isInstalled));
  const chosen = new Map<string, DebianPackage>();
  const missing = new Set<string>();
  const open = names.map((name) => [name]);
  for (let choices = open.pop(); choices !== undefined; choices = open.pop()) {
    if (choices.some((name) => FOR_INSTALLING.has(name))) continue;
    const found = choices.map((name) => byName.get(name)).find((candidate) => candidate !== undefined);
    if (found === undefined) missing.add(choices.join(" | "));
    else if (!chosen.has(found.name)) {
      chosen.set(found.name, found);
      for (const need of found.needs) open.push([...need]);
    }
  }
  const packages = [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { packages, missing: [...missing].sort() };
}

/** A package's own name goes before what others provide. */
function providers(packages: readonly DebianPackage[]): Map<string, DebianPackage> {
  const found = new Map(packages.map((each) => [each.name, each]));
  for (const each of packages) for (const name of each.provides) if (!found.has(name)) found.set(name, each);
  return found;
}

const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]{1,127}$/;

export function isPackageName(name: string): boolean {
  return PACKAGE_NAME.test(name);
}

/** What a container has no use for: words for people, and what the machine's own services are set up with. */
const LEFT_OUT = [
  /^\/usr\/share\/(bash-completion|bug|doc-base|gtk-doc|help|icons|info|lintian|linda|locale|man|menu|pixmaps)\//,
  /^\/usr\/share\/(applications|initramfs-tools|metainfo|reportbug|zsh)\//,
  /^\/etc\/(cron\.|default\/|init\.d\/|logrotate\.d\/|pam\.d\/|systemd\/)/,
  /^(\/usr)?\/lib\/(systemd|udev|valgrind)\//,
  /^\/(boot|dev|home|media|mnt|proc|root|run|srv|sys|tmp|var)(\/|$)/,
];
const DOCUMENTS = "/usr/share/doc/";

/** Whether an image has use for a file of a package. Its licence stays with what it covers. */
export function isWanted(path: string): boolean {
  if (path.startsWith(DOCUMENTS)) return path.endsWith("/copyright");
  return !LEFT_OUT.some((pattern) => pattern.test(path));
}

/** NOT_FOUND, with the way to have them. */
export function packagesMissing(names: readonly string[]): GdoError {
  const hint = `as root: apt-get install --no-install-recommends ${names.join(" ")}`;
  return new GdoError("NOT_FOUND", `these Debian packages are not on this machine: ${names.join(", ")}`, { hint });
}
