/** The pure parts of containers: bundle, filter, control groups, lines, ELF. */
import { mkdtempSync, readFileSync, realpathSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { silentLog } from "../../lib/base/index.ts";
import { bundleConfig, type Confinement } from "../../lib/dapp/container/bundle.ts";
import { cgroupLayout, counterIn } from "../../lib/dapp/container/cgroups.ts";
import { knownFlaws } from "../../lib/dapp/container/flaws.ts";
import { memoryState } from "../../lib/dapp/container/memory.ts";
import { rootfsFault } from "../../lib/dapp/container/rootfs.ts";
import { seccompFor } from "../../lib/dapp/container/seccomp.ts";
import { elfNeeds } from "../../lib/dapp/image/elf.ts";
import { makeSkeleton } from "../../lib/dapp/image/skeleton.ts";
import { RuncRuntime } from "../../lib/dapp/index.ts";
import { LineSplitter } from "../../lib/dapp/protocol/lines.ts";
import { testLimits } from "../support/dapp-containers.ts";

const full: Confinement = {
  isRootless: false,
  uid: 0,
  gid: 0,
  controllers: new Set(["memory", "pids", "cpu"]),
  hasSwapLimit: true,
  hasProcSubset: true,
  arch: "x64",
};

const bundleOf = (confinement: Confinement) =>
  JSON.parse(bundleConfig({ rootfs: "/r", run: ["node"], limits: testLimits, cgroupsPath: "/gdo-x" }, confinement));

test("[D1] the bundle sets memory without swap, pids and cpu", (t) => {
  const { resources, cgroupsPath } = bundleOf(full).linux;
  t.is(cgroupsPath, "/gdo-x");
  t.deepEqual(resources.memory, { limit: testLimits.memoryBytes, swap: testLimits.memoryBytes });
  t.deepEqual(resources.pids, { limit: 32 });
  t.deepEqual(resources.cpu, { quota: 100_000, period: 100_000 });
});

test("[D1] controllers that the kernel lacks are left out, with rlimits in their place", (t) => {
  const { linux, process } = bundleOf({ ...full, controllers: new Set(["cpu"]), hasSwapLimit: false });
  t.deepEqual(Object.keys(linux.resources).sort(), ["cpu", "devices"]);
  const types = process.rlimits.map(({ type }: { type: string }) => type).sort();
  t.deepEqual(types, ["RLIMIT_CORE", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC"]);
  t.deepEqual(bundleOf({ ...full, hasSwapLimit: false }).linux.resources.memory, { limit: testLimits.memoryBytes });
});

test("[D1] /proc has nothing but processes, and where the kernel cannot do that its files are masked", (t) => {
  type Mount = { destination: string; options: string[] };
  const procOf = (confinement: Confinement): Mount =>
    bundleOf(confinement).mounts.find(({ destination }: Mount) => destination === "/proc");
  t.true(procOf(full).options.includes("subset=pid"));
  t.false(procOf({ ...full, hasProcSubset: false }).options.includes("subset=pid"));
  t.true(bundleOf(full).linux.maskedPaths.includes("/proc/kcore"));
});

test("[D1] without root the bundle maps the own id and sets no control groups", (t) => {
  const { linux, process } = bundleOf({ ...full, isRootless: true, uid: 1000, gid: 1001, controllers: new Set() });
  t.deepEqual(linux.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  t.deepEqual(linux.gidMappings, [{ containerID: 0, hostID: 1001, size: 1 }]);
  t.is(linux.cgroupsPath, undefined);
  t.deepEqual(linux.resources, {});
  t.deepEqual(process.capabilities.bounding, []);
});

test("[D3] a second run has another clock before it, other numbers and more scratch; a first run has none of it", (t) => {
  const varied = { clockPath: "/lib/clock.so", stagePath: "/lib/stage" };
  const spec = { rootfs: "/r", run: ["node"], limits: testLimits, cgroupsPath: "/gdo-x" };
  const [one, other] = [bundleOf(full), JSON.parse(bundleConfig({ ...spec, varied }, full))];
  const scratchOf = (bundle: { mounts: { destination: string; options: string[] }[] }): string | undefined =>
    bundle.mounts.find(({ destination }) => destination === "/scratch")?.options.at(-1);
  t.is(one.hooks, undefined);
  t.is(scratchOf(one), `size=${testLimits.scratchBytes}`);
  t.is(other.hooks.createRuntime[0].path, "/lib/stage");
  t.is(scratchOf(other), `size=${testLimits.scratchBytes + 1024 * 1024}`);
  t.deepEqual(
    other.process.env.filter((pair: string) => !one.process.env.includes(pair)),
    ["LD_PRELOAD=/scratch/.clock.so"],
  );
  t.is(other.mounts.at(-1).source, "/lib/clock.so");
});

test("[D1] known flaws of a container tool are told by its version, also of mended old ones", (t) => {
  const flawsOf = (text: string): string[] => knownFlaws(text).map((line) => line.split(":")[0] ?? "");
  const of2025 = ["CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881"];
  t.deepEqual(flawsOf("runc version 1.4.0"), []);
  t.deepEqual(flawsOf("runc version 1.3.3\ncommit: v1.3.3-0-gd842d77"), []);
  t.deepEqual(flawsOf("runc version 1.2.8"), []);
  t.deepEqual(flawsOf("runc version 1.4.0-rc.2"), of2025);
  t.deepEqual(flawsOf("runc version 1.3.2"), of2025);
  t.deepEqual(flawsOf("runc version 2.0.0"), []);
  const bookworm = "runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev";
  t.deepEqual(flawsOf(bookworm), ["CVE-2024-45310", ...of2025]);
  t.true(flawsOf("runc version 1.1.5\ncommit: v1.1.5-0-gf19387a6").includes("CVE-2024-21626"));
  t.true(flawsOf(bookworm.replace("deb12u1", "deb12u0")).includes("CVE-2024-21626"));
  t.false(flawsOf("runc version 1.0.0-rc92").includes("CVE-2024-21626"));
  t.true(flawsOf("runc version 1.0.0-rc6").includes("CVE-2019-5736"));
  t.deepEqual(flawsOf("crun version 1.8.1"), []);
  t.deepEqual(flawsOf("crun version 1.4.3"), ["CVE-2022-27650"]);
  t.deepEqual(flawsOf("runc version unknown"), ["runc unknown"]);
  t.deepEqual(flawsOf("youki version 0.1"), []);
});

test("[D4] an image in which a mount point is a link or is not there is refused", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gdo-rootfs-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const rootfs = join(folder, "rootfs");
  makeSkeleton(rootfs);
  t.is(rootfsFault(rootfs), undefined);
  for (const name of ["dev", "proc", "scratch", "dev/null", "dev/urandom"]) {
    renameSync(join(rootfs, name), join(folder, "aside"));
    t.regex(rootfsFault(rootfs) ?? "", new RegExp(`^its /${name} is no f`));
    symlinkSync("/etc", join(rootfs, name));
    t.regex(rootfsFault(rootfs) ?? "", new RegExp(`^its /${name} is no f`));
    rmSync(join(rootfs, name));
    renameSync(join(folder, "aside"), join(rootfs, name));
  }
  symlinkSync(rootfs, join(folder, "link"));
  t.is(rootfsFault(join(folder, "link")), "its / is no folder");
});

test("[D1] the filter denies by default and names no call that leads out", (t) => {
  const filter = seccompFor("arm64") as {
    defaultAction: string;
    architectures: string[];
    syscalls: { names: string[]; args?: unknown }[];
  };
  t.is(filter.defaultAction, "SCMP_ACT_ERRNO");
  t.deepEqual(filter.architectures, ["SCMP_ARCH_AARCH64"]);
  const free = new Set(filter.syscalls.filter(({ args }) => args === undefined).flatMap(({ names }) => names));
  for (const name of [
    "socket",
    "connect",
    "ptrace",
    "bpf",
    "keyctl",
    "mount",
    "unshare",
    "setns",
    "clone",
    "ioctl",
    "prctl",
  ]) {
    t.false(free.has(name), name);
  }
  t.is(seccompFor("mips"), undefined);
  t.is(seccompFor("__proto__"), undefined);
});

test("[D1] docs/design/confinement.md names exactly the calls that the filter lets through", (t) => {
  const page = readFileSync("docs/design/confinement.md", "utf8");
  const allowed = page.slice(page.indexOf("## Calls that are allowed"), page.indexOf("## Calls that are denied"));
  const cells = allowed
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|")[1] ?? "");
  const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  const filter = seccompFor("x64") as { syscalls: { names: string[] }[] };
  t.deepEqual([...new Set(named)].sort(), [...new Set(filter.syscalls.flatMap(({ names }) => names))].sort());
});

const V1 = [
  "30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct",
  "31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
];
const UNIFIED = "40 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";

test("control groups: version 1, version 2 and both at once are read from the mounts", (t) => {
  const whereIn = (lines: string[], words: string[]): Record<string, string> =>
    Object.fromEntries([...cgroupLayout(lines.join("\n"), () => words).where].map(([name, { path }]) => [name, path]));
  t.deepEqual(whereIn(V1, []), { cpu: "/sys/fs/cgroup/cpu,cpuacct", memory: "/sys/fs/cgroup/memory" });
  t.deepEqual(whereIn([UNIFIED.replace("/unified", "")], ["cpu", "memory", "pids"]), {
    cpu: "/sys/fs/cgroup",
    memory: "/sys/fs/cgroup",
    pids: "/sys/fs/cgroup",
  });
  t.deepEqual(whereIn([...V1, UNIFIED], ["pids"]), {
    cpu: "/sys/fs/cgroup/cpu,cpuacct",
    memory: "/sys/fs/cgroup/memory",
    pids: "/sys/fs/cgroup/unified",
  });
  t.deepEqual(whereIn(["22 1 0:1 / /proc rw - proc proc rw"], []), {});
});

test("control groups: counters are read by their whole name", (t) => {
  t.is(counterIn("oom 3\noom_kill 2\nunder_oom 0\n", "oom_kill"), 2);
  t.is(counterIn("oom 3\n", "oom_kill"), 0);
  t.is(counterIn("", "max"), 0);
});

test("memory is short by the kernel's stalls, or when little is left; where stalls are not counted few may be idle", (t) => {
  const meminfo = (available: number): string => `MemTotal:       1000000 kB\nMemAvailable:   ${available} kB\n`;
  const stalls = (percent: string): string =>
    `some avg10=${percent} avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00\n`;
  t.deepEqual(memoryState(stalls("0.00"), meminfo(500_000)), { isShort: false, idleMax: undefined });
  t.deepEqual(memoryState(stalls("12.30"), meminfo(500_000)), { isShort: true, idleMax: undefined });
  t.deepEqual(memoryState(stalls("0.00"), meminfo(40_000)), { isShort: true, idleMax: undefined });
  t.deepEqual(memoryState(undefined, meminfo(500_000)), { isShort: false, idleMax: 4 });
  t.deepEqual(memoryState(undefined, ""), { isShort: false, idleMax: 4 });
});

test("lines: any split into pieces gives the same lines", (t) => {
  const check = (texts: string[], cuts: number[]): boolean => {
    const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""));
    const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
    const splitter = new LineSplitter(1000);
    let start = 0;
    const lines = ends.flatMap((end) => {
      const found = splitter.push(bytes.subarray(start, end));
      start = end;
      return found === "too-long" ? [] : found.map((line) => Buffer.from(line).toString());
    });
    return JSON.stringify(lines) === JSON.stringify(texts) && splitter.rest().length === 0;
  };
  const line = fc.string({ maxLength: 20, unit: "grapheme" }).filter((text) => !text.includes("\n"));
  t.notThrows(() => fc.assert(fc.property(fc.array(line), fc.array(fc.nat()), check)));
});

test("[D2] lines: one longer than the bound is found before its end comes", (t) => {
  const splitter = new LineSplitter(8);
  t.deepEqual(splitter.push(Buffer.from("12345678\n1234")), [Buffer.from("12345678")] as never);
  t.is(splitter.push(Buffer.from("56789")), "too-long");
});

test("ELF: Node.js names a loader and libc, a torn file is refused", (t) => {
  const bytes = readFileSync(realpathSync(process.execPath));
  const { loader, libraries } = elfNeeds(bytes);
  t.regex(loader ?? "", /\/ld-/);
  t.true(libraries.some((name) => name.startsWith("libc.")));
  t.throws(() => elfNeeds(bytes.subarray(0, 4000)), { code: "IO" });
  t.throws(() => elfNeeds(Buffer.from("#!/bin/sh\n")), { code: "IO" });
  t.throws(() => elfNeeds(new Uint8Array()), { code: "IO" });
});

test("a mark that could name more than one home's things is refused", (t) => {
  for (const mark of ["", "gdo", "gdo-", "gdo-ab", "gdo-a-b-c-d", "gdo-../x", "x".repeat(50)]) {
    t.throws(() => new RuncRuntime({ runDir: "/none", mark, log: silentLog }), { instanceOf: RangeError }, mark);
  }
});
