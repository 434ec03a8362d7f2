import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { Child, type ChildEvent } from "../../lib/agent/demo/child.ts";
import { claimFolder } from "../../lib/agent/demo/folder.ts";
import { LinkProxy } from "../../lib/agent/demo/link-proxy.ts";
import { SystemClock } from "../../lib/base/index.ts";

function scratch(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gdo-demo-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A far end that sends back what it gets. */
async function echo(t: ExecutionContext): Promise<number> {
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  return (server.address() as { port: number }).port;
}

function dial(port: number): Socket {
  return createConnection(port, "127.0.0.1").on("error", () => {});
}

/** What came back for one byte, or that the connection was closed. */
function ping(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (bytes) => resolve(String(bytes)));
    socket.once("close", () => resolve("closed"));
    socket.write("x");
  });
}

test("demo link: relays until it is cut, refuses while cut, relays again when restored", async (t) => {
  const link = await LinkProxy.start(await echo(t));
  t.teardown(() => link.close());
  const first = dial(link.port);
  t.is(await ping(first), "x");
  const closed = new Promise((resolve) => first.once("close", resolve));
  link.cut();
  await closed;
  t.is(await ping(dial(link.port)), "closed");
  link.restore();
  const third = dial(link.port);
  t.is(await ping(third), "x");
  third.destroy();
});

test("demo link: follows a broker to its new port", async (t) => {
  const link = await LinkProxy.start(1);
  t.teardown(() => link.close());
  t.is(await ping(dial(link.port)), "closed");
  link.retarget(await echo(t));
  const socket = dial(link.port);
  t.is(await ping(socket), "x");
  socket.destroy();
});

test("demo folder: a folder with something else in it is left alone", (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, "thesis.txt"), "years of work");
  t.throws(() => claimFolder(folder), { code: "HOME_EXISTS" });
  t.deepEqual(readdirSync(folder), ["thesis.txt"]);
});

test("demo folder: a former demo's homes make room, what others put beside them stays", (t) => {
  const folder = scratch(t);
  claimFolder(folder)();
  mkdirSync(join(folder, "office"));
  writeFileSync(join(folder, "office", "ledger.db"), "old");
  writeFileSync(join(folder, "notes.txt"), "mine");
  claimFolder(folder)();
  t.false(existsSync(join(folder, "office")));
  t.true(existsSync(join(folder, "notes.txt")));
});

test("demo folder: two demos do not share one", (t) => {
  const folder = scratch(t);
  const release = claimFolder(folder);
  t.throws(() => claimFolder(folder), { code: "HOME_LOCKED" });
  release();
  t.notThrows(() => claimFolder(folder)());
});

/** A stand-in for the launcher: a real process, as short as a supervisor's test needs. */
function program(t: ExecutionContext, text: string): string {
  const path = join(scratch(t), "program.mjs");
  writeFileSync(path, text);
  return path;
}

interface Heard {
  readonly events: ChildEvent[];
  readonly deaths: string[];
  givenUp: string | undefined;
}

function supervise(t: ExecutionContext, text: string): { child: Child; heard: Heard } {
  const heard: Heard = { events: [], deaths: [], givenUp: undefined };
  const child = new Child({
    name: "the test's process",
    words: [program(t, text)],
    clock: new SystemClock(),
    onEvent: (event) => heard.events.push(event),
    onDeath: (how) => heard.deaths.push(how),
    onGivenUp: (error) => {
      heard.givenUp = error.message;
    },
    onComplaint: () => {},
  });
  t.teardown(() => child.stop());
  return { child, heard };
}

const LIVES = `console.log(JSON.stringify({ type: "ready", pid: process.pid })); setInterval(() => {}, 1000);`;

test("demo child: one that is killed is started again, told of and counted", async (t) => {
  const { child, heard } = supervise(t, LIVES);
  const { pid } = await child.ready();
  process.kill(pid as number, "SIGKILL");
  while (heard.deaths.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const again = await child.ready();
  t.not(again.pid, pid);
  t.deepEqual(heard.deaths, ["SIGKILL"]);
  t.is(child.restarts, 1);
});

test("demo child: one that is killed again and again before it is ready is not given up", async (t) => {
  const { child, heard } = supervise(t, "setInterval(() => {}, 1000);");
  while (heard.deaths.length < 5) {
    if (child.pid !== undefined) process.kill(child.pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.is(heard.givenUp, undefined);
});

test("demo child: stop ends it, and it stays ended", async (t) => {
  const { child, heard } = supervise(t, LIVES);
  const { pid } = await child.ready();
  await child.stop();
  t.throws(() => process.kill(pid as number, 0), { code: "ESRCH" });
  t.deepEqual(heard.deaths, []);
});

test("demo child: one that never comes up is given up, with its last words", async (t) => {
  const { child, heard } = supervise(t, `console.error("gdo: no such door"); process.exit(6);`);
  await t.throwsAsync(() => child.ready(), { code: "AGENT_UNREACHABLE", message: /status 6.*no such door/ });
  t.regex(heard.givenUp ?? "", /no such door/);
});
