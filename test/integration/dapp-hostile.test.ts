/** [D2] Each kind of bad behaviour: stopped within its limits, named, an ERROR, harmless to the others. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { GdoError, type Hash, SystemClock, silentLog } from "../../lib/base/index.ts";
import { DappHost, RuncRuntime } from "../../lib/dapp/index.ts";
import {
  containersMissing,
  emptyState,
  leftBehind,
  makeTestRootfs,
  ProgramImages,
  programSpec,
  removeTestRootfs,
} from "../support/dapp-containers.ts";

const missing = containersMissing();
const test = (missing === undefined ? anyTest.serial : anyTest.serial.skip) as TestFn;
const rootfs = missing === undefined ? makeTestRootfs() : "";
const runDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
const mark = `gdo-${process.pid.toString(36)}hostile`;

anyTest.after.always(() => {
  if (rootfs !== "") removeTestRootfs(rootfs);
  rmSync(runDir, { recursive: true, force: true });
});

function hostWith(limits?: string): DappHost {
  const runtime = new RuncRuntime({ runDir, mark, log: silentLog });
  return new DappHost({ runtime, images: new ProgramImages(rootfs, limits), log: silentLog, clock: new SystemClock() });
}

/** Asks a program twice: both fail alike, so the first failure left nothing that helps or hinders. */
async function failureOf(t: ExecutionContext, program: string, limits?: string): Promise<GdoError> {
  const host = hostWith(limits);
  const dapp = await host.dapp(program as Hash);
  const error = await t.throwsAsync(dapp.query("it", null, emptyState), { instanceOf: GdoError });
  const well = await host.dapp("counts" as Hash);
  t.is(await well.query("it", null, emptyState), 1, "another dapp answers as ever");
  await host.close();
  t.deepEqual(leftBehind(mark, runDir), []);
  if (error === undefined) throw new Error("no failure");
  return error;
}

test("[D2] an endless loop ends at its wall limit, named", async (t) => {
  const { code, message } = await failureOf(t, "loop", "{wall: 1s}");
  t.is(code, "DAPP_LIMIT");
  t.is(message, "loop hit its wall limit of 1 s");
});

test("[D2] silence ends at its wall limit, named", async (t) => {
  const { code, message } = await failureOf(t, "silent", "{wall: 700ms}");
  t.is(code, "DAPP_LIMIT");
  t.is(message, "silent hit its wall limit of 700 ms");
});

test("[D2] a hoarder of memory is killed at its limit, named", async (t) => {
  const { code, message } = await failureOf(t, "hoards", "{memory: 64MiB}");
  t.is(code, "DAPP_LIMIT");
  t.regex(message, /^hoards hit its memory limit of 64 MiB/);
});

test("[D2] a fork bomb stays within its pids limit, which is named", async (t) => {
  const { code, message } = await failureOf(t, "forks", "{memory: 256MiB, pids: 24, wall: 3s}");
  t.is(code, "DAPP_LIMIT");
  t.regex(message, /hit its pids limit of 24/);
});

test("[D2] endless output ends at its limit", async (t) => {
  const { code, message } = await failureOf(t, "floods");
  t.is(code, "DAPP_ERROR");
  t.is(message, "floods wrote a line that is no JSON-RPC 2.0 message");
});

test("[D2] an endless line ends at the line limit, named", async (t) => {
  const { code, message } = await failureOf(t, "longline", "{memory: 1GiB, wall: 30s}");
  t.is(code, "DAPP_LIMIT");
  t.is(message, "longline hit its line limit of 32 MiB");
});

test("[D2] a container that exits at once is an error with its last words", async (t) => {
  const { code, message } = await failureOf(t, "exits");
  t.is(code, "DAPP_ERROR");
  t.is(message, "exits ended with status 4 before it answered; its last words: no more");
});

test("[D2] a program that is not in the image is an error of its container", async (t) => {
  const images = new ProgramImages(rootfs);
  const manifestText = async (): Promise<string> =>
    "name: absent\nversion: 1.0.0\nimage: {base: node, run: [/app/absent]}\nqueries: {it: anything}";
  const runtime = new RuncRuntime({ runDir, mark, log: silentLog });
  const absent = { rootfs: () => images.rootfs(), manifestText, text: manifestText };
  const host = new DappHost({ runtime, images: absent, log: silentLog, clock: new SystemClock() });
  const dapp = await host.dapp("absent" as Hash);
  const error = await t.throwsAsync(dapp.query("it", null, emptyState), { instanceOf: GdoError });
  t.is(error?.code, "CONTAINER");
  t.regex(error?.message ?? "", /absent could not be started: .*no such file/);
  await host.close();
});

test("[D2] containers that the agent's kill -9 left end, and cleanup removes what bears its mark only", async (t) => {
  const agent = spawn(process.execPath, ["dist/test/support/dapp-agent.js", rootfs, runDir, mark, "loop"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(agent.stdout, "data");
  t.not(leftBehind(mark, runDir).length, 0);
  // Another home on the same machine, with a mark that begins alike.
  const otherDir = mkdtempSync(join(tmpdir(), "gdo-run-"));
  const other = new RuncRuntime({ runDir: otherDir, mark: `${mark}2`, log: silentLog });
  let heard = "";
  const listener = {
    output: (bytes: Uint8Array): void => {
      heard += Buffer.from(bytes).toString();
    },
    log: (): void => {},
  };
  const neighbour = await other.start(programSpec(rootfs, "echo"), listener);
  agent.kill("SIGKILL");
  await once(agent, "exit");

  await new RuncRuntime({ runDir, mark, log: silentLog }).cleanup();
  t.deepEqual(leftBehind(`${mark}-`, runDir), []);
  await neighbour.write("still here\n");
  neighbour.closeInput();
  t.is((await neighbour.ended).status, 7);
  t.is(heard, "still here\n");
  rmSync(otherDir, { recursive: true, force: true });
});

test("[D2] a well-behaved container ends by itself when the agent is killed", async (t) => {
  const agent = spawn(process.execPath, ["dist/test/support/dapp-agent.js", rootfs, runDir, mark, "counts"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(agent.stdout, "data");
  agent.kill("SIGKILL");
  await once(agent, "exit");
  const processes = (): string[] => leftBehind(`${mark}-`, runDir).filter((what) => what.startsWith("process"));
  while (processes().length > 0) await new Promise((wake) => setTimeout(wake, 20));
  await new RuncRuntime({ runDir, mark, log: silentLog }).cleanup();
  t.deepEqual(leftBehind(`${mark}-`, runDir), []);
});
