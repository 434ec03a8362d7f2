/**
 * What the kernel's control groups offer here: version 1, version 2 or both at once. Pure readings of
 * /proc/self/mountinfo; the files are the caller's business.
 */

export type Controller = "memory" | "pids" | "cpu";
export const CONTROLLERS: readonly Controller[] = ["memory", "pids", "cpu"];

export interface CgroupMount {
  readonly path: string;
  readonly version: 1 | 2;
  /** Of version 1: the controllers in its options. Of version 2 they stand in a file. */
  readonly controllers: readonly string[];
}

export interface CgroupLayout {
  readonly mounts: readonly CgroupMount[];
  /** Where each controller is; absent when the kernel has it nowhere. */
  readonly where: ReadonlyMap<Controller, CgroupMount>;
}

/** Octal escapes of mountinfo: space, tab, newline, backslash. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** The control group mounts in the text of /proc/self/mountinfo. */
export function cgroupMounts(mountinfo: string): CgroupMount[] {
  return mountinfo.split("\n").flatMap((line): CgroupMount[] => {
    const [fields = "", rest = ""] = line.split(" - ");
    const path = unescapePath(fields.split(" ")[4] ?? "");
    const [type, , options = ""] = rest.split(" ");
    if (type === "cgroup2") return [{ path, version: 2, controllers: [] }];
    return type === "cgroup" ? [{ path, version: 1, controllers: options.split(",") }] : [];
  });
}

/** `controllersOf` gives the words of a version 2 mount's cgroup.controllers. */
export function cgroupLayout(mountinfo: string, controllersOf: (path: string) => readonly string[]): CgroupLayout {
  const mounts = cgroupMounts(mountinfo).map((mount) =>
    mount.version === 2 ? { ...mount, controllers: controllersOf(mount.path) } : mount,
  );
  const where = new Map<Controller, CgroupMount>();
  for (const controller of CONTROLLERS) {
    const mount = mounts.find(({ controllers }) => controllers.includes(controller));
    if (mount !== undefined) where.set(controller, mount);
  }
  return { mounts, where };
}

/** One counter of a file like memory.events or memory.oom_control; 0 when it is not there. */
export function counterIn(text: string, name: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length + 1) ?? 0);
}
