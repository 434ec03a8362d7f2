/**
 * The OCI configuration of a dapp's container: all confinement of [D1] in one place. Pure: what the
 * machine offers is handed in. Rules: docs/design/dapps.md.
 */
import type { DappLimits } from "../manifest.ts";
import { seccompFor } from "./seccomp.ts";

/** One range for all containers, so that an image's files are shifted once. */
export const MAPPED_ID_FIRST = 100_000;
export const MAPPED_ID_COUNT = 65_536;
/** "nobody", inside the user namespace. */
const CONTAINER_UID = 65_534;
const CPU_PERIOD_US = 100_000;
const OPEN_FILES_MAX = 256;

/** What this machine can enforce. */
export interface Confinement {
  readonly isRootless: boolean;
  /** Own ids, for a user namespace without root: one id can be mapped. */
  readonly uid: number;
  readonly gid: number;
  /** Controllers that can be set; others are left out. */
  readonly controllers: ReadonlySet<string>;
  /** Whether swap can be limited beside memory. */
  readonly hasSwapLimit: boolean;
  /** Whether the kernel (5.8 and later) can leave all but processes out of /proc. */
  readonly hasProcSubset: boolean;
  readonly arch: string;
}

export interface BundleSpec {
  readonly rootfs: string;
  readonly run: readonly string[];
  /** The image's variables; what is fixed goes before them. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly limits: DappLimits;
  /** Control group of this container, absolute within each hierarchy. */
  readonly cgroupsPath: string;
  /** For a second opinion [D3]: what the host puts in its way. */
  readonly varied?: Varied | undefined;
}

/** Programs of the host by which a second run finds other surroundings; absent where they cannot be had. */
export interface Varied {
  /** Preloaded: another wall clock. */
  readonly clockPath?: string | undefined;
  /** A hook: the numbers of its processes and threads begin elsewhere. */
  readonly stagePath?: string | undefined;
}

/** In a second run: another size of scratch, other numbers of threads and children. */
const SCRATCH_BYTES_MORE = 1024 * 1024;
const PIDS_SKIPPED = 4_000;
const CLOCK_MOUNT = "/scratch/.clock.so";

const PATH = "/usr/bin:/bin";
/** Fixed, so that a verdict cannot depend on where it is made [D3]. */
const FIXED_ENVIRONMENT = { HOME: "/scratch", TMPDIR: "/scratch", LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TZ: "UTC" };

/** Kernel files that say more about the machine than a dapp should know, where the kernel cannot leave them out. */
const MASKED_PATHS = `acpi asound cmdline config.gz interrupts kallsyms kcore key-users keys kmsg latency_stats
  modules sched_debug scsi timer_list timer_stats version`
  .split(/\s+/)
  .map((name) => `/proc/${name}`);

const READONLY_PATHS = ["bus", "fs", "irq", "sys", "sysrq-trigger"].map((name) => `/proc/${name}`);

/** Devices that stay: they give nothing, take anything, or give random bytes. */
export const DEVICES = ["null", "zero", "random", "urandom"];

/** The text of config.json. */
export function bundleConfig(spec: BundleSpec, confinement: Confinement): string {
  const seccomp = seccompFor(confinement.arch);
  return JSON.stringify({
    ociVersion: "1.0.2",
    process: processOf(spec, confinement),
    root: { path: spec.rootfs, readonly: true },
    hostname: "gdo",
    mounts: [procOf(confinement), ...mountsOf(spec, uidInside(confinement))],
    ...hooksOf(spec.varied),
    linux: {
      namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup", "user"].map((type) => ({ type })),
      ...idMappings(confinement),
      ...(confinement.controllers.size > 0 ? { cgroupsPath: spec.cgroupsPath } : {}),
      resources: resourcesOf(spec.limits, confinement),
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  });
}

/**
 * Without root only one id can be mapped, and the runtime needs it to be 0 inside: harmless outside,
 * where it is the agent's own, and without capabilities inside.
 */
function uidInside({ isRootless }: Confinement): number {
  return isRootless ? 0 : CONTAINER_UID;
}

function processOf({ run, limits, environment, varied }: BundleSpec, confinement: Confinement): object {
  const id = uidInside(confinement);
  const none = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };
  return {
    terminal: false,
    user: { uid: id, gid: id },
    args: run,
    env: environmentOf(environment, varied),
    cwd: "/",
    capabilities: none,
    noNewPrivileges: true,
    rlimits: rlimitsOf(limits, confinement.controllers),
  };
}

