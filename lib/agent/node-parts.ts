/** What a node is made of, opened in order and closed in reverse. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Clock, type Log, SystemClock, SystemRng } from "../base/index.ts";
import { type Block, type KeyPair, keyFromSeed } from "../codec/index.ts";
import { DappHost, ImageCache, RuncRuntime } from "../dapp/index.ts";
import { LedgerDb } from "../db/index.ts";
import { OwnLog } from "../node/index.ts";
import { PackStore } from "../store/index.ts";
import { DappLogs } from "./apps/dapp-logs.ts";
import { type Config, readConfig } from "./home/config.ts";
import { type HomePaths, openHome, readSecret } from "./home/home.ts";
import { lockHome } from "./home/lock.ts";
import { findPlace } from "./home/place.ts";
import { readCharter } from "./home/setup.ts";
import { SteerableClock } from "./steerable-clock.ts";
import { imageStore } from "./storage/object-access.ts";

export interface NodeParts {
  readonly paths: HomePaths;
  readonly config: Config;
  readonly charter: Block;
  readonly pair: KeyPair;
  readonly clock: Clock;
  readonly log: Log;
  readonly db: LedgerDb;
  readonly store: PackStore;
  readonly images: ImageCache;
  readonly dapps: DappHost;
  readonly runtime: RuncRuntime;
  readonly ownLog: OwnLog;
  /** Newest first when closing. */
  readonly closers: (() => void | Promise<void>)[];
}

/** Takes the home's lock and opens all that is in it. HOME_MISSING, HOME_LOCKED, CONFIG_INVALID, KEY_INVALID, STORE_CORRUPT. */
export async function openParts(root: string, log: Log): Promise<NodeParts> {
  const closers: NodeParts["closers"] = [];
  try {
    return await open(root, log, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

async function open(root: string, log: Log, closers: NodeParts["closers"]): Promise<NodeParts> {
  const paths = openHome(root);
  closers.push(lockHome(paths.lock, `the home ${root}`));
  const config = readConfig(paths.config);
  const charter = readCharter(paths);
  const pair = keyFromSeed(readSecret(paths.nodeKey));
  const clock = config.clock === "steered" ? new SteerableClock(config.startMs ?? 0) : new SystemClock();
  const db = LedgerDb.open(paths.ledgerDb);
  closers.push(() => db.close());
  if (!db.has(charter.id)) db.ingest([charter]);
  const store = await PackStore.open(paths.packs);
  closers.push(() => store.close());
  const found = findPlace(paths.nodeMark, db);
  const ownLog = new OwnLog({
    ...{ db, pair, clock, organisation: charter.id, rng: new SystemRng() },
    ...{ place: found.place, hasRun: found.hasRun },
  });
  ownLog.keepPlace(found.renew());
  const runtime = new RuncRuntime({
    runDir: join(paths.run, "containers"),
    mark: markOf(paths.root),
    log,
    runtimePath: config.container.runtime,
  });
  const images = new ImageCache({ dir: paths.images, store: imageStore(store) });
  const journal = new DappLogs({ dir: paths.dappLogs, clock, log });
  closers.push(() => journal.close());
  const dapps = new DappHost({ runtime, images, log, clock, journal, keepWarm: config.container.keepWarm });
  closers.push(() => dapps.close());
  return { paths, config, charter, pair, clock, log, db, store, images, dapps, runtime, ownLog, closers };
}

/** Names this home's containers and control groups among those of other homes on the machine. */
function markOf(root: string): string {
  return `gdo-${createHash("sha256").update(root).digest("hex").slice(0, 12)}`;
}

export async function closeAll(closers: NodeParts["closers"]): Promise<void> {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
}
