import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { GUARDIAN_PATH } from "../../lib/addon.ts";

const SAFE = '{"type":"safe"}\n';

async function socketPath(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gdo-guardian-"));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, "board.sock");
}

/** A board that collects what each connection says until it ends. */
class Board {
  readonly heard: string[] = [];
  readonly #server: Server;
  #onHeard: () => void = () => {};

  constructor() {
    this.#server = createServer((socket) => {
      text(socket).then((said) => {
        this.heard.push(said);
        this.#onHeard();
      });
    });
  }

  async listen(t: ExecutionContext, path: string): Promise<void> {
    this.#server.listen(path);
    await once(this.#server, "listening");
    t.teardown(() => this.#server.close());
  }

  async next(): Promise<string[]> {
    if (this.heard.length === 0) await new Promise<void>((resolve) => (this.#onHeard = resolve));
    return this.heard;
  }
}

function guard(t: ExecutionContext, ...args: string[]): ChildProcess {
  const child = spawn(GUARDIAN_PATH, args, { stdio: ["pipe", "ignore", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

/** Status and what it said on standard error. */
async function end(child: ChildProcess): Promise<{ status: number | null; said: string }> {
  const said = child.stderr === null ? "" : text(child.stderr);
  const [status] = await once(child, "close");
  return { status, said: await said };
}

test("[A4] guardian: when the pipe of the door process ends, the lines are told to be safe", async (t) => {
  const path = await socketPath(t);
  const board = new Board();
  await board.listen(t, path);
  const guardian = guard(t, "--unix", path);
  guardian.stdin?.write("what is written here means nothing\n".repeat(100));
  await delay(100);
  t.deepEqual(board.heard, []);
  guardian.stdin?.end();
  t.deepEqual(await end(guardian), { status: 0, said: "" });
  t.deepEqual(await board.next(), [SAFE]);
});

test("[A4] guardian: it outlives every signal that a Ctrl-C, a hang-up or a stop of the group sends", async (t) => {
  const path = await socketPath(t);
  const board = new Board();
  await board.listen(t, path);
  const guardian = guard(t, "--unix", path);
  await delay(100); // Its first act is to ignore signals; before that it is not yet a guardian.
  for (const signal of [
    "SIGINT",
    "SIGTERM",
    "SIGHUP",
    "SIGQUIT",
    "SIGTSTP",
    "SIGUSR1",
    "SIGPIPE",
    "SIGALRM",
  ] as const) {
    t.true(guardian.kill(signal));
  }
  await delay(100);
  t.is(guardian.exitCode, null);
  t.is(guardian.signalCode, null);
  t.deepEqual(board.heard, []);
  guardian.stdin?.end();
  t.is((await end(guardian)).status, 0);
  t.deepEqual(await board.next(), [SAFE]);
});

test("[A4] guardian: kill -9 of the process that started it makes the lines safe", async (t) => {
  const path = await socketPath(t);
  const board = new Board();
  await board.listen(t, path);
  const script = `
    const { spawn } = require("node:child_process");
    const guardian = spawn(${JSON.stringify(GUARDIAN_PATH)}, ["--unix", ${JSON.stringify(path)}], { stdio: ["pipe", 1, 2] });
    guardian.on("spawn", () => console.log("guarded"));
  `;
  const door = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(door.stdout, "data");
  t.deepEqual(board.heard, []);
  door.kill("SIGKILL");
  t.deepEqual(await board.next(), [SAFE]);
});

test("[A4] guardian: a board that answers only after a moment is still told", async (t) => {
  const path = await socketPath(t);
  const guardian = guard(t, "--unix", path);
  guardian.stdin?.end();
  await delay(200);
  const board = new Board();
  await board.listen(t, path);
  t.is((await end(guardian)).status, 0);
  t.deepEqual(await board.next(), [SAFE]);
});

test("[N6] guardian: a board that is not there is one line and status 1", async (t) => {
  const path = await socketPath(t);
  const guardian = guard(t, "--unix", path);
  guardian.stdin?.end();
  const { status, said } = await end(guardian);
  t.is(status, 1);
  t.is(said, `gdo-guardian: lines not made safe: ${path}: No such file or directory\n`);
});

test("[N6] guardian: without a standard input it acts at once", async (t) => {
  const path = await socketPath(t);
  const board = new Board();
  await board.listen(t, path);
  const shell = spawn("sh", ["-c", 'exec "$0" --unix "$1" <&-', GUARDIAN_PATH, path]);
  t.is((await end(shell)).status, 0);
  t.deepEqual(await board.next(), [SAFE]);
});

test("[N6] guardian: what it does not know it refuses with status 2, before it waits for anything", async (t) => {
  for (const args of [
    [],
    ["--unix"],
    ["--gpio", "gpiochip0:17"],
    ["--unix", "/run/a.sock", "--gpio"],
    ["--unix", ""],
    ["--unix", `/${"x".repeat(108)}`],
  ]) {
    const { status, said } = await end(guard(t, ...args));
    t.is(status, 2, args.join(" "));
    t.is(said.trimEnd().split("\n").length, 1);
  }
});
