/** What the parts of a door process share, and how they are let go of. */
import { type Clock, GdoError, type Log, SteeredClock, SystemClock } from "../../base/index.ts";
import { type DoorConfig, readConfig } from "../home/config.ts";
import { type HomePaths, openHome } from "../home/home.ts";
import { lockHome } from "../home/lock.ts";

export interface DoorOptions {
  /** The home folder. */
  readonly root: string;
  readonly log: Log;
}

/** What must be let go of, in the order of its making. */
export type Closers = (() => void | Promise<void>)[];

export interface DoorParts {
  readonly paths: HomePaths;
  /** The node's name. */
  readonly name: string;
  readonly config: DoorConfig;
  /** Stamps edges and runs the strikes' timers; a line board may steer it. */
  readonly clock: Clock;
  /** Nothing steers it: for measuring, and for what happens outside the played day. */
  readonly stopwatch: Clock;
  readonly log: Log;
  readonly closers: Closers;
}

/** Reads the configuration and takes the door's lock. CONFIG_INVALID, HOME_MISSING, HOME_LOCKED. */
export function prepareDoor({ root, log }: DoorOptions): DoorParts {
  const paths = openHome(root);
  const { name, door: config } = readConfig(paths.config);
  if (config === undefined) throw new GdoError("CONFIG_INVALID", `${paths.config}: there is no door in it`);
  const stopwatch = new SystemClock();
  const clock = config.clock === "steered" ? new SteeredClock(config.startMs ?? stopwatch.nowMs()) : stopwatch;
  const closers: Closers = [lockHome(paths.doorLock, `the door of ${root}`)];
  return { paths, name, config, clock, stopwatch, log, closers };
}

/** Lets go of everything, the newest first. */
export async function closeAll(closers: Closers): Promise<void> {
  for (let last = closers.pop(); last !== undefined; last = closers.pop()) await last();
}
