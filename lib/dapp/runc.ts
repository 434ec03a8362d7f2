/**
 * Containers by runc, invoked; crun is accepted too. The only files of the module that start processes
 * are this one and its neighbours runc-*.ts. Rules: docs/design/dapps.md.
 */
import { execFile, spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GdoError, type Log } from "../base/index.ts";
import { bundleConfig, type Confinement } from "./container/bundle.ts";
import { type CgroupLayout, CONTROLLERS, cgroupLayout } from "./container/cgroups.ts";
import { removeLeftovers } from "./runc-cleanup.ts";
import { RuncProcess } from "./runc-process.ts";
import type { ContainerListener, ContainerProcess, ContainerRuntime, ContainerSpec, RuntimeInfo } from "./runtime.ts";

/** Where root's containers see their image: a bind mount in a mount namespace of their own. */
const ROOTFS_MOUNT = "/mnt";
const MARK = /^gdo-[0-9a-z]{4,32}$/;
const OUTPUT_BYTES_MAX = 1024 * 1024;

/**
 * A private mount namespace in which the image is bound to a path that every id may reach, so that a
 * home may be closed to others (it holds keys) though its containers run under mapped ids. The mount
 * ends with the last process in the namespace: nothing to clean up, however the agent ends.
 */
const WITH_ROOTFS = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';

export interface RuncOptions {
  /** Folder for state and bundles, of this runtime alone. */
  readonly runDir: string;
  /** Names all that it makes: "gdo-" and something that no other home of this machine has. */
  readonly mark: string;
  readonly log: Log;
  /** "runc" by default. */
  readonly runtimePath?: string;
}

/** What one run of the container tool gave. */
export interface ToolResult {
  readonly isOk: boolean;
  readonly text: string;
}

interface Probe {
  readonly info: RuntimeInfo;
  readonly confinement: Confinement;
  readonly cgroups: CgroupLayout;
  /** runc can leave a container's control group for reading after its end; crun cannot. */
  readonly canKeep: boolean;
}

export class RuncRuntime implements ContainerRuntime {
  readonly #options: RuncOptions;
  readonly #stateDir: string;
  readonly #bundlesDir: string;
  readonly #running = new Set<RuncProcess>();
  #probe: Promise<Probe> | undefined;
  #started = 0;

  constructor(options: RuncOptions) {
    if (!MARK.test(options.mark)) throw new RangeError(`not a mark: ${options.mark}`);
    this.#options = options;
    this.#stateDir = join(options.runDir, "containers");
    this.#bundlesDir = join(options.runDir, "bundles");
  }

