/** Where a dapp is tried without any organisation: a store for its images, kept between runs, and containers. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Hash, SystemClock, silentLog } from "../../base/index.ts";
import { DappHost, ImageCache, RuncRuntime, type TriedDapp } from "../../dapp/index.ts";
import { PackStore } from "../../store/index.ts";
import { lockHome } from "../home/lock.ts";
import { ImageBuilder } from "../image/build.ts";
import { imageStore } from "../storage/object-access.ts";
import { type DappProject, stageProject } from "./project.ts";

export interface Workshop {
  readonly warm: TriedDapp;
  /** The same in a container started anew; it ends with `close`. */
  fresh(): Promise<TriedDapp & { close(): Promise<void> }>;
  close(): Promise<void>;
}

function workshopFolder(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  return join(cache, "gdo", "dapps");
}

/** Builds the project's image and opens it. HOME_LOCKED when another run is under way; as storeDapp and DappHost. */
export async function openWorkshop(project: DappProject, runtimePath: string): Promise<Workshop> {
  const dir = workshopFolder();
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const unlock = lockHome(join(dir, "lock"), "the folder in which dapps are tried");
  try {
    return await openIn(dir, project, { runtimePath, unlock });
  } catch (error) {
    unlock();
    throw error;
  }
}

async function openIn(dir: string, project: DappProject, { runtimePath, unlock }: OpenParts): Promise<Workshop> {
  const store = await PackStore.open(join(dir, "packs"));
  try {
    const tree = await storedTree(store, dir, project);
    const runtime = new RuncRuntime({ runDir: join(dir, "run"), mark: "gdo-workshop", log: silentLog, runtimePath });
    await runtime.cleanup();
    const images = new ImageCache({ dir: join(dir, "images"), store: imageStore(store) });
    const host = new DappHost({ runtime, images, log: silentLog, clock: new SystemClock() });
    const close = async (): Promise<void> => {
      await host.close();
      await store.close();
      unlock();
    };
    return { warm: await host.dapp(tree), fresh: () => host.fresh(tree), close };
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface OpenParts {
  readonly runtimePath: string;
  readonly unlock: () => void;
}

async function storedTree(store: PackStore, dir: string, project: DappProject): Promise<Hash> {
  const staged = await stageProject(project);
  try {
    const db = new MetaFile(join(dir, "bases.json"));
    return await new ImageBuilder({ store, db }).dapp(project.manifest.image, staged);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
}

/** What an ImageBuilder remembers, in a file of its own. */
class MetaFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  meta(key: string): string | undefined {
    return this.#all()[key];
  }

  setMeta(key: string, value: string): void {
    writeFileSync(this.#path, JSON.stringify({ ...this.#all(), [key]: value }));
  }

  #all(): Record<string, string> {
    return existsSync(this.#path) ? (JSON.parse(readFileSync(this.#path, "utf8")) as Record<string, string>) : {};
  }
}
