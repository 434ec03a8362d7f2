/**
 * `gdo door`: the composition root of the door process. Lines go safe first, then the guardian watches,
 * then log and policy are opened, and only then the readers. It needs no agent to decide and no network
 * to log. Rules: docs/design/door.md.
 */
import { GdoError, SteeredClock } from "../../base/index.ts";
import { refuseOnoffReader, SimulatedLines, WiegandReader } from "../../device/index.ts";
import { credentialMac } from "../apps/credential-mac.ts";
import type { DoorConfig } from "../home/config.ts";
import { readSecret } from "../home/home.ts";
import { Guardian } from "./guardian.ts";
import { DoorLatch } from "./latch.ts";
import { closeAll, type DoorOptions, type DoorParts, prepareDoor } from "./parts.ts";
import { type DoorRecords, openRecords } from "./records.ts";
import { handleSwipe, type SwipeContext } from "./swipe.ts";

export type { DoorOptions } from "./parts.ts";

export interface DoorHandle {
  /** Process id of the guardian that runs now. */
  readonly guardianPid: number | undefined;
  /** Strikes first, then the log, then the rest. A second call waits for the first. */
  close(): Promise<void>;
}

/** Runs the door of a home until close(). CONFIG_INVALID, HOME_LOCKED, KEY_INVALID, LINE_INVALID when it cannot. */
export async function runDoor(options: DoorOptions): Promise<DoorHandle> {
  const parts = prepareDoor(options);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= closeAll(parts.closers);
    return closing;
  };
  try {
    const watch = await start(parts);
    return {
      close,
      get guardianPid() {
        return watch.guardian?.pid;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Watch {
  guardian?: Guardian;
}

async function start(parts: DoorParts): Promise<Watch> {
  const { config, clock, stopwatch, log, closers } = parts;
  const watch: Watch = {};
  const board = boardOf(config);
  const steering = clock instanceof SteeredClock ? { onAdvance: (ms: number) => clock.advanceTo(ms) } : {};
  const lines = new SimulatedLines({ path: board, clock, log, ...steering });
  const latches = openLatches(parts, lines);
  closers.push(async () => watch.guardian?.close()); // After the lines: its "safe" would cut them off.
  await lines.open();
  closers.push(() => lines.close());
  await Promise.all([...latches.values()].map((latch) => latch.start())); // [A4] Safe before anything else.
  watch.guardian = await Guardian.start({ board, clock: stopwatch, log });
  const records = await openRecords(parts);
  closers.push(async () => {
    for (const latch of latches.values()) await latch.close();
  });
  openReaders(parts, { lines, latches, records });
  return watch;
}

/** Only simulated lines have readers yet, and each door of the configuration has one. */
function boardOf({ lines, board, doors }: DoorConfig): string {
  const [first] = doors;
  if (lines === "onoff" && first !== undefined) refuseOnoffReader(first.reader);
  if (board === undefined)
    throw new GdoError("CONFIG_INVALID", "door.board: simulated lines need the socket of a line board");
  return board;
}

type Latches = ReadonlyMap<string, DoorLatch>;

/** One latch a strike: two readers may open one door. */
function openLatches({ config, clock, log }: DoorParts, lines: SimulatedLines): Latches {
  const strikes = new Set(config.doors.map(({ strike }) => strike));
  return new Map([...strikes].map((strike) => [strike, new DoorLatch(lines.output(strike), clock, log)]));
}

function contextOf({ paths, config, stopwatch, log }: DoorParts, { doorLog, policy, boot }: DoorRecords): SwipeContext {
  const mac = credentialMac(readSecret(paths.credentialKey));
  const { onLogFailure, clock: clockQuality } = config;
  return { log, mac, doorLog, boot, clockQuality, stopwatch, onLogFailure, inForce: () => policy.inForce };
}

interface Wiring {
  readonly lines: SimulatedLines;
  readonly latches: Latches;
  readonly records: DoorRecords;
}

function openReaders(parts: DoorParts, { lines, latches, records }: Wiring): void {
  const { config, clock, stopwatch, log, closers } = parts;
  const context = contextOf(parts, records);
  const names = new Set<string>();
  for (const { id, reader: name, strike, unlockMs } of config.doors) {
    if (names.has(name)) throw new GdoError("CONFIG_INVALID", `door.doors: the reader ${name} is named twice`);
    names.add(name);
    const latch = latches.get(strike) as DoorLatch;
    const reader = new WiegandReader({
      name,
      clock,
      stopwatch,
      onFrame: (frame) => handleSwipe(context, { id, latch, unlockMs }, frame),
      onFault: (cause) => log.error("a swipe was not dealt with", { reader: name, cause: String(cause) }),
    });
    closers.push(() => reader.close());
    lines.attach(name, reader);
  }
}
