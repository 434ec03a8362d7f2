/** Where the homes of the demo lie, and how each is configured. */
import { join } from "node:path";
import type { DoorNode } from "../demo-script/cast.ts";
import type { Config } from "../home/config.ts";
import { homePaths } from "../home/home.ts";

export function homeOf(folder: string, node: string): string {
  return join(folder, node);
}

/** The socket of a door's line board. In run/, whose paths are known to fit into a socket address. */
export function boardSocket(folder: string, node: string): string {
  return join(homePaths(homeOf(folder, node)).run, "board.sock");
}

const MERGE_EVERY_MS = 500;

/** Wall time is steered through the day; nothing else differs from a real node's configuration. */
export function officeConfig(startMs: number): Partial<Config> {
  return {
    embeddedBroker: { host: "127.0.0.1", port: 0 },
    merge: { everyMs: MERGE_EVERY_MS },
    clock: "steered",
    startMs,
    log: { level: "warn" },
  };
}

/** A strike may stay energised so long; five seconds is what doors usually take. */
const UNLOCK_MS = 5000;

export function doorConfig(
  folder: string,
  node: DoorNode,
  options: { startMs: number; brokerPort: number },
): Partial<Config> & { name: string } {
  const doors = node.readers.map((reader) => ({ id: reader, reader, strike: `strike-${reader}`, unlockMs: UNLOCK_MS }));
  const { startMs, brokerPort } = options;
  return {
    name: node.name,
    broker: { url: `mqtt://127.0.0.1:${brokerPort}` },
    merge: { everyMs: MERGE_EVERY_MS },
    log: { level: "warn" },
    clock: "steered",
    startMs,
    door: {
      lines: "simulated",
      board: boardSocket(folder, node.name),
      clock: "steered",
      startMs,
      onLogFailure: "deny",
      doors,
    },
  };
}
