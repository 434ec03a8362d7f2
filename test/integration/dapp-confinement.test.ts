/** What a program finds when it tries to get out of its container. Needs runc, root and a C compiler. */
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type TestFn } from "ava";
import { silentLog } from "../../lib/base/index.ts";
import { RuncRuntime } from "../../lib/dapp/index.ts";
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
  const runtime = new RuncRuntime({ runDir, mark, log: silentLog });
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
  const spec = { ...programSpec(rootfs, "probe"), run: ["node", "/app/probe.mjs"] };
  const end = await (await runtime.start(spec, listener)).ended;
  if (end.status !== 0) throw new Error(`the probe failed: ${JSON.stringify(end)} ${logged}`);
  facts = JSON.parse(output);
});

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
  t.is(facts.writeProcSys, "EROFS");
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

test("[D1] nothing is left behind", (t) => {
  t.deepEqual(leftBehind(mark, runDir), []);
});
