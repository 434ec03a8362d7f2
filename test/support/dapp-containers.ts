/** What tests of containers share: a root file system with test programs, and what is left behind. */
import { execFileSync } from "node:child_process";
import {
  chownSync,
  copyFileSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GdoError, type Hash } from "../../lib/base/index.ts";
import {
  type ContainerSpec,
  type DappLimits,
  type DappState,
  type Images,
  makeNodeBase,
} from "../../lib/dapp/index.ts";

const FIXTURES = "test/fixtures/dapps";
/** First id of the range that containers of root run under. */
const MAPPED_ID = 100_000;

export const testLimits: DappLimits = {
  memoryBytes: 128 * 1024 * 1024,
  pids: 32,
  cpu: 1,
  wallMs: 30_000,
  stateBytes: 1024 * 1024,
  scratchBytes: 4 * 1024 * 1024,
};

/** Why containers cannot be tried here; undefined when they can. */
export function containersMissing(): string | undefined {
  try {
    execFileSync("runc", ["--version"], { stdio: "ignore" });
  } catch {
    return "runc is not installed";
  }
  return process.getuid?.() === 0 ? undefined : "containers with an id range of their own need root";
}

/** A root file system with the programs of test/fixtures/dapps in /app, in a new folder that only root may enter. */
export function makeTestRootfs(): string {
  const rootfs = join(mkdtempSync(join(tmpdir(), "gdo-rootfs-")), "rootfs");
  makeNodeBase(rootfs);
  for (const name of ["main.mjs", "programs.mjs", "probe.mjs"])
    copyFileSync(join(FIXTURES, name), join(rootfs, "app", name));
  giveAway(rootfs);
  return rootfs;
}

/** To the mapped range, as the image cache does. */
export function giveAway(path: string): void {
  lchownSync(path, MAPPED_ID, MAPPED_ID);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) giveAway(join(path, entry.name));
    else chownSync(join(path, entry.name), MAPPED_ID, MAPPED_ID);
  }
}

/** Compiles a C program into a root file system. */
export function compileInto(rootfs: string, source: string, to: string): void {
  mkdirSync(join(rootfs, "app"), { recursive: true });
  execFileSync("cc", ["-static", "-O1", "-o", join(rootfs, to), join(FIXTURES, source)]);
  giveAway(join(rootfs, "app"));
}

export function programSpec(rootfs: string, dapp: string, limits: Partial<DappLimits> = {}): ContainerSpec {
  return { dapp, rootfs, run: ["node", "/app/main.mjs", dapp], limits: { ...testLimits, ...limits } };
}

/** Everything on this machine that bears a mark: processes, control groups, mounts, files of the run folder. */
export function leftBehind(mark: string, runDir: string): string[] {
  const processes = readdirSync("/proc").filter(
    (name) => /^[0-9]+$/.test(name) && textOf(`/proc/${name}/cmdline`).includes(mark),
  );
  const mounts = textOf("/proc/self/mountinfo").split("\n");
  const groups = mounts
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" ")[4] ?? "")
    .flatMap((root) =>
      readdirSync(root)
        .filter((name) => name.includes(mark))
        .map((name) => join(root, name)),
    );
  const files = ["containers", "bundles"].flatMap((name) => {
    const folder = join(runDir, name);
    return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  });
  return [
    ...processes.map((pid) => `process ${pid}`),
    ...groups,
    ...mounts.filter((line) => line.includes(mark)),
    ...files,
  ];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // A process that has just ended.
  }
}

/** Removes what makeTestRootfs made. */
export function removeTestRootfs(rootfs: string): void {
  rmSync(join(rootfs, ".."), { recursive: true, force: true });
}

/** Images whose trees are names of programs of test/fixtures/dapps. Cast a name to Hash to ask for it. */
export class ProgramImages implements Images {
  readonly #rootfs: string;
  readonly #limits: string;

  /** `limits` is the text of the manifest's limits, as in "{wall: 2s}". */
  constructor(rootfs: string, limits = "{memory: 128MiB, wall: 30s, cpu: 1}") {
    this.#rootfs = rootfs;
    this.#limits = limits;
  }

  async rootfs(): Promise<string> {
    return this.#rootfs;
  }

  async manifestText(tree: Hash): Promise<string> {
    return [
      `name: ${tree}`,
      "version: 1.0.0",
      `image: {base: node, run: [node, /app/main.mjs, ${tree}]}`,
      "reads: [other]",
      "queries: {it: anything}",
      `limits: ${this.#limits}`,
    ].join("\n");
  }

  async text(tree: Hash, path: string): Promise<string> {
    throw new GdoError("NOT_FOUND", `image ${tree} has no ${path}`);
  }
}

/** A state with nothing in it. */
export const emptyState: DappState = {
  get: () => undefined,
  scan: () => [],
  blob: () => Promise.reject(new GdoError("STORE_MISSING", "there is no content here")),
};
