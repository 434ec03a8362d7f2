/** A home with a door, its line board, and its door process as a process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ExecutionContext } from "ava";
import {
  encodePolicy,
  encodeSignedPolicy,
  type PolicySource,
  parseSwipe,
  SWIPE_ACT,
  type SwipeEvent,
  signPolicy,
  tagRef,
} from "../../lib/access/index.ts";
import { credentialMac } from "../../lib/agent/apps/credential-mac.ts";
import { type HomePaths, homePaths, readSecret } from "../../lib/agent/home/home.ts";
import { initHome, readNodeKey } from "../../lib/agent/home/setup.ts";
import { type Block, type Canonical, decodeBlock, type KeyPair } from "../../lib/codec/index.ts";
import { LedgerDb } from "../../lib/db/index.ts";
import { LineBoard } from "../../lib/device/index.ts";
import { type Act, parseEntryPayload } from "../../lib/ledger/index.ts";
import { HOUR_MS, source, tagOf } from "./policy-fixtures.ts";

const MAIN = new URL("./door-main.js", import.meta.url).pathname;
/** The clock of the played day starts here: an hour after the snapshot was issued. */
export const START_MS = 1001 * HOUR_MS;
export const DOORS = [
  { id: "front", reader: "front-door", strike: "front-strike", unlockMs: 5000 },
  { id: "laser", reader: "laser-1", strike: "laser-relay", unlockMs: 5000 },
];

export interface DoorHome {
  readonly root: string;
  readonly paths: HomePaths;
  readonly board: LineBoard;
  readonly issuer: KeyPair;
  refOf(card: number): string;
  signed(changes?: Partial<PolicySource>): Uint8Array;
}

/** Made anew for each test; torn down with it. */
export async function makeDoorHome(t: ExecutionContext, door: Record<string, unknown> = {}): Promise<DoorHome> {
  const root = mkdtempSync(join(tmpdir(), "gdo-door-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const boardPath = join(root, "board.sock");
  const board = await LineBoard.listen(boardPath);
  t.teardown(() => board.close());
  const config = {
    lines: "simulated",
    board: boardPath,
    clock: "steered",
    startMs: START_MS,
    onLogFailure: "deny",
    doors: DOORS,
  };
  const home = join(root, "home");
  await initHome({
    root: home,
    organisation: "Test",
    nodeName: "front-door",
    config: { door: { ...config, ...door } as never },
  });
  const paths = homePaths(home);
  const mac = credentialMac(readSecret(paths.credentialKey));
  const refOf = (card: number): string => tagRef(mac, tagOf(card));
  const issuer = readNodeKey(paths);
  const signed = (changes: Partial<PolicySource> = {}): Uint8Array =>
    encodeSignedPolicy(signPolicy(encodePolicy(source({ ...ownCards(refOf), ...changes })), issuer));
  writeFileSync(paths.doorPolicy, signed());
  return { root: home, paths, board, issuer, refOf, signed };
}

export const CARD_MEMBER = 4_134_419;
export const CARD_STRUCK_OUT = 1_258_648;
export const CARD_UNKNOWN = 5_555_555;

function ownCards(refOf: (card: number) => string): Pick<PolicySource, "credentials"> {
  return {
    credentials: [
      { ref: refOf(CARD_MEMBER), person: "bob" },
      { ref: refOf(CARD_STRUCK_OUT), person: "ann", isDenied: true },
    ],
  };
}

export interface DoorProcess {
  readonly child: ChildProcess;
  readonly guardianPid: number;
  /** What it wrote to standard error so far. */
  errors(): string;
}

/** Resolves when the readers are open. */
export async function startDoor(t: ExecutionContext, home: DoorHome): Promise<DoorProcess> {
  const child = spawn(process.execPath, [MAIN, home.root], { stdio: ["pipe", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([once(lines, "line"), once(child, "exit").then(() => [`ended: ${errors}`])]);
  const guardianPid = /^ready (\d+)$/.exec(String(line))?.[1];
  if (guardianPid === undefined) throw new Error(`the door process did not start: ${line}`);
  await home.board.connected("front-door");
  return { child, guardianPid: Number(guardianPid), errors: () => errors };
}

export async function endOf({ child }: DoorProcess): Promise<number | string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode ?? child.signalCode ?? "";
}

export interface LoggedAct extends Act {
  readonly block: Block;
}

/** Everything in the door's log, in order, read while no door process runs. */
export function readDoorLog({ paths }: DoorHome): LoggedAct[] {
  const db = LedgerDb.open(paths.doorDb, { readOnly: true });
  try {
    const logs = db.frontier().flatMap(({ author, l, n }) => db.range(author, l, 0, n, Number.MAX_SAFE_INTEGER));
    const entries = logs.map(decodeBlock).filter(({ k }) => k === "entry");
    return entries.flatMap((block) => parseEntryPayload(block.d).acts.map((act) => ({ ...act, block })));
  } finally {
    db.close();
  }
}

export const swipesOf = (acts: readonly { type: string; body: Canonical }[]): SwipeEvent[] =>
  acts.filter(({ type }) => type === SWIPE_ACT).map(({ body }) => parseSwipe(body));

/** Resolves once the condition holds; looks again whenever the event loop turns. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Whether a process runs; one that is dead and not yet waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}
