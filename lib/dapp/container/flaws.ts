/**
 * Known ways out of containers in old container tools, by version. Pure. A distribution mends old
 * versions without giving them a new number, so its own mark is looked at too. Rules: docs/design/dapps.md.
 */

interface Flaw {
  readonly id: string;
  readonly what: string;
  /** The first good version of each line that was mended, lowest first: a version in no line is good from the last on. */
  readonly fixedIn: readonly string[];
  /** The first version that has it; none: all before. */
  readonly since?: string;
  /** Marks of Debian's mended builds, as the tool itself tells them. */
  readonly debian?: readonly string[];
}

/** Advisories of the projects themselves, those by which a container or an image reaches its host. */
const RUNC_FLAWS: readonly Flaw[] = [
  { id: "CVE-2019-5736", what: "the host's runc can be overwritten through /proc/self/exe", fixedIn: ["1.0.0-rc7"] },
  { id: "CVE-2021-30465", what: "mount points can be swapped for links", fixedIn: ["1.0.0-rc95"] },
  { id: "CVE-2022-29162", what: "inheritable capabilities are not empty", fixedIn: ["1.1.2"] },
  { id: "CVE-2023-27561", what: "/proc can be a link", fixedIn: ["1.1.5"] },
  {
    id: "CVE-2024-21626",
    what: "an open folder of the host reaches the container",
    since: "1.0.0-rc93",
    fixedIn: ["1.1.12"],
    debian: ["1.1.5+ds1-1+deb12u1"],
  },
  { id: "CVE-2024-45310", what: "empty files can be made on the host", fixedIn: ["1.1.14", "1.2.0-rc3"] },
  { id: "CVE-2025-31133", what: "masked paths can be swapped", fixedIn: ["1.2.8", "1.3.3", "1.4.0-rc3"] },
  { id: "CVE-2025-52565", what: "/dev/console can be swapped", fixedIn: ["1.2.8", "1.3.3", "1.4.0-rc3"] },
  { id: "CVE-2025-52881", what: "writes to /proc can be led astray", fixedIn: ["1.2.8", "1.3.3", "1.4.0-rc3"] },
];

const CRUN_FLAWS: readonly Flaw[] = [
  { id: "CVE-2022-27650", what: "inheritable capabilities are not empty", fixedIn: ["1.4.4"] },
];

const FLAWS: Readonly<Record<string, readonly Flaw[]>> = { runc: RUNC_FLAWS, crun: CRUN_FLAWS };

/** What of this is wrong with the tool that prints `versionText` for --version, one line each; nothing for tools not known. */
export function knownFlaws(versionText: string): string[] {
  const [, tool = "", version = ""] = /^(\w+) version (\S+)/.exec(versionText) ?? [];
  const flaws = Object.hasOwn(FLAWS, tool) ? (FLAWS[tool] ?? []) : [];
  const own = parseVersion(version);
  if (own === undefined) return flaws.length === 0 ? [] : [`${tool} ${version}: its version cannot be read`];
  return flaws
    .filter((flaw) => hasFlaw(flaw, own) && !(flaw.debian ?? []).some((mark) => isMended(versionText, mark)))
    .map(({ id, what, fixedIn }) => `${id}: ${what} (mended in ${fixedIn.join(", ")})`);
}

/** 1.1.5-rc.3 as [1, 1, 5, 3]; a release comes after all its candidates. */
type Version = readonly [number, number, number, number];

function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch = "0", candidate] = /^(\d+)\.(\d+)(?:\.(\d+))?(?:-rc\.?(\d+))?/.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return [Number(major), Number(minor), Number(patch), candidate === undefined ? Infinity : Number(candidate)];
}

function compare(a: Version, b: Version): number {
  const place = a.findIndex((part, index) => part !== b[index]);
  return place === -1 ? 0 : Math.sign((a[place] ?? 0) - (b[place] ?? 0));
}

/** Within a line of releases its own mended version counts; before and between lines the next one; after them none. */
function hasFlaw({ since, fixedIn }: Flaw, own: Version): boolean {
  const first = since === undefined ? undefined : parseVersion(since);
  if (first !== undefined && compare(own, first) < 0) return false;
  const lines = fixedIn.map(parseVersion).filter((version) => version !== undefined);
  const line = lines.find(([major, minor]) => major === own[0] && minor === own[1]) ?? lines.at(-1);
  return line !== undefined && compare(own, line) < 0;
}

/** Debian's package version stands in the "commit:" line; a later security update of the same base counts too. */
function isMended(versionText: string, mark: string): boolean {
  const [base = "", update = "0"] = mark.split("+deb12u");
  const at = versionText.indexOf(`${base}+deb12u`);
  return at !== -1 && Number.parseInt(versionText.slice(at + base.length + "+deb12u".length), 10) >= Number(update);
}