  async info(): Promise<RuntimeInfo> {
    return (await this.#probed()).info;
  }

  async start(spec: ContainerSpec, listener: ContainerListener): Promise<ContainerProcess> {
    const probe = await this.#probed();
    const name = `${this.#options.mark}-${spec.dapp}-${process.pid}-${++this.#started}`;
    const bundle = join(this.#bundlesDir, name);
    const { isRootless } = probe.confinement;
    const rootfs = isRootless ? spec.rootfs : ROOTFS_MOUNT;
    const { run, limits } = spec;
    const config = bundleConfig({ rootfs, run, limits, cgroupsPath: `/${name}` }, probe.confinement);
    try {
      mkdirSync(bundle, { recursive: true });
      writeFileSync(join(bundle, "config.json"), config);
    } catch (cause) {
      throw new GdoError("CONTAINER", `cannot write the bundle of ${spec.dapp}`, { cause });
    }
    const keep = probe.canKeep ? ["--keep"] : [];
    const command = [...this.#tool(), "--log", join(bundle, "log"), "run", ...keep, "--bundle", bundle, name];
    const [program = "", ...args] = isRootless
      ? command
      : ["unshare", "--mount", "sh", "-c", WITH_ROOTFS, "sh", spec.rootfs, ROOTFS_MOUNT, ...command];
    const child = spawn(program, args, { stdio: "pipe", env: this.#environment(), cwd: "/" });
    const container = new RuncProcess({
      name,
      bundle,
      child,
      listener,
      cgroupDir: (controller) => cgroupDirOf(probe.cgroups, controller, name),
      runTool: (...rest) => this.#runTool(...rest),
    });
    this.#running.add(container);
    void container.ended.then(() => this.#running.delete(container));
    return container;
  }

  async cleanup(): Promise<void> {
    await Promise.all([...this.#running].map((container) => container.kill()));
    await removeLeftovers({
      mark: this.#options.mark,
      stateDir: this.#stateDir,
      bundlesDir: this.#bundlesDir,
      cgroupRoots: (await this.#probed()).cgroups.mounts.map(({ path }) => path),
      runTool: (...rest) => this.#runTool(...rest),
      log: this.#options.log,
    });
  }

  #tool(): string[] {
    return [this.#options.runtimePath ?? "runc", "--root", this.#stateDir];
  }

  /**
   * Made from nothing but what the tool needs [D5]: with a NOTIFY_SOCKET in its environment runc would
   * wait for a word of readiness from the container, which never comes.
   */
  #environment(): NodeJS.ProcessEnv {
    const { XDG_RUNTIME_DIR } = process.env;
    const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    return XDG_RUNTIME_DIR === undefined ? { PATH: path } : { PATH: path, XDG_RUNTIME_DIR };
  }

  #runTool(...args: string[]): Promise<ToolResult> {
    const [program = "", ...options] = this.#tool();
    return new Promise((settle) => {
      execFile(
        program,
        [...options, ...args],
        { env: this.#environment(), cwd: "/", maxBuffer: OUTPUT_BYTES_MAX },
        (error, stdout, stderr) =>
          settle({ isOk: error === null, text: error === null ? stdout : `${stderr}${error}` }),
      );
    });
  }

  #probed(): Promise<Probe> {
    this.#probe ??= this.#look();
    return this.#probe;
  }

  async #look(): Promise<Probe> {
    const runtime = this.#options.runtimePath ?? "runc";
    const { isOk, text } = await this.#runTool("--version");
    if (!isOk) {
      this.#probe = undefined; // It may be installed while we run.
      throw new GdoError("CONTAINER", `cannot run ${runtime}: ${text.trim()}`, { hint: "apt install runc" });
    }
    mkdirSync(this.#stateDir, { recursive: true, mode: 0o700 });
    const [name = runtime, version = ""] = text.split("\n")[0]?.split(" version ") ?? [];
    const cgroups = cgroupLayout(readFileSync("/proc/self/mountinfo", "utf8"), controllersOfUnified);
    const confinement = confinementHere(cgroups);
    const missing = missingHere(confinement);
    for (const what of missing) this.#options.log.warn("containers lack a limit", { what });
    const info = { runtime: name, version, isRootless: confinement.isRootless, missing };
    return { info, confinement, cgroups, canKeep: name === "runc" };
  }
}

function cgroupDirOf(layout: CgroupLayout, controller: "memory" | "pids", name: string): string | undefined {
  const mount = layout.where.get(controller);
  return mount === undefined ? undefined : join(mount.path, name);
}

function controllersOfUnified(path: string): string[] {
  const file = join(path, "cgroup.controllers");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split(" ") : [];
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false; // Read-only mount, or not ours.
  }
}

function confinementHere(layout: CgroupLayout): Confinement {
  const uid = process.getuid?.() ?? 0;
  const isRootless = uid !== 0;
  const usable = [...layout.where].filter(([, { path }]) => !isRootless && isWritable(path));
  const memory = layout.where.get("memory");
  return {
    isRootless,
    uid,
    gid: process.getgid?.() ?? 0,
    controllers: new Set(usable.map(([controller]) => controller)),
    hasSwapLimit: memory !== undefined && hasSwapFile(memory.path, memory.version),
    arch: process.arch,
  };
}

/** Version 2 has no such file in its root, so a child group is asked. */
function hasSwapFile(path: string, version: 1 | 2): boolean {
  if (version === 1) return existsSync(join(path, "memory.memsw.limit_in_bytes"));
  const groups = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return groups.some(({ name }) => existsSync(join(path, name, "memory.swap.max")));
}

function missingHere({ controllers, hasSwapLimit, isRootless, arch }: Confinement): string[] {
  const missing: string[] = CONTROLLERS.filter((controller) => !controllers.has(controller)).map(
    (name) => `control group ${name}`,
  );
  if (controllers.has("memory") && !hasSwapLimit) missing.push("swap limit");
  if (isRootless) missing.push("an id range of its own");
  if (!["x64", "arm64", "arm"].includes(arch)) missing.push(`system call filter for ${arch}`);
  return missing;
}
