/** What a program finds when it tries to get out of its container. Needs runc, root and a C compiler. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { silentLog } from "../../lib/base/index.ts";
import { type ContainerEnd, RuncRuntime } from "../../lib/dapp/index.ts";
import {
  compileInto,
  containersMissing,
  leftBehind,
  makeTestRootfs,
  programSpec,
  removeTestRootfs,
} from "../support/dapp-containers.ts";

interface Facts {
  readonly [name: string]: unknown;
  readonly namespaces: Readonly<Record<string, string>>;
  readonly syscalls: Readonly<Record<string, number>>;
}

const missing = containersMissing();
const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const mark = `gdo-${process.pid.toString(36)}confine`;
const runtime = new RuncRuntime({ runDir, mark, log: silentLog });
let rootfs = "";
let facts: Facts;

anyTest.before(async () => {
  if (missing !== undefined) return;
  rootfs = makeTestRootfs();
  compileInto(rootfs, "attack.c", "app/attack");
  // A unit with a watchdog has these; runc must not see them [D5].
  process.env.NOTIFY_SOCKET = join(runDir, "notify");
  process.env.WATCHDOG_USEC = "1000000";
  process.env.WATCHDOG_PID = String(process.pid);
  const secret = join(runDir, "secret");
  writeFileSync(secret, "host secret");
  chmodSync(runDir, 0o755); // What hides it must be the container, not its mode.
  const { end, output, logged } = await ran(["node", "/app/probe.mjs", secret]);
  if (end.status !== 0) throw new Error(`the probe failed: ${JSON.stringify(end)} ${logged}`);
  facts = JSON.parse(output);
});

/** Runs a program of the image to its end. */
async function ran(run: readonly string[]): Promise<{ end: ContainerEnd; output: string; logged: string }> {
  let output = "";
  let logged = "";
  const listener = {
    output: (bytes: Uint8Array): void => {
      output += Buffer.from(bytes).toString();
    },
    log: (bytes: Uint8Array): void => {
      logged += Buffer.from(bytes).toString();
    },
  };
  const end = await (await runtime.start({ ...programSpec(rootfs, "probe"), run }, listener)).ended;
  return { end, output, logged };
}

anyTest.after.always(() => {
  if (rootfs !== "") removeTestRootfs(rootfs);
  rmSync(runDir, { recursive: true, force: true });
});

test("[D5] a container starts and ends with NOTIFY_SOCKET and WATCHDOG_* set, and does not see them", (t) => {
  t.deepEqual(
    Object.keys(facts.env as object).filter((name) => /NOTIFY|WATCHDOG/.test(name)),
    [],
  );
});

test("[D1] it runs as nobody, without capabilities or ways to new ones, under a filter", (t) => {
  t.is(facts.uid, 65534);
  t.is(facts.capabilities, "0000000000000000");
  t.is(facts.bounding, "0000000000000000");
  t.is(facts.noNewPrivs, "1");
  t.is(facts.seccomp, "2");
});

test("[D1] it has namespaces of its own", (t) => {
  for (const [name, id] of Object.entries(facts.namespaces)) t.not(id, readlinkSync(`/proc/self/ns/${name}`), name);
  t.is(facts.pid, 1);
  t.is(facts.processes, 1);
});

test("[D1] only /scratch can be written, and no more than its size", (t) => {
  t.is(facts.writeRoot, "EROFS");
  t.is(facts.writeTmp, "EROFS");
  t.is(facts.writeDev, "EROFS");
  t.true(["EROFS", "ENOENT"].includes(facts.writeProcSys as string));
  t.is(facts.writeScratch, "ok");
  t.is(facts.fillScratch, "ENOSPC");
});

test("[D1] it has four devices, no /sys, and kernel files are empty", (t) => {
  t.deepEqual(facts.dev, ["null", "random", "urandom", "zero"]);
  t.is(facts.sys, "ENOENT");
  for (const name of ["kcore", "kallsyms"]) t.true([0, "ENOENT"].includes(facts[name] as never), name);
});

test("[D1] it has no network: no interface but its own, no socket", (t) => {
  t.deepEqual(
    (facts.interfaces as string[]).filter((name) => name !== "lo"),
    [],
  );
  t.is(facts.connect, "EPERM");
});

test("[D1] system calls that lead out are refused, and a plain fork is not", (t) => {
  const { fork_is_let: fork, clone3, ...others } = facts.syscalls;
  const let_in = Object.entries(others).filter(([, errno]) => errno !== constants.errno.EPERM);
  t.deepEqual(let_in, []);
  t.is(clone3, constants.errno.ENOSYS);
  t.is(fork, 0);
});

