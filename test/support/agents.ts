/** Running agents in process for tests: an office with its broker, and further devices of its organisation. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecutionContext } from "ava";
import { type AgentHandle, initHome, joinHome, openHome, readSecret, runAgent } from "../../lib/agent/index.ts";
import { type PublicKey, silentLog } from "../../lib/base/index.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface TestAgent {
  readonly root: string;
  readonly key: PublicKey;
  readonly agent: AgentHandle;
}

/** The founder of an organisation; serves the broker and merges by itself every 100 ms. */
export async function startOffice(t: ExecutionContext): Promise<TestAgent> {
  const root = join(await temporaryFolder(t), "office");
  const config = { embeddedBroker: { host: "127.0.0.1", port: 0 }, merge: { everyMs: 100 } };
  const { nodeKey } = await initHome({ root, organisation: "Test space", nodeName: "office", config });
  return { root, key: nodeKey, agent: await started(t, root) };
}

/** One more device, admitted by the office as a principal of its own that may only record. */
export async function startDevice(t: ExecutionContext, office: TestAgent, name: string): Promise<TestAgent> {
  const device = await joinDevice(t, office, name);
  const admission = {
    principals: [{ id: name, roles: ["device"] }],
    devices: [{ key: device.key, name, principal: name }],
  };
  await office.agent.api.call("admit", admission);
  return { ...device, agent: await started(t, device.root) };
}

/** A home that the charter does not know. */
export async function joinDevice(
  t: ExecutionContext,
  office: TestAgent,
  name: string,
): Promise<Omit<TestAgent, "agent">> {
  const root = join(await temporaryFolder(t), name);
  const paths = openHome(office.root);
  const { nodeKey } = await joinHome({
    root,
    charterEnvelope: new Uint8Array(readFileSync(paths.charter)),
    credentialKey: readSecret(paths.credentialKey),
    config: { name, broker: { url: `mqtt://127.0.0.1:${office.agent.brokerPort}` } },
  });
  return { root, key: nodeKey };
}

async function started(t: ExecutionContext, root: string): Promise<AgentHandle> {
  const agent = await runAgent({ root, log: silentLog });
  t.teardown(() => agent.close());
  return agent;
}

export interface Status {
  readonly entries: number;
  readonly pending: number;
  readonly stateRoot: string;
  readonly voids: number;
  readonly merges: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly organisation: { readonly id: string };
}

export async function statusOf({ agent }: Pick<TestAgent, "agent">): Promise<Status> {
  return (await agent.api.call("status")) as Status;
}

/** Waits for as long as it takes; the test runner notices a wait without end. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(20);
  }
}

/** Waits until both hold the same, with nothing left to merge. */
export function inStep(one: TestAgent, other: TestAgent): Promise<Status> {
  return until(async () => {
    const [mine, theirs] = [await statusOf(one), await statusOf(other)];
    const isEqual =
      mine.stateRoot === theirs.stateRoot && mine.entries === theirs.entries && mine.merges === theirs.merges;
    return isEqual && mine.pending === 0 && theirs.pending === 0 ? mine : undefined;
  });
}
