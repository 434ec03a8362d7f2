import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { ControlClient, ControlServer } from "../../lib/agent/control.ts";
import { GdoError } from "../../lib/base/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** `wait` lasts until its signal ends it; `waiting` tells how many do. */
async function connected(t: ExecutionContext): Promise<{ client: ControlClient; reasons: unknown[] }> {
  const path = join(await temporaryFolder(t), "socket");
  const reasons: unknown[] = [];
  let waiting = 0;
  const call = (method: string, _params?: unknown, signal?: AbortSignal): Promise<unknown> => {
    if (method !== "wait") return Promise.resolve(waiting);
    waiting += 1;
    return new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => {
        waiting -= 1;
        reasons.push(signal.reason);
        reject(signal.reason);
      });
    });
  };
  const server = await ControlServer.listen(path, { call });
  const client = (await ControlClient.connect(path)) as ControlClient;
  t.teardown(async () => {
    await client.close();
    await server.close();
  });
  return { client, reasons };
}

test("control: a signal ends the call that it was given, and no other of the connection", async (t) => {
  const { client, reasons } = await connected(t);
  const [first, second] = [new AbortController(), new AbortController()];
  const calls = [client.call("wait", {}, first.signal), client.call("wait", {}, second.signal)] as const;
  t.is(await client.call("waiting"), 2);
  const why = new Error("enough");
  first.abort(why);
  t.is(await t.throwsAsync(calls[0]), why);
  t.is(await client.call("waiting"), 1); // What it ended has ended.
  second.abort(why);
  await t.throwsAsync(calls[1]);
  t.deepEqual(
    reasons.map((reason) => reason instanceof GdoError && reason.code),
    ["IO", "IO"],
  );
});

test("control: a signal that was given before asks for nothing, and one that comes too late changes nothing", async (t) => {
  const { client } = await connected(t);
  await t.throwsAsync(client.call("wait", {}, AbortSignal.abort(new Error("enough"))), { message: "enough" });
  const late = new AbortController();
  t.is(await client.call("waiting", {}, late.signal), 0);
  late.abort();
  t.is(await client.call("waiting"), 0);
});

test("control: who goes away ends what it asked for", async (t) => {
  const { client, reasons } = await connected(t);
  const call = client.call("wait");
  await client.call("waiting");
  const failed = t.throwsAsync(call, { code: "AGENT_UNREACHABLE" });
  await client.close();
  await failed;
  t.is(reasons.length, 1);
});