test("[D3] host name, environment and time zone are fixed", (t) => {
  t.is(facts.hostname, "gdo");
  t.deepEqual(facts.env, {
    PATH: "/usr/bin:/bin",
    HOME: "/scratch",
    TMPDIR: "/scratch",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    TZ: "UTC",
  });
});

test("[D4] nothing of the host is in its root", (t) => {
  t.deepEqual(facts.root, ["app", "bin", "dev", "etc", "lib", "lib64", "proc", "sbin", "scratch", "tmp", "usr"]);
});

test("[D4] no path leads to a file of the host: no link, no folder of another process, no open file", (t) => {
  t.deepEqual(facts.reached, []);
});

test("[D4] CVE-2024-21626: no folder of the host is open in the container, nor is it where the program starts", async (t) => {
  t.deepEqual(facts.strangeFiles, []);
  t.is(facts.cwd, "/");
  for (const folder of ["/proc/self/fd/7", "/proc/self/fd/8"]) {
    const { end } = await ran([`${folder}/../../../../../../../..${realpathSync(process.execPath)}`, "-e", "0"]);
    t.regex(end.startFailure ?? "", /no such file|not a directory|permission denied/i, folder);
  }
});

test("[D1] CVE-2025-31133, CVE-2025-52565: what is masked is empty, and /dev/null is what it is called", (t) => {
  t.deepEqual(facts.unmasked, []);
  t.true(facts.nullIsNull);
});

test("[D1] CVE-2025-52881: no file of /proc by which a host is changed takes a word", (t) => {
  t.deepEqual(facts.taken, []);
});

test("[D1] what is written to scratch cannot be run, setuid or not", (t) => {
  t.is(facts.scratchProgram, "EACCES");
});

test("[D1] CVE-2019-5736: an image whose program is runc itself cannot write to it", async (t) => {
  for (const code of facts.ownProgram as string[]) t.true(["EACCES", "EROFS", "ETXTBSY", "EPERM"].includes(code), code);
  const runc = execFileSync("which", ["runc"], { encoding: "utf8" }).trim();
  for (const [, path = ""] of execFileSync("ldd", [runc], { encoding: "utf8" }).matchAll(/=> (\/\S+)/g))
    copyFileSync(path, join(rootfs, "lib", path.slice(path.lastIndexOf("/") + 1)));
  execFileSync("cc", ["-shared", "-fPIC", "-o", join(rootfs, "app/overwrite.so"), "test/fixtures/dapps/overwrite.c"]);
  writeFileSync(join(rootfs, "etc/ld.so.preload"), "/app/overwrite.so\n");
  symlinkSync("/proc/self/exe", join(rootfs, "app/self"));
  const { end, output } = await ran(["/app/self", "init"]);
  rmSync(join(rootfs, "etc/ld.so.preload"));
  t.is(end.startFailure, undefined, "the attack itself has run");
  const { program, direct, held, parent } = JSON.parse(output) as Record<string, string | number>;
  t.regex(String(program), /runc|^\/$/, "runc's own file, or a mount of it that has no place and so no name");
  for (const errno of [direct, held, parent]) {
    t.true([constants.errno.EACCES, constants.errno.EROFS, constants.errno.EPERM].includes(Number(errno)), output);
  }
});

test("[D1] without root all holds but control groups and an id range, and that is said", (t) => {
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"];
  const ownDir = mkdtempSync(join(tmpdir(), "gdo-rootless-"));
  chownSync(ownDir, 65534, 65534);
  chmodSync(join(rootfs, ".."), 0o755);
  const program = [process.execPath, "dist/test/support/rootless-run.js", rootfs, ownDir, join(runDir, "secret")];
  const env = { PATH: process.env.PATH, HOME: ownDir, XDG_RUNTIME_DIR: ownDir };
  const said = JSON.parse(execFileSync("setpriv", [...nobody, ...program], { env, encoding: "utf8" }));
  t.deepEqual(said.info.missing, [
    "control group memory",
    "control group pids",
    "control group cpu",
    "an id range of its own",
  ]);
  t.deepEqual(said.end, { status: 7, limits: [] });
  t.is(said.status, 0);
  t.like(said.facts, {
    uid: 0,
    capabilities: "0000000000000000",
    seccomp: "2",
    reached: [],
    strangeFiles: [],
    unmasked: [],
    taken: [],
    connect: "EPERM",
    writeRoot: "EROFS",
  });
  t.deepEqual(leftBehind("gdo-rootless", ownDir), []);
  rmSync(ownDir, { recursive: true, force: true });
});

test("[D1] nothing is left behind", (t) => {
  t.deepEqual(leftBehind(mark, runDir), []);
});
