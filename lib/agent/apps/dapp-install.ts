/** A dapp's folder into the store as an image: its base image with the dapp laid over it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GdoError, type Hash } from "../../base/index.ts";
import { Contract, type Manifest, parseManifest } from "../../dapp/index.ts";
import type { LedgerDb } from "../../db/index.ts";
import type { ChunkStore } from "../../store/index.ts";
import { ImageBuilder } from "../image/build.ts";

export interface StoredDapp {
  readonly manifest: Manifest;
  readonly tree: Hash;
}

/**
 * DAPP_MANIFEST when the folder holds no dapp, INPUT_INVALID for a base image that is not known,
 * NOT_FOUND for packages that cannot be had.
 */
export async function storeDapp(store: ChunkStore, db: LedgerDb, folder: string): Promise<StoredDapp> {
  const path = join(folder, "dapp.yaml");
  if (!existsSync(path)) throw new GdoError("DAPP_MANIFEST", `there is no dapp.yaml in ${folder}`);
  const manifest = parseManifest(readFileSync(path, "utf8"));
  await Contract.load(manifest, async (file) => readFileSync(join(folder, file), "utf8"));
  const tree = await new ImageBuilder({ store, db }).build(manifest.image, folder);
  return { manifest, tree };
}
