/**
 * Containers by runc, invoked; crun is accepted too. The only files of the module that start processes
 * are this one and its neighbours runc-*.ts. Rules: docs/design/dapps.md.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { STAGE_PATH } from "../addon.ts";
import { GdoError, type Log } from "../base/index.ts";
import { bundleConfig } from "./container/bundle.ts";
import { type CgroupLayout, cgroupMounts } from "./container/cgroups.ts";
import { rootfsFault } from "./container/rootfs.ts";
import { removeLeftovers } from "./runc-cleanup.ts";
import { type Probe, probeMachine } from "./runc-probe.ts";
import { RuncProcess } from "./runc-process.ts";
import type { ContainerListener, ContainerProcess, ContainerRuntime, ContainerSpec, RuntimeInfo } from "./runtime.ts";

/**
 * Where root's containers see their image: bound there by gdo-stage in a private mount namespace, so that
 * a home may be closed to others (it holds keys) though its containers run under mapped ids.
 */
const ROOTFS_MOUNT = "/mnt";
/** How far a second run's clocks since boot are ahead [D3]: eleven days and some. */
const UPTIME_SECONDS_MORE = 1_000_003;
const MARK = /^gdo-[0-9a-z]{4,32}$/;
const OUTPUT_BYTES_MAX = 1024 * 1024;

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
    const fault = rootfsFault(spec.rootfs);
    if (fault !== undefined) throw new GdoError("CONTAINER", `the image of ${spec.dapp} cannot be used: ${fault}`);
    const name = `${this.#options.mark}-${spec.dapp}-${process.pid}-${++this.#started}`;
    const bundle = join(this.#bundlesDir, name);
    this.#writeBundle(bundle, spec, probe);
    const [program = "", ...args] = this.#command(bundle, spec, probe);
    // The tool tells a container that runs from one that has ended by when its process started, as the clocks of its
    // own time namespace say: so it is asked about a container where it made it.
    const staged = spec.isVaried === true ? [STAGE_PATH, "run", ...stageOf(spec, probe)] : [];
    const child = spawn(program, args, { stdio: "pipe", env: this.#environment(), cwd: "/" });
    const container = new RuncProcess({
      name,
      bundle,
      child,
      listener,
      cgroupDir: (controller) => cgroupDirOf(probe.cgroups, controller, name),
      runTool: (...rest) => this.#runTool(rest, staged),
    });
    this.#running.add(container);
    void container.ended.then(() => this.#running.delete(container));
    return container;
  }

  async cleanup(): Promise<void> {
    await Promise.all([...this.#running].map((container) => container.kill()));
    if (!existsSync(this.#bundlesDir)) return; // Before a container there is its bundle: none was ever started here.
    await removeLeftovers({
      mark: this.#options.mark,
      stateDir: this.#stateDir,
      bundlesDir: this.#bundlesDir,
      cgroupRoots: cgroupMounts(readFileSync("/proc/self/mountinfo", "utf8")).map(({ path }) => path),
      runTool: (...rest) => this.#runTool(rest),
      log: this.#options.log,
    });
  }

  #writeBundle(bundle: string, spec: ContainerSpec, { confinement, varied }: Probe): void {
    const { run, environment, limits } = spec;
    const rootfs = confinement.isRootless ? spec.rootfs : ROOTFS_MOUNT;
    const more = spec.isVaried === true ? { varied } : {};
    const config = bundleConfig(
      { rootfs, run, environment, limits, cgroupsPath: `/${basename(bundle)}`, ...more },
      confinement,
    );
    try {
      mkdirSync(bundle, { recursive: true });
      writeFileSync(join(bundle, "config.json"), config);
    } catch (cause) {
      throw new GdoError("CONTAINER", `cannot write the bundle of ${spec.dapp}`, { cause });
    }
  }

  /** Detached, so that the tool is gone once the program runs; what holds its place ends as the program does. */
  #command(bundle: string, spec: ContainerSpec, probe: Probe): string[] {
    const pidFile = join(bundle, "pid");
    const run = ["run", "--detach", "--pid-file", pidFile, "--bundle", bundle, basename(bundle)];
    const tool = [...this.#tool(), "--log", join(bundle, "log"), ...run];
    return [STAGE_PATH, "hold", ...stageOf(spec, probe), pidFile, ...tool];
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

  /** `before` is what starts the tool, where it needs the same clocks as a container that it is asked about. */
  #runTool(args: readonly string[], before: readonly string[] = []): Promise<ToolResult> {
    const [program = "", ...options] = [...before, ...this.#tool()];
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
    try {
      const probe = probeMachine(
        this.#options.runtimePath ?? "runc",
        await this.#runTool(["--version"]),
        this.#options.log,
      );
      mkdirSync(this.#stateDir, { recursive: true, mode: 0o700 });
      return probe;
    } catch (cause) {
      this.#probe = undefined; // It may be installed while we run.
      throw cause;
    }
  }
}

/** Image, where it is bound, and how far its clocks since boot are ahead: as gdo-stage takes them. */
function stageOf({ rootfs, isVaried }: ContainerSpec, { confinement, hasTimeNamespace }: Probe): string[] {
  if (confinement.isRootless) return ["", "", "0"];
  const uptime = isVaried === true && hasTimeNamespace ? UPTIME_SECONDS_MORE : 0;
  return [rootfs, ROOTFS_MOUNT, String(uptime)];
}

function cgroupDirOf(layout: CgroupLayout, controller: "memory" | "pids", name: string): string | undefined {
  const mount = layout.where.get(controller);
  return mount === undefined ? undefined : join(mount.path, name);
}