function environmentOf(given: BundleSpec["environment"], varied: Varied | undefined): string[] {
  const preload = varied?.clockPath === undefined ? {} : { LD_PRELOAD: CLOCK_MOUNT };
  return Object.entries({ PATH, ...given, ...FIXED_ENVIRONMENT, ...preload }).map(
    ([name, value]) => `${name}=${value}`,
  );
}

/** The second line of defence, and the first where control groups cannot be had. */
function rlimitsOf(limits: DappLimits, controllers: ReadonlySet<string>): object[] {
  const values: Record<string, number> = {
    RLIMIT_CORE: 0,
    RLIMIT_NOFILE: OPEN_FILES_MAX,
    RLIMIT_FSIZE: limits.scratchBytes,
  };
  // Private writable memory, per process. Address space would be wrong: runtimes reserve gigabytes unused.
  if (!controllers.has("memory")) values.RLIMIT_DATA = limits.memoryBytes;
  if (!controllers.has("pids")) values.RLIMIT_NPROC = limits.pids;
  return Object.entries(values).map(([type, value]) => ({ type, soft: value, hard: value }));
}

function hooksOf(varied: Varied | undefined): object {
  const path = varied?.stagePath;
  if (path === undefined) return {};
  return { hooks: { createRuntime: [{ path, args: ["gdo-stage", "skip-pids", String(PIDS_SKIPPED)] }] } };
}

/** What is not there needs no mask, and says nothing of the machine on which an answer could hang [D3] [D4]. */
function procOf({ hasProcSubset }: Confinement): object {
  const options = ["nosuid", "noexec", "nodev", ...(hasProcSubset ? ["subset=pid"] : [])];
  return { destination: "/proc", type: "proc", source: "proc", options };
}

function mountsOf({ rootfs, limits, varied }: BundleSpec, owner: number): object[] {
  const scratchBytes = limits.scratchBytes + (varied === undefined ? 0 : SCRATCH_BYTES_MORE);
  const clock = {
    destination: CLOCK_MOUNT,
    type: "bind",
    source: varied?.clockPath,
    options: ["bind", "ro", "nosuid", "nodev"],
  };
  // A bind mount over /dev is what keeps the runtime from making terminals and further devices there.
  const folder = {
    destination: "/dev",
    type: "bind",
    source: `${rootfs}/dev`,
    options: ["bind", "ro", "nosuid", "noexec"],
  };
  const devices = DEVICES.map((name) => `/dev/${name}`).map((path) => ({
    destination: path,
    type: "bind",
    source: path,
    options: ["bind", "nosuid", "noexec"],
  }));
  return [
    folder,
    ...devices,
    {
      destination: "/scratch",
      type: "tmpfs",
      source: "tmpfs",
      // Owned, not open to all: runc gives a tmpfs the mode of the folder below it.
      options: ["nosuid", "nodev", "noexec", `uid=${owner}`, `gid=${owner}`, `size=${scratchBytes}`],
    },
    ...(varied?.clockPath === undefined ? [] : [clock]),
  ];
}

function idMappings({ isRootless, uid, gid }: Confinement): object {
  const range = [{ containerID: 0, hostID: MAPPED_ID_FIRST, size: MAPPED_ID_COUNT }];
  const own = (hostID: number): object[] => [{ containerID: 0, hostID, size: 1 }];
  return isRootless ? { uidMappings: own(uid), gidMappings: own(gid) } : { uidMappings: range, gidMappings: range };
}

function resourcesOf({ memoryBytes, pids, cpu }: DappLimits, confinement: Confinement): object {
  const { controllers, hasSwapLimit, isRootless } = confinement;
  // "swap" counts memory and swap together: equal to the limit means no swap at all.
  const memory = { limit: memoryBytes, ...(hasSwapLimit ? { swap: memoryBytes } : {}) };
  const quota = Math.max(1000, Math.round(cpu * CPU_PERIOD_US));
  return {
    ...(controllers.has("memory") ? { memory } : {}),
    ...(controllers.has("pids") ? { pids: { limit: pids } } : {}),
    ...(isRootless ? {} : { devices: [{ allow: false, access: "rwm" }] }),
    ...(controllers.has("cpu") ? { cpu: { quota, period: CPU_PERIOD_US } } : {}),
  };
}
